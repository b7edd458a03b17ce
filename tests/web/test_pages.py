"""What holds for every page: its head, who may keep it, what it weighs and asks the database; and errors."""

import gzip
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from quart import Quart, Response

from fediblog import db, errors, moments
from fediblog.config import Config
from fediblog.models import Account, Role, Visibility
from fediblog.services import follows, home, invites, likes, lists, posts, scheduled, settings, timelines
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from fediblog.web import files
from tests.harness import apps
from tests.harness.statements import Statements
from tests.people import person
from tests.web.browser import Browser, File, Page
from tests.web.conftest import BrowserOf, jpeg

pytestmark = pytest.mark.once

WEB = Path(files.__file__).parent


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


@pytest.fixture
async def everything(worker: None, app: Quart, alice: Account, bob: Account) -> list[str]:
    """A server on which something of everything has happened, and the addresses of all its pages."""
    await person("boss", role=Role.ADMIN)
    await settings.add_rule(None, "Be kind.")
    await follows.follow(bob, alice)
    post = await posts.publish(alice, Draft("Hello #boats @bob https://example.org/a", summary="A warning"))
    await posts.publish(bob, Draft("Which?", poll=PollDraft(("Tea", "Coffee"), 3600), reply_to_id=post.id))
    await posts.edit(alice, post.id, Draft("Hello again"))
    await likes.like(bob, post)
    browser = Browser(app)
    await browser.submit(
        "/auth/sign_in", "/auth/sign_in", name="bob", password="correct horse battery staple"
    )
    await browser.submit("/publish", "/publish", source="Look", file_1=File(jpeg(80, 60)), alt_of_1="Teal")
    await posts.publish(alice, Draft("@bob only you", visibility=Visibility.DIRECT))
    await scheduled.schedule(bob, Draft("Later"), moments.now() + moments.HOUR)
    invite = await invites.create(alice)
    made = await lists.create(bob, "Friends & co")
    await lists.add(bob, made.id, [alice.id])
    path = f"/@alice/{post.id}"
    return [
        *("/", "/public", "/public/local", "/tags/boats", "/about", "/about/stats", "/nope", "/auth/sign_in"),
        "/docs/api",
        *("/auth/sign_up", "/auth/confirmation", "/auth/password/new", "/auth/password/edit?token=x"),
        *(f"/invite/{invite.code}", "/setup?token=x", "/unsubscribe?token=x", "/@alice", "/@alice/media"),
        *("/@alice/with_replies", "/@alice/followers", "/@alice/following", path, f"{path}/favourites"),
        *(
            f"{path}/reblogs",
            f"{path}/history",
            f"{path}/edit",
            f"{path}/delete",
            f"/publish?in_reply_to={post.id}",
        ),
        *("/home", "/publish", "/notifications", "/notifications/mentions", "/follow_requests", "/bookmarks"),
        *("/notifications/requests", "/settings/notifications"),
        *(
            "/favourites",
            "/@bob",
            "/@bob/mute",
            "/@bob/report",
            "/@bob/block",
            "/settings/profile",
            "/settings/posting",
        ),
        *("/settings/appearance", "/settings/mail", "/settings/password", "/settings/sessions"),
        *("/settings/security", "/auth/sign_in/otp"),
        *("/settings/statistics", "/settings/invites", "/admin/signups"),
        *("/lists", f"/lists/{made.id}", f"/lists/{made.id}/edit", "/@alice/lists"),
        *("/conversations", "/scheduled", "/announcements"),
    ]


async def _visited(browser: Browser, paths: list[str]) -> dict[str, Page]:
    return {path: await browser.open(path, None) for path in paths}  # type: ignore[arg-type]


async def test_no_page_holds_a_script_a_style_or_an_address_elsewhere(
    everything: list[str], visitor: Browser, hers: Browser, browser_of: BrowserOf
):
    boss = await browser_of(await Account.get(username="boss"))
    for browser in (visitor, hers, boss):
        for path, page in (await _visited(browser, everything)).items():
            assert page.status in (200, 303, 403, 404), (path, page.status)
            assert not re.search(r"<(script|style|iframe|object|embed|base)\b", page.html), path
            assert not re.search(r"\s(on\w+|style|srcdoc)=", page.html), path
            sources = re.findall(r'\s(?:src|action|formaction|poster)="([^"]*)"', page.html)
            sources += re.findall(r'<(?:link rel="(?:stylesheet|icon)"|use) href="([^"]*)"', page.html)
            assert all(source.startswith("/") for source in sources), path


