from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from fediblog import db, http, ids
from fediblog.activitypub import budgets, webfinger
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON
from fediblog.activitypub.webfinger import Handle
from fediblog.config import Config
from fediblog.errors import Forbidden, Malformed, NotFound
from fediblog.remembering import Recent
from fediblog.services import domains
from tests.harness.fediverse import Fediverse, Peer

pytestmark = pytest.mark.once

RITA = Handle("rita", "remote.example")
URI = "https://remote.example/users/rita"


def finger(peer: Peer, name: str, subject: str, actor: str, kind: str = ACTIVITY_JSON, **more: Any) -> None:
    """Let a server answer for `name` with this."""
    document = {"subject": subject, "links": [{"rel": "self", "type": kind, "href": actor}], **more}
    url = f"{peer.base}/.well-known/webfinger?resource=acct:{name}"
    peer.answers[url] = (200, JRD_JSON, orjson.dumps(document))


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webfinger, "_templates", Recent(1_000))
    monkeypatch.setattr(webfinger, "_plain", Recent(1_000))


@pytest.mark.parametrize(
    "text", ["rita@remote.example", "@rita@Remote.Example", " acct:rita@remote.example "]
)
def test_a_handle_is_read_as_people_write_it(text: str):
    assert webfinger.handle(text) == RITA


def test_a_handle_may_have_a_port_and_any_script():
    assert webfinger.handle("r.i-ta@Bücher.example:8000") == Handle("r.i-ta", "xn--bcher-kva.example:8000")


@pytest.mark.parametrize(
    "text",
    [
        "rita",
        "@rita",
        "rita@",
        "a b@c.example",
        "a@b@c.example",
        "rita@a.example/x",
        "https://a/@b",
        "a@ü..x",
    ],
)
def test_what_is_no_handle_is_none(text: str):
    assert webfinger.handle(text) is None


async def test_a_host_says_who_has_a_handle(fediverse: Fediverse):
    fediverse.server("remote.example").actor("Rita")
    found = await webfinger.ask(RITA)
    assert (found.subject, found.actor_uri) == (Handle("Rita", "remote.example"), URI.replace("rita", "Rita"))


async def test_who_is_not_there_is_not_found(fediverse: Fediverse):
    fediverse.server("remote.example")
    with pytest.raises(NotFound):
        await webfinger.ask(RITA)


async def test_a_host_that_is_away_is_no_verdict(fediverse: Fediverse):
    fediverse.server("remote.example").down = True
    with pytest.raises(http.Unreachable):
        await webfinger.ask(RITA)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", Malformed),
        (b"[]", Malformed),
        (b"{}", NotFound),
        (b'{"links": {"rel": "self"}}', NotFound),
        (b'{"links": [{"rel": "self", "type": "text/html", "href": "https://remote.example/"}]}', NotFound),
        (b'{"links": [{"rel": "self", "type": "application/activity+json"}]}', Forged),
        (
            b'{"links": [{"rel": "self", "type": "application/activity+json", "href": "javascript:x"}]}',
            Forged,
        ),
        (
            b'{"links": [{"rel": "self", "type": "application/activity+json",'
            b' "href": "http://localhost:8000/ap/accounts/1"}]}',
            Forged,
        ),
    ],
)
async def test_answers_that_are_none_are_refused(fediverse: Fediverse, body: bytes, error: type[Exception]):
    peer = fediverse.server("remote.example")
    peer.answers[f"{peer.base}/.well-known/webfinger?resource=acct:{RITA}"] = (200, JRD_JSON, body)
    with pytest.raises(error):
        await webfinger.ask(RITA)


