"""The commands about other servers: rules, single accounts, and why something is not believed."""

import asyncio
from functools import partial

import orjson
import pytest

from fediblog import db, house, http, moments
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON
from fediblog.cli import outside
from fediblog.http import Fetched, Refused, Unreachable, Unwelcome, media_type
from fediblog.models import Account
from fediblog.services import domain_rules, domains, servers
from tests.harness.fediverse import Fediverse
from tests.people import pair, remote

pytestmark = pytest.mark.once

LIST = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"


def inside(act):
    """Do something with the services of the installation here."""

    async def run():
        async with house.opened(house.configuration_of()):
            return await act()

    return asyncio.run(run())


def rules(site):
    return {rule["domain"]: rule["level"] for rule in orjson.loads(site("domains", "list", "--json").out)}


@pytest.fixture
def played(site, monkeypatch):
    """Other servers, played by us, for every command."""
    fediverse = Fediverse()
    monkeypatch.setattr(http, "open", partial(http.open, transport=fediverse.transport()))
    return fediverse


# ------------------------------------------------------------------------------------------------ rules


def test_rules_are_made_listed_and_dropped(site):
    assert site("domains", "list") == (0, "", "There are no rules.\n")
    assert site("domains", "block", "Bad.Example", "--private-comment", "spam") == (
        0,
        "",
        "bad.example is blocked.\n",
    )
    assert site("domains", "limit", "loud.example", "--reject-media").code == 0
    assert site("domains", "allow", "ok.bad.example").code == 0
    assert rules(site) == {"bad.example": "suspend", "loud.example": "silence", "ok.bad.example": "none"}
    assert "loud.example" in site("domains", "list").out
    assert site("domains", "unblock", "bad.example").code == 0
    assert "bad.example" not in rules(site)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["block", "https://bad.example"], "not the name of a server"),
        (["block", "localhost:8000"], "our own server"),
        (["unblock", "bad.example"], "no rule about this server"),
        (["limit", "bad.example", "--public-comment", "x" * 1001], "1000 characters"),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_changes_nothing(site, words, sentence):
    done = site("domains", *words)
    assert done.code == 1 and sentence in done.err
    assert rules(site) == {}


def test_the_allow_list_is_switched(site):
    assert orjson.loads(site("domains", "allow-list", "--json").out) == {"allow_list": False}
    assert orjson.loads(site("domains", "allow-list", "on", "--json").out) == {"allow_list": True}
    assert site("domains", "allow-list", "maybe").code == 2
    assert inside(lambda: domains.refused("any.example"))
    assert "Only the servers in this list" in site("domains", "list").err
    domains.forget()


def test_a_list_is_shown_taken_in_and_written(site, folder):
    (folder / "list.csv").write_text(
        LIST + "bad.example,suspend,True,True,Spam,False\nloud.example,silence\n"
    )
    dry = site("domains", "import", "list.csv", "--dry-run", "--json")
    assert dry.code == 0 and dry.err == "2 of 2 rules would be taken in.\n"
    assert [(line["domain"], line["change"], line["level"]) for line in orjson.loads(dry.out)] == [
        ("bad.example", "new", "suspend"),
        ("loud.example", "new", "silence"),
    ]
    assert rules(site) == {}
    assert site("domains", "import", "list.csv").err == "2 of 2 rules were taken in.\n"
    assert rules(site) == {"bad.example": "suspend", "loud.example": "silence"}
    exported = site("domains", "export").out
    assert (
        exported
        == LIST + "bad.example,suspend,True,True,Spam,False\nloud.example,silence,False,False,,False\n"
    )
    assert site("domains", "import", "-", given=exported).err.endswith("0 of 2 rules were taken in.\n")


def test_a_broken_list_is_told_line_by_line_and_not_taken_in(site, folder):
    (folder / "list.csv").write_text(LIST + "good.example,suspend\nb*d.example,suspend\ngood.example,maybe\n")
    done = site("domains", "import", "list.csv")
    assert done.code == 1
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["line 3", "line 4"]
    (folder / "list.csv").write_bytes(b"\xff\xfe")
    assert site("domains", "import", "list.csv").err == "list.csv is not text.\n"
    assert site("domains", "import", "none.csv").code == 1
    assert rules(site) == {}


# ------------------------------------------------------------------------------------------------ relays


def test_relays_are_asked_listed_and_left(site):
    assert site("relays", "list") == (0, "", "There are no relays.\n")
    assert site("relays", "add", "https://relay.example/inbox").code == 0
    actor = ("--actor", "https://lite.example/relay")
    assert site("relays", "add", "https://lite.example/inbox", *actor).code == 0
    assert site("relays", "add", "https://relay.example/inbox").code == 1
    first, second = orjson.loads(site("relays", "list", "--json").out)
    assert (first["inbox"], first["state"]) == ("https://relay.example/inbox", "asked")
    assert second["actor"] == "https://lite.example/relay"
    assert site("relays", "remove", first["id"]).code == 0
    assert site("relays", "remove", "https://lite.example/inbox").code == 0
    assert site("relays", "remove", "https://lite.example/inbox").code == 1
    assert site("relays", "list").out == ""