async def test_every_page_says_what_a_browser_may_do(everything: list[str], visitor: Browser, hers: Browser):
    for browser in (visitor, hers):
        for path, page in (await _visited(browser, everything)).items():
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'"), path
            assert "unsafe" not in policy and "*" not in policy and "nonce" not in policy
            for rule in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
                assert rule in policy
            assert "require-trusted-types-for 'script'" in policy
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Referrer-Policy"] == "same-origin"
            assert "camera=()" in page.headers["Permissions-Policy"]
            assert "Strict-Transport-Security" not in page.headers, "this one is on plain http"
            assert "Cookie" in page.headers["Vary"]


async def test_every_page_has_one_heading_a_title_landmarks_and_each_id_once(
    everything: list[str], visitor: Browser, hers: Browser
):
    for browser in (visitor, hers):
        for path, page in (await _visited(browser, everything)).items():
            if page.status == 303:
                continue
            assert page.html.count("<h1") == 1, path
            assert page.title.endswith(" · fediblog"), path
            assert '<a class="skip" href="#main">' in page.html and 'id="main"' in page.html
            assert len(page.ids) == len(set(page.ids)), (path, page.ids)
            assert page.html.startswith("<!doctype html>") and '<html lang="en"' in page.html


async def test_every_form_of_a_page_holds_its_token(everything: list[str], hers: Browser):
    for path, page in (await _visited(hers, everything)).items():
        for form in page.forms:
            assert form.value("csrf"), (path, form.action)


async def test_on_https_browsers_are_told_to_stay_there(configure: Callable[..., Config], database: None):
    config = configure(domain="social.example", base_url="https://social.example")
    page = await Browser(apps.shared(config), secure=True).open("/")
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")


# --------------------------------------------------------------------------------------------------- caches


@pytest.mark.parametrize("path", ["/", "/public/local", "/@alice", "/about", "/@alice.rss", "/robots.txt"])
async def test_pages_for_everybody_may_be_kept_for_a_while(visitor: Browser, alice: Account, path: str):
    page = await visitor.open(path)
    assert page.headers["Cache-Control"].startswith("public, max-age=")
    assert "Set-Cookie" not in page.headers

    again = await visitor.open(path, 304, **{"If-None-Match": page.headers["ETag"]})
    assert again.body == b""


async def test_a_new_post_is_a_new_page(visitor: Browser, alice: Account):
    page = await visitor.open("/public/local")
    await posts.publish(alice, Draft("News"))
    assert "News" in (await visitor.open("/public/local", **{"If-None-Match": page.headers["ETag"]})).text


async def test_what_is_for_one_person_is_kept_by_nobody(everything: list[str], hers: Browser):
    for path, page in (await _visited(hers, everything)).items():
        assert page.headers["Cache-Control"] == "private, no-store", path
        assert "ETag" not in page.headers


@pytest.mark.parametrize("path", ["/auth/sign_in", "/auth/sign_up", "/auth/password/new", "/nope"])
async def test_forms_and_errors_are_kept_by_nobody(visitor: Browser, database: None, path: str):
    page = await visitor.open(path, None)  # type: ignore[arg-type]
    assert page.headers["Cache-Control"] == "private, no-store"


# --------------------------------------------------------------------------------------------------- budgets


@pytest.fixture
async def twenty(alice: Account, bob: Account) -> None:
    """Twenty posts of different kinds on Alice's home."""
    await follows.follow(alice, bob)
    for number in range(20):
        text = (
            f"Number {number} of what Bob has to say about boats, bread and the weather in {number} lines. "
            * 3
        )
        poll = PollDraft((f"Yes {number}", f"No {number}"), 3600) if number % 5 == 0 else None
        summary = f"About {number}" if number % 4 == 0 else ""
        post = await posts.publish(bob, Draft(f"{text} #boats{number}", summary=summary, poll=poll))
        await home.fan_out(post.id)


async def test_a_page_of_twenty_posts_weighs_little(hers: Browser, visitor: Browser, twenty: None):
    for browser, path in ((hers, "/home"), (visitor, "/public/local")):
        page = await browser.open(path)
        assert page.html.count("<article") == 20
        assert len(gzip.compress(page.body, 9)) <= 25 * 1024


@pytest.mark.once
def test_the_styles_weigh_little():
    assert len(gzip.compress(files.tree().files["site.css"], 9)) <= 10 * 1024