async def test_pages_are_no_webfinger(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    peer.answers[f"{peer.base}/.well-known/webfinger?resource=acct:{RITA}"] = (200, "text/html", b"<p>Hi</p>")
    with pytest.raises(http.Unwelcome):
        await webfinger.ask(RITA)


_BLOCK = """
INSERT INTO domain_policy (id, domain, level, created_at) VALUES ($1, 'evil.example', 'suspend', 0)
"""


@pytest.mark.parametrize("domain", ["localhost:8000", "evil.example", "sub.evil.example"])
async def test_ours_and_blocked_servers_are_not_asked(fediverse: Fediverse, domain: str):
    async with db.transaction():
        await db.execute(_BLOCK, ids.new())
    domains.forget()
    peer = fediverse.server(domain)
    peer.actor("rita")
    with pytest.raises(Forbidden):
        await webfinger.ask(Handle("rita", domain))
    assert peer.asked == []


# ------------------------------------------------------------------------------------------------ host-meta


XRD = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><XRD><Link rel="lrdd" type="application/xrd+xml"'
    ' template="https://social.example/find?q={uri}&amp;x=1"/></XRD>'
)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/xrd+xml", XRD),
        (
            JRD_JSON,
            '{"links": [{"rel": "lrdd", "template": "https://social.example/find?q={uri}&x=1"}]}',
        ),
    ],
)
async def test_host_meta_says_where_webfinger_is(fediverse: Fediverse, kind: str, body: str):
    peer, social = fediverse.server("example.test"), fediverse.server("social.example")
    peer.answers["https://example.test/.well-known/host-meta"] = (200, kind, body.encode())
    answer = {
        "subject": "acct:rita@example.test",
        "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": URI}],
    }
    url = "https://social.example/find?q=acct:rita@example.test&x=1"
    social.answers[url] = (200, JRD_JSON, orjson.dumps(answer))
    assert (await webfinger.ask(Handle("rita", "example.test"))).actor_uri == URI
    asked = len(peer.asked)
    assert (await webfinger.ask(Handle("rita", "example.test"))).actor_uri == URI
    assert len(peer.asked) == asked  # The template is remembered.


@pytest.mark.parametrize(
    "template",
    [
        "https://remote.example/x",
        "https://localhost:8000/?{uri}",
        "file:///etc/passwd?{uri}",
        "{uri}",
        "{uri}{uri}",
    ],
)
async def test_templates_of_no_use_lead_nowhere(fediverse: Fediverse, template: str):
    peer = fediverse.server("remote.example")
    body = orjson.dumps({"links": [{"rel": "lrdd", "template": template}]})
    peer.answers["https://remote.example/.well-known/host-meta"] = (200, JRD_JSON, body)
    with pytest.raises((http.Outside, Forbidden, NotFound)):
        await webfinger.ask(RITA)


async def test_a_host_in_trouble_is_not_asked_for_host_meta(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    peer.answers[f"{peer.base}/.well-known/webfinger?resource=acct:{RITA}"] = (500, "text/plain", b"")
    with pytest.raises(http.Unwelcome):
        await webfinger.ask(RITA)
    assert len(peer.asked) == 1


@pytest.mark.parametrize("allowed", [False, True])
async def test_plain_http_is_asked_only_in_labs(
    configure: Callable[..., Config], database: None, allowed: bool
):
    config = configure(federation__allow_http=allowed)
    lab = Fediverse().server("lab.example:3000")
    uri = lab.handles["rita"] = "http://lab.example:3000/users/rita"
    lab.documents[uri] = {"preferredUsername": "rita"}

    tried: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.scheme)
        if request.url.scheme == "https":
            raise http.Unreachable("connection")
        return lab.answer(request)

    await http.open(config, transport=httpx.MockTransport(answer))
    try:
        if allowed:
            assert (await webfinger.ask(Handle("rita", lab.domain))).actor_uri == uri
            assert tried == ["https", "http"]
            # An actor with such an address says how its host speaks.
            assert await webfinger.confirm(uri, "rita") == Handle("rita", lab.domain)
            assert tried == ["https", "http", "http"]
        else:
            with pytest.raises(http.Unreachable):
                await webfinger.ask(Handle("rita", lab.domain))
    finally:
        await http.close()
    assert bool(lab.asked) is allowed


# ----------------------------------------------------------------------------------------- both directions


async def test_a_name_may_be_somebodys_and_a_communitys(fediverse: Fediverse):
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": f"https://remote.example/{c}/rita"} for c in "uc"]
    finger(fediverse.server("remote.example"), str(RITA), f"acct:{RITA}", "", links=links)
    assert (await webfinger.ask(RITA)).actor_uri == "https://remote.example/u/rita"
    for kind in "uc":
        assert await webfinger.confirm(f"https://remote.example/{kind}/rita", "rita") == RITA
    with pytest.raises(Forged):
        await webfinger.confirm("https://remote.example/x/rita", "rita")


async def test_a_handle_that_its_host_confirms_is_an_actors_own(fediverse: Fediverse):
    fediverse.server("remote.example").actor("rita")
    assert await webfinger.confirm(URI, "rita") == RITA


async def test_a_host_without_webfinger_confirms_nothing(fediverse: Fediverse):
    fediverse.server("remote.example")
    assert await webfinger.confirm(URI, "rita") is None


async def test_a_name_that_the_host_gives_to_another_actor_is_refused(fediverse: Fediverse):
    fediverse.server("remote.example").actor("rita")
    with pytest.raises(Forged):
        await webfinger.confirm("https://remote.example/users/fake", "rita")