@pytest.mark.parametrize(
    "address", ["relay.example", "http://relay.example/inbox", "https://127.0.0.1/inbox"]
)
def test_what_nobody_may_ask_is_no_relay(site, address):
    assert site("relays", "add", address).code == 1
    assert site("relays", "add", "https://relay.example/inbox", "--actor", address).code == 1
    assert site("relays", "list", "--json").out == "[]\n"


# ------------------------------------------------------------------------------------------------ servers


def test_servers_that_fail_are_listed_and_tried_again(site):
    assert site("servers", "list") == (0, "", "No server fails.\n")

    async def fail():
        async with db.transaction():
            number = (await servers.numbers(["far.example"]))["far.example"]
            sql = "UPDATE server SET fails = 9, failing_since = 1, next_at = $2 WHERE id = $1"
            await db.execute(sql, number, moments.now() + moments.HOUR)

    inside(fail)
    (line,) = orjson.loads(site("servers", "list", "--json").out)
    assert (line["domain"], line["state"], line["failures"]) == ("far.example", "given up", 9)
    assert "far.example" in site("servers", "list").out
    assert site("servers", "retry", "far.example").code == 0
    assert orjson.loads(site("servers", "list", "--json").out)[0]["state"] == "failing"
    assert site("servers", "retry", "near.example").code == 1


# --------------------------------------------------------------------------------------- single accounts


def test_an_account_elsewhere_is_suspended_and_comes_back(site):
    dave = inside(lambda: remote("dave", "far.example"))
    assert site("accounts", "suspend", "@dave@far.example", "--reason", "spam").code == 0
    assert inside(lambda: Account.get(id=dave.id)).suspended_at
    assert site("accounts", "unsuspend", "dave@far.example").code == 0
    assert inside(lambda: Account.get(id=dave.id)).suspended_at is None
    assert site("accounts", "limit", "dave@far.example").code == 0
    assert inside(lambda: Account.get(id=dave.id)).silenced_at
    assert site("accounts", "unlimit", "dave@far.example").code == 0
    assert inside(lambda: Account.get(id=dave.id)).silenced_at is None
    assert site("accounts", "suspend", "nobody@far.example").code == 1
    site("domains", "block", "far.example")
    inside(lambda: domain_rules.enforce("far.example"))
    done = site("accounts", "unsuspend", "dave@far.example")
    assert (done.code, done.err) == (1, "The whole server of this account is blocked.\n")


# ------------------------------------------------------------------------------------------------ webfinger


def test_webfinger_shows_both_directions(site, played):
    played.server("far.example").actor("rita")
    found = orjson.loads(site("debug", "webfinger", "@Rita@far.example", "--json").out)
    assert (found["actor"], found["confirmed"]) == ("https://far.example/users/rita", "rita@far.example")
    assert "confirmed: rita@far.example" in site("debug", "webfinger", "rita@far.example").out
    assert inside(lambda: Account.filter(domain="far.example").count()) == 0


def test_webfinger_says_where_it_breaks(site, played):
    peer = played.server("far.example")
    peer.actor("rita", preferredUsername="rita")
    evil = played.server("evil.example")
    evil.handles["boss"] = "https://far.example/users/rita"
    evil.documents["https://far.example/users/rita"] = {"preferredUsername": "boss"}
    done = site("debug", "webfinger", "boss@evil.example", "--json")
    assert done.code == 1 and orjson.loads(done.out)["actor"] == "https://far.example/users/rita"
    assert "is called rita@far.example" in done.err
    gone = site("debug", "webfinger", "nobody@far.example")
    assert gone.code == 1 and "the handle's host" in gone.err
    assert "could not be reached" in site("debug", "webfinger", "x@none.example").err
    assert site("debug", "webfinger", "rita").code == 2
    site("domains", "block", "far.example")
    assert site("debug", "webfinger", "rita@far.example").code == 1


# ------------------------------------------------------------------------------------------------ fetch


def test_fetch_prints_what_is_there_and_says_why_not(site, played):
    peer = played.server("far.example")
    note = peer.note(peer.actor("rita"))
    assert orjson.loads(site("debug", "fetch", note["id"]).out)["content"] == "<p>Hello</p>"
    assert peer.asked[-1].headers["signature"]
    peer.answers["https://far.example/page"] = (200, "text/html", b"<p>")
    for url, word in (
        ("https://far.example/none", "404"),
        ("https://far.example/page", "type"),
        ("http://far.example/x", "scheme"),
        ("http://localhost:8000/ap/actor", ""),
    ):
        done = site("debug", "fetch", url)
        assert (done.code, done.out) == (1, ""), url
        assert word in done.err and "Traceback" not in done.err


