"""toot, a program for the terminal that others wrote for Mastodon, does what it can against a running server.

It is logged in and out as somebody at a terminal does it. The commands between are called in this process:
starting Python for each would take a minute. What they print is checked, and what is behind it once by JSON.
"""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import toot.http
from click.testing import CliRunner, Result
from PIL import Image
from toot import User, api, config
from toot.cli import cli

from tests.flows.browser import Browser
from tests.flows.test_mastodon_py import code_from
from tests.flows.waiting import until
from tests.harness import described
from tests.harness.site import Site
from tests.people import PASSWORD

pytestmark = pytest.mark.once

_PROGRAM = Path(sys.executable).with_name("toot")


class Toot:
    """The commands of one of those who are logged in."""

    def __init__(self, name: str) -> None:
        self.who = f"{name}@localhost:8000"

    def run(self, *words: str) -> Result:
        """What has come of a command. Raises whatever toot did not expect."""
        # Without the settings that the developer may have made for themselves.
        own: dict[str, Any] = {"default_map": {}, "auto_envvar_prefix": None}
        done = CliRunner().invoke(cli, ["--as", self.who, *words], prog_name="toot", **own)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def says(self, *words: str) -> str:
        """What a command prints that succeeds."""
        done = self.run(*words)
        assert done.exit_code == 0, f"toot {' '.join(words)}: {done.output}"
        return done.stdout

    def refuses(self, *words: str) -> str:
        """The complaint of a command that fails."""
        done = self.run(*words)
        assert done.exit_code == 1, f"toot {' '.join(words)}: {done.output}"
        return done.stderr

    def gives(self, *words: str) -> Any:
        """What the server has told a command. Before it may stand that a file takes a moment."""
        return orjson.loads(self.says(*words, "--json").splitlines()[-1])

    def post(self, *words: str) -> str:
        """The id of a new post."""
        made: str = self.gives("post", *words)["id"]
        return made

    def shows(self, *words: str) -> str:
        """A timeline, all of its first page and nothing else."""
        return self.says("timelines", *words, "--no-pager", "--no-clear")