async def test_a_split_domain_counts_when_both_say_so(fediverse: Fediverse):
    social, main = fediverse.server("social.remote.example"), fediverse.server("remote.example")
    uri = "https://social.remote.example/users/rita"
    finger(social, "rita@social.remote.example", "acct:rita@remote.example", uri)
    finger(main, "rita@remote.example", "acct:rita@remote.example", uri)
    assert await webfinger.confirm(uri, "rita") == RITA


@pytest.mark.parametrize(
    ("subject", "actor"),
    [
        ("acct:rita@remote.example", "https://remote.example/users/other"),
        ("acct:rita@third.example", "https://social.remote.example/users/rita"),
        ("acct:other@remote.example", "https://social.remote.example/users/rita"),
    ],
)
async def test_a_host_does_not_give_itself_another_hosts_name(fediverse: Fediverse, subject: str, actor: str):
    social, main = fediverse.server("social.remote.example"), fediverse.server("remote.example")
    uri = "https://social.remote.example/users/rita"
    finger(social, "rita@social.remote.example", "acct:rita@remote.example", uri)
    finger(main, "rita@remote.example", subject, actor)
    assert await webfinger.confirm(uri, "rita") is None


async def test_who_is_of_a_blocked_server_does_not_come_in_by_another_door(fediverse: Fediverse):
    """All handles of their server are of a domain that is blocked here: its own name is nobody's."""
    async with db.transaction():
        await db.execute(_BLOCK, ids.new())
    domains.forget()
    social, evil = fediverse.server("social.example"), fediverse.server("evil.example")
    uri = "https://social.example/users/rita"
    finger(social, "rita@social.example", "acct:rita@evil.example", uri)
    finger(evil, "rita@evil.example", "acct:rita@evil.example", uri)
    with pytest.raises(Forbidden):
        await webfinger.confirm(uri, "rita")
    assert evil.asked == []


async def test_a_host_does_not_give_itself_our_name(fediverse: Fediverse):
    finger(fediverse.server("remote.example"), str(RITA), "acct:rita@localhost:8000", URI)
    ours = fediverse.server("localhost:8000")
    assert await webfinger.confirm(URI, "rita") is None
    assert ours.asked == []


async def test_what_an_actor_says_of_its_handle_counts_when_that_host_says_so(fediverse: Fediverse):
    social, main = fediverse.server("social.remote.example"), fediverse.server("remote.example")
    uri = "https://social.remote.example/users/rita"
    finger(main, "rita@remote.example", "acct:rita@remote.example", uri)
    assert await webfinger.confirm(uri, "rita", "rita@remote.example") == RITA
    assert social.asked == []


@pytest.mark.parametrize(
    "claimed", ["ceo@good.example", "rita@good.example", "rita@split.example", "rita@localhost:8000", "x", ""]
)
async def test_what_an_actor_only_says_of_its_handle_does_not_count(fediverse: Fediverse, claimed: str):
    fediverse.server("remote.example").actor("rita")
    good = fediverse.server("good.example")
    good.actor("ceo")
    good.actor("rita")
    # Hands on to a third host, which knows nothing of it.
    finger(fediverse.server("split.example"), "rita@split.example", "acct:rita@good.example", URI)
    assert await webfinger.confirm(URI, "rita", claimed) == RITA


async def test_a_third_host_is_not_asked_again_and_again_for_a_claim(fediverse: Fediverse):
    fediverse.server("remote.example").actor("rita")
    third = fediverse.server("third.example")
    for _ in range(budgets.MOST_PER_HOST + 5):
        assert await webfinger.confirm(URI, "rita", "rita@third.example") == RITA
    # Each time for its WebFinger, and for where else it might have it.
    assert 0 < len(third.asked) <= 2 * budgets.MOST_PER_HOST


async def test_what_a_third_host_has_said_already_counts_however_often_it_was_named(fediverse: Fediverse):
    main, uri = fediverse.server("remote.example"), "https://social.remote.example/users/rita"
    finger(main, "rita@remote.example", "acct:rita@remote.example", uri)
    heard = await webfinger.ask(RITA)
    while budgets.memory().led.take("remote.example"):
        pass
    assert await webfinger.confirm(uri, "rita", "rita@remote.example", heard) == RITA
    assert len(main.asked) == 1


async def test_a_claim_on_a_host_that_is_away_is_let_be(fediverse: Fediverse):
    fediverse.server("remote.example").actor("rita")
    assert await webfinger.confirm(URI, "rita", "rita@away.example") == RITA


async def test_what_was_heard_already_is_not_asked_again(fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    peer.actor("rita")
    heard = await webfinger.ask(RITA)
    assert await webfinger.confirm(URI, "rita", heard=heard) == RITA
    assert len(peer.asked) == 1