# ------------------------------------------------------------------------------------------------ signatures


def request(actor, body=b'{"a": 1}', path="/ap/inbox", host="127.0.0.1:8000", change=lambda headers: headers):
    """A signed request as it comes over the wire."""
    url, kind, key = f"http://{host}{path}", {"Content-Type": ACTIVITY_JSON}, actor["publicKey"]["id"]
    headers = sign("POST", url, kind, body, key, pair()[1])
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in change(headers).items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def verified(site, played, folder):
    """Run the command on a request: exit code, and what was found out."""

    def run(raw, *more):
        (folder / "request").write_bytes(raw)
        done = site("debug", "verify-signature", "request", "--json", *more)
        return done.code, orjson.loads(done.out) if done.out else {}, done.err

    return run


def test_a_good_request_is_good(verified, played):
    rita = played.server("far.example").actor("rita")
    code, found, _ = verified(request(rita))
    assert code == 0
    assert (found["owner"], found["the key has signed it"]) == (rita["id"], "yes")
    assert verified(request(rita).replace(b"\r\n", b"\n"))[0] == 0


def test_each_fault_is_named(verified, played, folder):
    rita = played.server("far.example").actor("rita")
    old = {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    for raw, word in (
        (request(rita)[:-1] + b"!", "digest"),
        (request(rita, change=lambda headers: headers | old), "stale"),
        (request(rita).replace(b"/ap/inbox HTTP", b"/ap/other HTTP"), "signature"),
        (request(rita, host="other.example"), "host"),
        (b"POST /ap/inbox HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n{}", "missing"),
        (b"nonsense", "no request"),
        (b"", "no request"),
    ):
        code, found, said = verified(raw)
        assert code == 1 and word in said, (word, said)
        assert found.get("the key has signed it") in (None, "no")
    none = played.server("far.example").actor("none", id="https://far.example/users/other")
    assert verified(request(none))[0] == 1


def test_a_key_at_hand_and_the_day_of_the_request_can_be_given(verified, played, folder):
    rita = played.server("far.example").actor("rita")
    (folder / "key.pem").write_text(rita["publicKey"]["publicKeyPem"])
    assert verified(request(rita), "--key", "key.pem", "--as-sent")[0] == 0
    assert played.server("far.example").asked == []
    (folder / "key.pem").write_text("no key")
    assert "key" in verified(request(rita), "--key", "key.pem")[2]
    old = verified(
        request(rita, change=lambda headers: headers | {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}), "--as-sent"
    )
    assert "signature" in old[2]


# ------------------------------------------------------------------------------------------------ doctor


@pytest.fixture
def seen(site, monkeypatch):
    """What doctor finds when the site answers like this."""
    monkeypatch.setenv("FEDIBLOG__DOMAIN", "social.example")
    monkeypatch.setenv("FEDIBLOG__BASE_URL", "https://social.example")

    def look(webfinger, actor):
        async def fetch(url, accept):
            answer = webfinger if "webfinger" in url else actor
            if isinstance(answer, Exception):
                raise answer
            kind = media_type(JRD_JSON if "webfinger" in url else ACTIVITY_JSON)
            return Fetched(url, 200, {}, kind, orjson.dumps(answer))

        monkeypatch.setattr(outside.http, "fetch", fetch)
        found = {each["what"]: each for each in orjson.loads(site("doctor", "--json").out)}
        return found["WebFinger"], found["server actor"]

    return look


def test_doctor_looks_at_the_server_as_others_do(seen):
    ours = "https://social.example/ap/actor"
    good = seen({"links": [{"rel": "self", "href": ours}]}, {"id": ours})
    assert [each["grade"] for each in good] == ["good", "good"]
    other = seen({"links": [{"rel": "self", "href": "https://x.example"}, "x"]}, {"id": "https://x.example"})
    assert [each["grade"] for each in other] == ["bad", "bad"] and all(each["fix"] for each in other)
    assert [each["grade"] for each in seen(Unwelcome("status", 404), Unwelcome("type", 200))] == [
        "bad",
        "bad",
    ]
    assert [each["grade"] for each in seen(Unreachable("name"), Refused("private"))] == ["warning", "warning"]


def test_doctor_leaves_a_site_alone_that_does_not_federate(site, monkeypatch):
    found = {each["what"]: each for each in orjson.loads(site("doctor", "--json").out)}
    assert found["federation"]["words"].startswith("by plain http")
    monkeypatch.setenv("FEDIBLOG__FEDERATION__ENABLED", "false")
    found = {each["what"]: each for each in orjson.loads(site("doctor", "--json").out)}
    assert found["federation"]["words"] == "switched off"
