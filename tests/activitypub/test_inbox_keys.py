"""Whose key it is: asked of its own server, within bounds, and believed when its owner lists it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from quart import Quart

from fediblog import db, moments, remembering
from fediblog.activitypub import actor_keys
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, CONTEXT, PUBLIC
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import dropped
from tests.activitypub.test_inbox_door import other_pair, rows, send, unchanged
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import pair, remote
from tests.tasks.conftest import until

# What they say to the database is tried on both by their neighbours.
pytestmark = pytest.mark.once


@pytest.fixture
def app(config: Config, database: None) -> Quart:
    return apps.shared(config)


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


def said(peer: Peer, actor: Node) -> Node:
    """Something small by an actor."""
    return peer.activity("Create", actor, peer.note(actor))


def asked(peer: Peer, path: str) -> int:
    return sum(request.url.path == path for request in peer.asked)


def answering(peer: Peer, url: str, answer: Callable[[httpx.Request], Any]) -> None:
    """Let a function answer for one address: redirects, and what takes its time."""
    before = peer.answer
    peer.answer = lambda request: answer(request) if str(request.url) == url else before(request)  # type: ignore


# -------------------------------------------------------------------------------------------- asking for it


async def test_the_key_of_a_stranger_is_asked_for_once(app, peer):
    rita = peer.actor("rita")
    assert await send(app, rita, said(peer, rita)) == 202
    assert await send(app, rita, said(peer, rita)) == 202
    assert asked(peer, "/users/rita") == 1
    assert "Signature" in {name.title() for name in peer.asked[0].headers}
    assert (await Account.get(uri=rita["id"])).key_id == rita["publicKey"]["id"]


async def test_many_who_need_the_same_key_ask_together(app, peer):
    rita = peer.actor("rita")
    statuses = await asyncio.gather(*(send(app, rita, said(peer, rita)) for _ in range(6)))
    assert set(statuses) == {202}
    assert asked(peer, "/users/rita") == 1


async def test_a_key_with_an_address_of_its_own_that_shows_its_owner_is_taken(app, peer):
    """GoToSocial's: `/users/gus/main-key` answers with the stub of an actor."""
    gus = peer.actor("gus")
    gus["publicKey"]["id"] = f"{gus['id']}/main-key"
    stub = {name: gus[name] for name in ("@context", "id", "type", "preferredUsername", "publicKey")}
    peer.answers[gus["publicKey"]["id"]] = (200, ACTIVITY_JSON, orjson.dumps(stub))
    assert await send(app, gus, said(peer, gus)) == 202


async def test_a_bare_key_is_taken_when_its_owner_lists_it(app, peer):
    ben = peer.actor("ben")
    ben["publicKey"]["id"] = f"{peer.base}/keys/1"
    peer.keep({"@context": CONTEXT, "type": "Key", **ben["publicKey"]})
    assert await send(app, ben, said(peer, ben)) == 202


async def test_an_actor_may_give_only_the_address_of_its_key(app, peer):
    ben = peer.actor("ben")
    ben["publicKey"]["id"] = f"{peer.base}/keys/1"
    peer.keep({"@context": CONTEXT, "type": "Key", **ben["publicKey"]})
    peer.keep({**ben, "publicKey": f"{peer.base}/keys/1"})
    assert [await send(app, ben, said(peer, ben)) for _ in range(2)] == [202, 202]
    assert asked(peer, "/users/ben") <= 2


async def test_an_actor_may_have_several_keys(app, peer):
    sue = peer.actor("sue")
    first = {"id": f"{sue['id']}#first", "owner": sue["id"], "publicKeyPem": other_pair()[0]}
    second = sue["publicKey"]
    peer.keep({**sue, "publicKey": [first, second]})
    assert await send(app, sue, said(peer, sue)) == 202
    before = len(peer.asked)
    assert await send(app, sue, said(peer, sue)) == 202
    assert len(peer.asked) == before


# -------------------------------------------------------------------------------------- what is not believed