async def test_a_page_of_twenty_posts_asks_no_more_than_one_of_a_single_one(
    hers: Browser, bob: Account, alice: Account, queries: Callable[[], AbstractContextManager[Statements]]
):
    await follows.follow(alice, bob)

    async def asked() -> int:
        await hers.open("/home")
        with queries() as sent:
            await hers.open("/home")
        return len(sent)

    await home.fan_out((await posts.publish(bob, Draft("One"))).id)
    with_one = await asked()
    for number in range(19):
        await home.fan_out((await posts.publish(bob, Draft(f"Number {number}"))).id)
    # The session, the list, what is unread; and for a short home what lies below the stored rows.
    assert (with_one, await asked()) == (4, 3)


async def test_texts_are_rendered_once_for_each_version(
    visitor: Browser, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    post = await posts.publish(alice, Draft("First"))
    await visitor.open("/public/local")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fediblog.web.lines._text_of", lambda: pytest.fail("it was rendered again"))
        assert "First" in (await visitor.open("/public/local")).text
        await likes.like(alice, post)
        assert "1 favourite" in (await visitor.open("/public/local")).html
    await posts.edit(alice, post.id, Draft("Second"))
    assert "Second" in (await visitor.open("/public/local")).text


# ---------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "error",
    [
        errors.Malformed(),
        errors.Forbidden(),
        errors.NotFound(),
        errors.Gone(),
        errors.TooLarge(),
        errors.Unsupported(),
        errors.Invalid("Not like this."),
        errors.TooMany(retry_after=7),
        errors.Unavailable(retry_after=9),
        errors.NoSpace(),
        RuntimeError("secret detail"),
    ],
)
async def test_every_error_is_a_page_of_ours(
    visitor: Browser, database: None, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(timelines, "public", fail)
    status = getattr(error, "http_status", 500)
    page = await visitor.open("/public", status, **{"X-Request-Id": "quote-me"})

    assert f"Error {status} · request quote-me" in page.text
    assert "secret detail" not in page.html and "Traceback" not in page.html
    assert page.html.count("<h1") == 1 and "site.css" in page.html
    if hasattr(error, "retry_after"):
        assert page.headers["Retry-After"] == str(error.retry_after)


async def test_who_loses_the_way_stays_who_they_are(hers: Browser):
    page = await hers.open("/nowhere", 404)
    assert "@alice" in page.text and page.form("/auth/sign_out").value("csrf")


async def test_a_wrong_method_is_told_the_right_ones(visitor: Browser, database: None):
    response = await visitor.client.open("/about", method="DELETE")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert "does not work here" in (await response.get_data(as_text=True))


async def test_when_the_database_is_away_the_page_says_so(visitor: Browser, config: Config, database: None):
    await db.close()
    try:
        page = await visitor.open("/public", None)  # type: ignore[arg-type]
        assert page.status in (500, 503)
        assert page.html.count("<h1") == 1
    finally:
        await db.connect(config)


# ----------------------------------------------------------------------------------------- files of the pages


async def test_styles_and_icons_are_kept_for_ever_under_their_hash(visitor: Browser, database: None):
    page = await visitor.open("/")
    address = re.search(r'href="(/static/[0-9a-f]+/site\.css)"', page.html)
    assert address is not None
    styles = await visitor.client.get(address[1])
    assert styles.status_code == 200
    assert styles.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert styles.headers["Content-Type"] == "text/css; charset=utf-8"
    again = await visitor.client.get(address[1], headers={"If-None-Match": styles.headers["ETag"]})
    assert again.status_code == 304

    old = await visitor.client.get("/static/0123456789abcdef/site.css")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "public, max-age=60")
    for name in ("site.py", "..%2fwho.py", "none.css", "../who.py"):
        assert (await visitor.client.get(f"/static/{files.tree().hash}/{name}")).status_code == 404


async def test_those_without_a_picture_have_one_for_apps(visitor: Browser, database: None):
    for path in ("/avatars/original/missing.png", "/headers/original/missing.png"):
        response = await visitor.client.get(path)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")


@pytest.mark.once
def test_every_icon_is_in_the_sprite_and_every_one_in_it_is_used():
    sprite = ElementTree.fromstring(files.tree().files["icons.svg"])
    there = {symbol.get("id") for symbol in sprite}
    sources = "".join(path.read_text() for path in WEB.rglob("*") if path.suffix in (".py", ".html"))
    named = set(re.findall(r'icon\("([a-z0-9-]+)"', sources))
    assert named <= there, named - there
    assert {name for name in there if f'"{name}"' not in sources} == set()


@pytest.mark.once
def test_the_styles_name_no_other_host():
    assert b"http" not in files.tree().files["site.css"] and b"@import" not in files.tree().files["site.css"]