@pytest.fixture(autouse=True)
def _at_home_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """toot keeps its tokens in the test's own folder; what it is answered is held against the description."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(toot.http, "Session", described.session)


async def log_in(site: Site) -> str:
    """Log Alice in at the terminal, with the code that the page shows her. Gives what was printed."""
    terminal = await asyncio.create_subprocess_exec(
        *(_PROGRAM, "login", "--instance", site.url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert terminal.stdin and terminal.stdout
    printed = ""
    async with asyncio.timeout(60):
        while not printed.splitlines()[-1:] or not printed.splitlines()[-1].startswith("http"):
            line = await terminal.stdout.readline()
            assert line, printed
            printed += line.decode()
        async with Browser(site.url) as browser:
            code = await code_from(browser, printed.splitlines()[-1], PASSWORD)
        rest, _ = await terminal.communicate(f"n\n{code}\n".encode())
    assert terminal.returncode == 0, rest.decode()
    return printed + rest.decode()


async def at_the_terminal(*words: str) -> str:
    """What the program prints, as somebody starts it."""
    done = await asyncio.to_thread(subprocess.run, [_PROGRAM, *words], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def oneself_and_the_server(alice: Toot, bob: Toot) -> None:
    """Who one is, and where."""
    assert "@alice Alice\n" in alice.says("whoami")
    assert alice.gives("whoami")["acct"] == "alice"
    changed = ("--display-name", "Alice A.", "--note", "I write here", "--locked", "--privacy", "unlisted")
    assert "✓ Account updated" in alice.says("update-account", *changed)
    told = alice.says("whois", "@alice")
    assert "@alice Alice A." in told and "I write here" in told and "Statuses: 0" in told
    assert bob.gives("whois", "alice")["locked"] is True
    alice.says("update-account", "--no-locked", "--privacy", "public")
    assert "localhost:8000\nrunning Mastodon 4." in alice.says("instance")
    assert "version 4." in alice.says("diag", "--server")
    assert "Account not found" in alice.refuses("whois", "nobody")
    _, app = config.get_user_app(alice.who)
    by_password = ("--instance", app.base_url, "--email", "alice@mail.example", "--password", PASSWORD)
    assert "Login failed" in alice.refuses("login_cli", *by_password)


def posts(alice: Toot, bob: Toot) -> None:
    """Writing, answering, threads, changing, deleting."""
    assert "Toot posted: http" in alice.says("post", "Hello @bob", "--language", "en", "--spoiler-text", "hi")
    first = alice.gives("timelines", "account", "alice")[0]
    assert (first["spoiler_text"], first["language"], first["mentions"][0]["acct"]) == ("hi", "en", "bob")
    answer = bob.post("@alice Hello to you", "--reply-to", first["id"])
    last = bob.post("One more thing", "--reply-last")
    thread = alice.says("thread", answer)
    assert thread.index("Hello @bob") < thread.index("Hello to you") < thread.index("One more thing")
    assert f"In reply to {answer}" in thread
    context = alice.gives("thread", answer)
    assert [one["id"] for one in context["ancestors"] + context["descendants"]] == [first["id"], last]

    # Only its full-screen part has edits for its users, by this call.
    user, app = config.get_user_app(alice.who)
    assert api.fetch_status_source(app, user, first["id"]).json()["text"] == "Hello @bob"
    api.edit_status(app, user, first["id"], "Hello again @bob", spoiler_text="hi", language="en")
    assert "Hello again @bob" in bob.says("status", first["id"])
    assert bob.gives("status", first["id"])["edited_at"] is not None

    private = alice.post("for followers", "--visibility", "private")
    assert "Visibility: private" in alice.says("status", private)
    assert "not found" in bob.refuses("status", private).lower()
    assert "not found" in bob.refuses("delete", first["id"]).lower()
    assert "✓ Status deleted" in alice.says("delete", private)
    assert "not found" in alice.refuses("status", private).lower()
    assert "Toot scheduled for: " in alice.says("post", "later", "--scheduled-in", "1 hour")
    user, app = config.get_user_app(alice.who)
    assert [one["params"]["text"] for one in api.scheduled_statuses(app, user)] == ["later"]


def files_and_polls(alice: Toot, bob: Toot, picture: str) -> None:
    """Pictures with words, and polls."""
    assert "type 'image'" in alice.says("upload", picture)
    red = alice.post("", "--media", picture, "--description", "a red field", "--sensitive")
    assert "Media:\nhttp" in bob.says("status", red)
    shown = bob.gives("status", red)
    assert (shown["sensitive"], shown["media_attachments"][0]["description"]) == (True, "a red field")

    asked = alice.gives("post", "Tea?", "--poll-option", "yes", "--poll-option", "no")["poll"]["id"]
    voted = bob.says("polls", "vote", asked, "0")
    assert "You voted!" in voted and "100% (1)" in voted and "✓ Your vote" in voted and "1 votes" in voted
    assert "Your vote" not in alice.says("polls", "show", asked)
    assert alice.gives("polls", "show", asked)["options"][0] == {"title": "yes", "votes_count": 1}
    assert "already voted" in bob.refuses("polls", "vote", asked, "1").lower()


def acts_and_what_one_is_told(alice: Toot, bob: Toot) -> None:
    """Likes, boosts, bookmarks, pins, and the notifications of them."""
    alice.says("notifications", "--clear")
    liked = alice.post("like this #Greetings")
    for verb, done in (("favourite", "favourited"), ("reblog", "reblogged"), ("bookmark", "bookmarked")):
        assert f"✓ Status {done}" in bob.says(verb, liked)
    assert "✓ Status pinned" in alice.says("pin", liked)
    assert "like this" in bob.shows("favourites") and "like this" in bob.says("bookmarks", "--once")
    assert "bob" in alice.says("reblogged-by", liked)
    told = until(lambda: "boosted your" in (said := alice.says("notifications")) and said)
    assert "Bob @bob favourited your status" in told and "like this #Greetings" in told
    assert [one["type"] for one in alice.gives("notifications", "--type", "reblog")] == ["reblog"]
    assert "reblog" not in {one["type"] for one in alice.gives("notifications", "--exclude-type", "reblog")}
    assert "✓ Notifications cleared" in alice.says("notifications", "--clear")
    assert "You have no notifications" in alice.says("notifications")
    for verb in ("unfavourite", "unreblog", "unbookmark"):
        bob.says(verb, liked)
    alice.says("unpin", liked)
    flags = bob.gives("status", liked)
    assert [flags[name] for name in ("favourited", "reblogged", "bookmarked")] == [False] * 3
    assert "No statuses found" in bob.shows("favourites")


def people(alice: Toot, bob: Toot) -> None:
    """Following and being followed, mutes and blocks."""
    assert "✓ You are now following bob" in alice.says("follow", "bob")
    assert "* @bob Bob" in alice.says("following") and "* @alice Alice A." in bob.says("followers")
    bob.says("update-account", "--locked")
    alice.says("unfollow", "bob")
    assert alice.gives("follow", "bob")["requested"] is True
    assert "* @alice" in bob.says("follow-requests", "list")
    assert "✓ alice is now following you" in bob.says("follow-requests", "accept", "alice")
    bob.says("update-account", "--no-locked")
    assert "✓ You have muted bob" in alice.says("mute", "bob") and "* @bob" in alice.says("muted")
    assert "✓ bob is no longer muted" in alice.says("unmute", "bob")
    assert "No accounts muted" in alice.says("muted")
    assert "✓ You are now blocking bob" in alice.says("block", "bob") and "* @bob" in alice.says("blocked")
    assert alice.says("following") == "" and "not found" in bob.refuses("follow", "alice").lower()
    assert "✓ bob is no longer blocked" in alice.says("unblock", "bob")
    assert "No accounts blocked" in alice.says("blocked")


def lists(alice: Toot, bob: Toot) -> None:
    """Lists: made, filled, read, emptied, gone."""
    assert "You have no lists defined." in alice.says("lists", "list")
    assert '✓ List "Friends" created.' in alice.says("lists", "create", "Friends")
    assert "Friends  none" in alice.says("lists", "list")
    assert "You must follow @bob" in alice.refuses("lists", "add", "Friends", "bob")
    alice.says("follow", "bob")
    assert '✓ Added account "bob"' in alice.says("lists", "add", "Friends", "bob")
    assert "* @bob Bob" in alice.says("lists", "accounts", "Friends")
    bob.post("for my friends")
    assert until(lambda: "for my friends" in alice.shows("list", "Friends"))
    assert '✓ Removed account "bob"' in alice.says("lists", "remove", "Friends", "bob")
    assert "This list has no accounts." in alice.says("lists", "accounts", "Friends")
    assert '✓ List "Friends" deleted.' in alice.says("lists", "delete", "Friends")
    assert "List not found" in alice.refuses("lists", "delete", "Friends")


def hashtags(alice: Toot, bob: Toot) -> None:
    """Hashtags: followed and featured."""
    assert "✓ You are now following #greetings" in alice.says("tags", "follow", "greetings")
    assert "* #" in alice.says("tags", "followed") and "Followed" in alice.says("tags", "info", "greetings")
    assert "✓ You are no longer following #greetings" in alice.says("tags", "unfollow", "greetings")
    assert "You're not following any hashtags" in alice.says("tags", "followed")
    assert "Not followed" in alice.says("tags", "info", "greetings")
    assert "✓ Tag #Greetings is now featured" in alice.says("tags", "feature", "Greetings")
    assert "* #Greetings" in alice.says("tags", "featured")
    assert "✓ Tag #Greetings is no longer featured" in alice.says("tags", "unfeature", "greetings")
    assert "You don't have any featured hashtags" in alice.says("tags", "featured")


def reading(alice: Toot, bob: Toot) -> None:
    """Timelines with and without a token, their pages, and the search."""
    numbers = [bob.post(f"number {number} #Counting") for number in range(3)]
    assert until(lambda: "number 2" in alice.shows("home", "--limit", "1"))
    home = alice.shows("home", "--limit", "3")
    assert home.index("number 2") < home.index("number 1") < home.index("number 0")
    assert [
        one["id"] for one in alice.gives("timelines", "home", "--max-id", numbers[2], "--limit", "1")
    ] == [numbers[1]]
    _, app = config.get_user_app(alice.who)
    for words in (("--local",), ("--instance", app.base_url), ()):
        assert "number 2" in alice.shows("public", "--limit", "1", *words)
    assert "number 0" in alice.shows("tag", "counting") and "number 0" in alice.shows("account", "bob")
    assert "No statuses found" in alice.shows("trending")
    # It follows the links to the next pages by itself.
    user, app = config.get_user_app(alice.who)
    pages = list(api.tag_timeline_generator(app, user, "counting", limit=1))
    assert [one["id"] for page in pages for one in page] == numbers[::-1]

    found = alice.says("search", "counting")
    assert "Hashtags:\n#" in found
    assert "* @bob Bob" in alice.says("search", "bob", "--type", "accounts")
    mine = alice.gives("search", "greetings", "--type", "statuses")["statuses"]
    assert ["like this" in one["content"] for one in mine] == [True]
    assert "Nothing found" in alice.says("search", "xyzzy")


async def test_toot_logs_in_reads_writes_and_logs_out(site: Site, tmp_path: Path) -> None:
    await site.run(log__level="debug")
    _, token = await site.people("alice", "bob")
    picture = tmp_path / "red.png"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(picture)
    printed = await log_in(site)
    assert "✓ Successfully logged in." in printed
    config.save_user(User("localhost:8000", "bob", token), activate=False)
    alice, bob = Toot("alice"), Toot("bob")

    for area in (oneself_and_the_server, posts):
        await asyncio.to_thread(area, alice, bob)
    await asyncio.to_thread(files_and_polls, alice, bob, str(picture))
    for area in (acts_and_what_one_is_told, people, lists, hashtags, reading):
        await asyncio.to_thread(area, alice, bob)

    assert "alice@localhost:8000 ACTIVE" in await at_the_terminal("auth")
    secret = config.load_user(alice.who).access_token
    out = await at_the_terminal("logout", alice.who)
    assert "✓ Account alice@localhost:8000 logged out" in out
    assert "not found" in alice.refuses("whoami")
    assert secret not in site.output() and token not in site.output()