async def test_a_key_that_its_owner_does_not_list_is_refused(app, peer):
    rita = peer.actor("rita")
    for key_id in (f"{rita['id']}#other", f"{peer.base}/keys/1"):
        peer.keep({"id": key_id, "type": "Key", "owner": rita["id"], "publicKeyPem": pair()[0]})
        assert await send(app, rita, said(peer, rita), key_id=key_id) == 401
    assert await unchanged()


async def test_a_key_on_another_host_than_its_owners_is_refused(app, peer, fediverse):
    rita = peer.actor("rita")
    evil = fediverse.server("evil.example")
    key_id = f"{evil.base}/keys/1"
    evil.keep({"id": key_id, "type": "Key", "owner": rita["id"], "publicKeyPem": pair()[0]})
    assert await send(app, rita, said(peer, rita), key_id=key_id) == 401
    peer.keep({**rita, "publicKey": {"id": key_id, "owner": rita["id"], "publicKeyPem": pair()[0]}})
    assert await send(app, rita, said(peer, rita), key_id=key_id) == 401
    assert await unchanged()


async def test_a_row_that_claims_a_key_of_another_host_is_not_believed(app, peer, fediverse):
    vera = fediverse.server("victim.example").actor("vera")
    await remote("eve", "remote.example", key_id=vera["publicKey"]["id"])
    eve = peer.actor("eve")
    assert await send(app, eve, said(peer, eve), key_id=vera["publicKey"]["id"]) == 202
    [hint] = await rows()
    assert (hint["actor_uri"], hint["uri"].partition(":")[0]) == (vera["id"], "passed-on")


async def test_a_key_that_names_another_owner_is_refused(app, peer):
    rita = peer.actor("rita")
    peer.actor("nora")
    peer.keep({**rita, "publicKey": {**rita["publicKey"], "owner": f"{peer.base}/users/nora"}})
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/plain", "application/ld+json"])
async def test_what_is_served_as_something_else_is_no_key(app, peer, kind):
    rita = peer.actor("rita")
    peer.answers[rita["id"]] = (200, kind, orjson.dumps(rita))
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b"\xff", b"[" * 10_000, b'{"id":"' + b"x" * 2_000_000 + b'"}'],
    ids=["html", "list", "empty", "binary", "deep", "huge"],
)
async def test_a_broken_document_is_no_key(app, peer, body):
    rita = peer.actor("rita")
    peer.answers[rita["id"]] = (200, ACTIVITY_JSON, body)
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


async def test_a_redirect_to_another_origin_leads_to_no_key(app, peer, fediverse):
    rita = peer.actor("rita")
    evil = fediverse.server("evil.example")
    evil.answers[f"{evil.base}/rita"] = (200, ACTIVITY_JSON, orjson.dumps(rita))
    to_evil = httpx.Response(302, headers={"Location": f"{evil.base}/rita"})
    answering(peer, rita["id"], lambda request: to_evil)
    assert await send(app, rita, said(peer, rita)) == 401
    eve = evil.actor("eve")
    answering(peer, rita["id"], lambda r: httpx.Response(302, headers={"Location": eve["id"]}))
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


async def test_a_document_that_names_another_id_is_no_key(app, peer, fediverse):
    rita = peer.actor("rita")
    vera = fediverse.server("victim.example").actor("vera")
    peer.answers[rita["id"]] = (200, ACTIVITY_JSON, orjson.dumps({**rita, "id": vera["id"]}))
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


async def test_a_weak_key_is_refused(app, peer):
    rita = peer.actor("rita")
    for pem in ("", "-----BEGIN PUBLIC KEY-----", WEAK):
        peer.keep({**rita, "publicKey": {**rita["publicKey"], "publicKeyPem": pem}})
        assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


WEAK = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""


# ------------------------------------------------------------------------------------------------- bounds


async def test_who_gave_no_key_is_not_asked_again_for_a_while(app, peer, monkeypatch):
    rita = peer.actor("rita")
    peer.answers[rita["id"]] = (404, "text/plain", b"")
    for _ in range(3):
        assert await send(app, rita, said(peer, rita)) == 401
    assert asked(peer, "/users/rita") == 1
    del peer.answers[rita["id"]]
    now = remembering.time.monotonic()
    for hours, status in ((1, 401), (6.1, 202)):
        monkeypatch.setattr(remembering.time, "monotonic", lambda hours=hours: now + hours * 3600)
        assert await send(app, rita, said(peer, rita)) == status