# ----------------------------------------------------------------------------------------------- stored files


@pytest.fixture
async def stored(hers: Browser, worker: None) -> str:
    """The address of a picture on a post."""
    await hers.submit("/publish", "/publish", source="Look", file_1=File(jpeg(640, 480)), alt_of_1="Teal")
    key = await db.value("SELECT file FROM media")
    return f"/media/{key}"


async def test_stored_files_come_in_a_box(visitor: Browser, stored: str):
    response = await visitor.client.get(stored)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert int(response.headers["Content-Length"]) == len(await response.get_data(as_text=False))
    assert "Set-Cookie" not in response.headers


async def test_parts_of_stored_files_can_be_asked_for(visitor: Browser, stored: str):
    whole = await (await visitor.client.get(stored)).get_data(as_text=False)

    async def part(wanted: str) -> tuple[Response, bytes]:
        response = await visitor.client.get(stored, headers={"Range": wanted})
        return response, await response.get_data(as_text=False)

    for wanted, expected in (
        ("bytes=0-9", whole[:10]),
        ("bytes=10-19", whole[10:20]),
        ("bytes=-5", whole[-5:]),
        ("bytes=100-", whole[100:]),
        ("bytes=0-99999999", whole),
        ("bytes=-99999999", whole),
    ):
        response, content = await part(wanted)
        assert response.status_code == 206, wanted
        assert content == expected, wanted
        assert response.headers["Content-Range"].endswith(f"/{len(whole)}")
        assert int(response.headers["Content-Length"]) == len(expected)
    assert (await part("bytes=99999999-"))[0].status_code == 416
    for odd in ("lines=1-2", "bytes=0-1,5-6", "bytes=x-y", "bytes"):
        response, content = await part(odd)
        assert (response.status_code, content) == (200, whole)


async def test_a_part_of_another_version_is_not_mixed_in(visitor: Browser, stored: str):
    for tag, status in (('"another"', 200), ((await visitor.client.get(stored)).headers["ETag"], 206)):
        response = await visitor.client.get(stored, headers={"Range": "bytes=0-9", "If-Range": tag})
        assert response.status_code == status


async def test_a_stored_file_that_is_known_is_not_sent_again(visitor: Browser, stored: str):
    etag = (await visitor.client.get(stored)).headers["ETag"]
    again = await visitor.client.get(stored, headers={"If-None-Match": etag})
    assert again.status_code == 304 and await again.get_data(as_text=False) == b""
    head = await visitor.client.head(stored)
    assert head.status_code == 200 and int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "key",
    [
        "../fediblog.sqlite3",
        "..%2f..%2ffediblog.sqlite3",
        "ab/cd/ef.jpg",
        "ab/cd/ef.html",
        "tmp/x.jpg",
        "%2e%2e/%2e%2e/etc/passwd",
        "ab/cd/%00.jpg",
    ],
)
async def test_nothing_but_stored_files_comes_out(visitor: Browser, database: None, key: str):
    assert (await visitor.client.get(f"/media/{key}")).status_code in (400, 404)


# ----------------------------------------------------------------------------------------------------- feeds


@pytest.mark.parametrize(
    ("suffix", "kind", "entry"),
    [
        ("rss", "application/rss+xml", "channel/item"),
        ("atom", "application/atom+xml", "{http://www.w3.org/2005/Atom}entry"),
    ],
)
async def test_feeds_are_well_formed_and_hold_what_is_public(
    visitor: Browser, alice: Account, suffix: str, kind: str, entry: str
):
    await posts.publish(alice, Draft("A & B < C ]]> \u2603 #tag", summary="<Warning>", language="en"))
    await posts.publish(alice, Draft("Followers", visibility=Visibility.FOLLOWERS))
    page = await visitor.open(f"/@alice.{suffix}")
    root = ElementTree.fromstring(page.body)

    assert page.headers["Content-Type"].startswith(kind)
    entries = root.findall(entry)
    assert len(entries) == 1
    text = "".join(entries[0].itertext())
    assert "<Warning>" in text and "A &amp; B &lt; C" in text and "\u2603" in text
    assert "http://localhost:8000/@alice/" in page.html


async def test_an_empty_feed_is_one_too(visitor: Browser, alice: Account):
    for suffix in ("rss", "atom"):
        ElementTree.fromstring((await visitor.open(f"/@alice.{suffix}")).body)


async def test_pictures_stand_in_feeds_with_their_full_address(visitor: Browser, stored: str):
    assert f"http://localhost:8000{stored[:7]}" in (await visitor.open("/@alice.rss")).html