async def test_who_was_not_reached_is_asked_again_after_ten_minutes(app, peer, monkeypatch):
    rita = peer.actor("rita")
    peer.down = True
    for _ in range(2):
        assert await send(app, rita, said(peer, rita)) == 401
    assert len(peer.asked) == 1
    peer.down = False
    now = remembering.time.monotonic()
    monkeypatch.setattr(remembering.time, "monotonic", lambda: now + 601)
    assert await send(app, rita, said(peer, rita)) == 202


async def test_a_server_that_does_not_answer_is_not_waited_for(app, peer, monkeypatch):
    monkeypatch.setattr(actor_keys, "_SECONDS", 0.05)
    rita = peer.actor("rita")

    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    answering(peer, rita["id"], never)
    assert await send(app, rita, said(peer, rita)) == 401
    assert await unchanged()


class Slow:
    """Answers when it is let go, and counts who waits."""

    def __init__(self, peer: Peer) -> None:
        self.go = asyncio.Event()
        self.waiting = self.most = 0
        self._answer = peer.answer
        peer.answer = self  # type: ignore

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.go.wait()
        self.waiting -= 1
        return self._answer(request)


async def test_two_keys_of_one_server_are_asked_for_at_a_time_and_few_wait(app, peer, fediverse):
    people = [peer.actor(f"p{number}") for number in range(12)]
    slow = Slow(peer)
    requests = [asyncio.create_task(send(app, each, said(peer, each))) for each in people]
    late = asyncio.as_completed(requests)
    turned_away = [await next(late) for _ in range(4)]
    assert turned_away == [503] * 4
    assert slow.most <= 2
    other = fediverse.server("other.example")
    olga = other.actor("olga")
    assert await send(app, olga, said(other, olga)) == 202
    slow.go.set()
    assert sorted(await asyncio.gather(*requests)) == [202] * 8 + [503] * 4
    assert slow.most <= 2


async def test_twenty_keys_are_asked_for_at_a_time(app, fediverse):
    peers = [fediverse.server(f"s{number}.example") for number in range(30)]
    slow = [Slow(each) for each in peers]
    people = [each.actor("p") for each in peers]
    requests = [
        asyncio.create_task(send(app, actor, said(each, actor)))
        for each, actor in zip(peers, people, strict=True)
    ]
    await until(lambda: sum(each.waiting for each in slow) == 20)
    await asyncio.sleep(0.02)
    assert sum(each.waiting for each in slow) == 20
    for each in slow:
        each.go.set()
    assert set(await asyncio.gather(*requests)) == {202}


# ------------------------------------------------------------------------------------------------ new keys


async def test_a_key_that_was_changed_is_asked_for_once_more(app, peer):
    await remote("rita", "remote.example", public_key=other_pair()[0])
    rita = peer.actor("rita")
    assert await send(app, rita, said(peer, rita)) == 202
    assert asked(peer, "/users/rita") == 1
    assert (await Account.get(uri=rita["id"])).public_key == pair()[0]


async def test_a_key_id_that_was_changed_is_found(app, peer):
    await remote("rita", "remote.example", public_key=other_pair()[0])
    rita = peer.actor("rita")
    rita["publicKey"]["id"] = f"{rita['id']}#key-2"
    assert await send(app, rita, said(peer, rita)) == 202


async def test_bad_signatures_cause_one_request_in_five_minutes(app, peer, monkeypatch):
    await remote("rita", "remote.example")
    rita = peer.actor("rita")
    secret = other_pair()[1]
    for _ in range(3):
        assert await send(app, rita, said(peer, rita), secret=secret) == 401
    assert asked(peer, "/users/rita") == 1
    now = remembering.time.monotonic()
    monkeypatch.setattr(remembering.time, "monotonic", lambda: now + 301)
    assert await send(app, rita, said(peer, rita), secret=secret) == 401
    assert asked(peer, "/users/rita") == 2
    assert await unchanged()


async def test_a_bad_signature_while_the_server_is_away_does_no_harm_to_its_owner(app, peer):
    await remote("rita", "remote.example")
    rita = peer.actor("rita")
    peer.down = True
    assert await send(app, rita, said(peer, rita), secret=other_pair()[1]) == 401
    assert await send(app, rita, said(peer, rita)) == 202


async def test_a_key_that_another_process_has_stored_is_seen_at_once(app, peer):
    account = await remote("rita", "remote.example", public_key=other_pair()[0])
    rita = peer.actor("rita")
    await actor_keys.find(rita["publicKey"]["id"])
    await Account.filter(id=account.id).update(public_key=pair()[0])
    assert await send(app, rita, said(peer, rita)) == 202
    assert peer.asked == []


async def test_what_a_key_signs_is_looked_up_by_index(explain):
    sql = "SELECT id FROM account WHERE NOT local AND key_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT 10"
    plan = "\n".join(await explain(sql, "x"))
    assert db.dialect() == "postgres" or "account_key" in plan


# ------------------------------------------------------------------------------------------- who says goodbye


def goodbye(peer: Peer, actor: Node) -> Node:
    return peer.activity("Delete", actor, actor["id"], to=[PUBLIC])


async def test_the_goodbye_of_a_stranger_costs_nothing(app, peer):
    rita = peer.actor("rita")
    embedded = {**goodbye(peer, rita), "object": {"id": rita["id"], "type": "Person"}}
    assert await send(app, rita, goodbye(peer, rita)) == 202
    assert await send(app, rita, embedded) == 202
    assert peer.asked == []
    assert await unchanged()
    today = moments.day(moments.now())
    assert await dropped.numbers(today, today) == {"goodbye of a stranger": 2}


async def test_a_goodbye_is_proven_by_the_key_that_we_know(app, peer):
    await remote("rita", "remote.example")
    rita = peer.actor("rita")
    peer.answers[rita["id"]] = (410, "text/plain", b"")
    assert await send(app, rita, goodbye(peer, rita)) == 202
    assert peer.asked == []
    assert len(await rows()) == 1


async def test_a_goodbye_that_fits_no_key_is_believed_when_its_server_says_so(app, peer):
    await remote("rita", "remote.example", public_key=other_pair()[0])
    rita = peer.actor("rita")
    peer.answers[rita["id"]] = (410, "text/plain", b"")
    assert await send(app, rita, goodbye(peer, rita)) == 202
    [row] = await rows()
    assert row["actor_uri"] == rita["id"]


async def test_a_goodbye_is_not_believed_while_its_actor_is_there_or_just_not_found(app, peer):
    await remote("rita", "remote.example")
    rita = peer.actor("rita")
    secret = other_pair()[1]
    assert await send(app, rita, goodbye(peer, rita), secret=secret) == 401
    await remote("nora", "remote.example")
    nora = peer.actor("nora")
    peer.answers[nora["id"]] = (404, "text/plain", b"")
    assert await send(app, nora, goodbye(peer, nora), secret=secret) == 401
    assert await rows() == []


async def test_that_somebody_else_is_gone_proves_nothing(app, peer):
    """`/users/ritas` is gone; who signs with that key says that `/users/rita` is."""
    await remote("rita", "remote.example")
    rita = peer.actor("rita")
    for gone in ("ritas", "rita/main", "nora"):
        uri = f"{peer.base}/users/{gone}"
        peer.answers[uri] = (410, "text/plain", b"")
        for key_id in (f"{uri}#main-key", f"{uri}/main-key"):
            peer.answers[key_id] = (410, "text/plain", b"")
            assert await send(app, rita, goodbye(peer, rita), key_id=key_id) == 401
    assert await rows() == []


async def test_nobody_says_goodbye_for_others(app, peer):
    await remote("rita", "remote.example")
    await remote("nora", "remote.example")
    rita, nora = peer.actor("rita"), peer.actor("nora")
    assert await send(app, nora, goodbye(peer, rita)) in (202, 403)
    assert all(row["uri"].startswith("passed-on:") for row in await rows())
