"""The inbox from outside: who is let in, and everything that is not. What is refused changes nothing."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest
from quart import Quart

from fediblog import db, keys, moments, reserve
from fediblog.activitypub.inbox import arrivals, intake, reading_in
from fediblog.activitypub.inbox.intake import Intake
from fediblog.activitypub.signatures import Scheme, sign
from fediblog.activitypub.signatures.digests import digest
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fediblog.app import create_app
from fediblog.config import Config, settings
from fediblog.errors import Unavailable
from fediblog.models import Account
from fediblog.services import domains, inbox_items
from fediblog.services.inbox_items import New
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import pair, person, remote

# What they say to the database is tried on both by their neighbours.
pytestmark = pytest.mark.once

HERE = "http://localhost:8000"
other_pair = cache(keys.new_pair)


@pytest.fixture
def app(config: Config, database: None) -> Quart:
    return apps.shared(config)


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
async def rita(peer: Peer) -> Node:
    """Somebody elsewhere whom we know, with her key."""
    await remote("rita", "remote.example")
    return peer.actor("rita")


@pytest.fixture
def create(peer: Peer, rita: Node) -> Node:
    return peer.activity("Create", rita, peer.note(rita))


async def rows() -> list[dict[str, Any]]:
    return await db.rows("SELECT * FROM inbox_item ORDER BY id")


async def unchanged() -> bool:
    """Nothing was kept, and nobody new is known."""
    counts = [await db.value(f"SELECT count(*) FROM {table}") for table in ("inbox_item", "post", "follow")]
    return counts == [0, 0, 0]


def name_of(activity: Node, signer: Node) -> str:
    """The name of one whose address does not begin with that of who has signed it."""
    return f"{activity['id']} by {signer['id']}"


def signed(
    actor: Node, body: bytes, inbox: str = "/ap/inbox", origin: str = HERE, **options: Any
) -> dict[str, str]:
    key_id = options.pop("key_id", actor["publicKey"]["id"])
    secret = options.pop("secret", pair()[1])
    return sign("POST", origin + inbox, {"Content-Type": ACTIVITY_JSON}, body, key_id, secret, **options)


async def post(app: Quart, body: bytes, headers: dict[str, str], inbox: str = "/ap/inbox") -> Any:
    return await app.test_client().post(inbox, data=body, headers=headers)


async def send(app: Quart, actor: Node, body: Node | bytes, **options: Any) -> int:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    inbox = options.get("inbox", "/ap/inbox")
    return (await post(app, raw, signed(actor, raw, **options), inbox)).status_code


# ------------------------------------------------------------------------------------------- who is let in


@pytest.mark.parametrize("scheme", [Scheme.CAVAGE, Scheme.RFC9421])
async def test_what_is_signed_is_kept_and_acknowledged(app, peer, rita, create, scheme):
    assert await peer.send(app, rita, create, scheme=scheme) == 202
    [row] = await rows()
    assert (row["uri"], row["actor_uri"], row["state"]) == (name_of(create, rita), rita["id"], "due")
    assert orjson.loads(bytes(row["body"])) == create


async def test_a_follow_that_is_named_as_the_one_before_is_another(app, peer, rita, monkeypatch):
    alice = await person("alice")
    follow = peer.activity("Follow", rita, alice.uri, id=f"{peer.base}/follows/rita/alice")
    for seconds in (0, 0, 60):
        later = moments.now() + seconds * moments.SECOND
        monkeypatch.setattr(moments, "now", lambda later=later: later)
        assert await peer.send(app, rita, follow) == 202
    # The second is a replay: its signature is that of the first.
    assert len(await rows()) == 2


async def test_a_pin_that_looks_as_the_one_before_is_another(app, peer, rita, monkeypatch):
    pin = peer.activity("Add", rita, f"{peer.base}/posts/1", target=f"{rita['id']}/featured", id=None)
    for seconds in (0, 0, 60):
        later = moments.now() + seconds * moments.SECOND
        monkeypatch.setattr(moments, "now", lambda later=later: later)
        assert await peer.send(app, rita, pin) == 202
    assert len(await rows()) == 2


async def test_edits_that_are_named_as_the_post_are_known_by_what_they_say(app, peer, rita, create):
    """GoToSocial has one name for all updates of a post, WriteFreely one for everything about it."""
    note = create["object"]
    edits = [
        peer.activity("Update", rita, {**note, "content": f"<p>{text}</p>"}, id=create["id"])
        for text in ("One", "Two", "One")
    ]
    end = peer.activity("Delete", rita, note["id"], id=create["id"])
    for activity in (create, *edits, end, end):
        assert await peer.send(app, rita, activity) == 202
    assert [orjson.loads(bytes(row["body"])) for row in await rows()] == [create, *edits[:2], end]


async def test_the_same_activity_twice_is_one_row(app, peer, rita, create):
    assert [await peer.send(app, rita, create) for _ in range(2)] == [202, 202]
    assert len(await rows()) == 1


async def test_the_same_activity_many_times_at_once_is_one_row(app, peer, rita, create):
    statuses = await asyncio.gather(*(peer.send(app, rita, create) for _ in range(20)))
    assert set(statuses) == {202}
    assert len(await rows()) == 1


async def test_many_at_once_are_all_kept(app, peer, rita):
    made = [peer.activity("Like", rita, f"{HERE}/ap/posts/{n}") for n in range(40)]
    statuses = await asyncio.gather(*(peer.send(app, rita, each) for each in made))
    assert set(statuses) == {202}
    assert {row["uri"] for row in await rows()} == {name_of(each, rita) for each in made}


async def test_an_activity_without_a_name_is_known_by_its_bytes(app, peer, rita):
    body = orjson.dumps({"type": "Like", "actor": rita["id"], "object": f"{HERE}/ap/posts/1"})
    assert [await peer.send(app, rita, body) for _ in range(2)] == [202, 202]
    [row] = await rows()
    assert row["uri"] == f"sha256:{hashlib.sha256(body).hexdigest()} by {rita['id']}"


async def test_each_of_us_has_an_inbox_and_so_has_the_server(app, alice, peer, rita):
    inboxes = [f"/ap/accounts/{alice.id}/inbox", "/ap/actor/inbox", "/ap/inbox"]
    statuses = [
        await peer.send(app, rita, peer.activity("Follow", rita, alice.uri), inbox=inbox) for inbox in inboxes
    ]
    assert statuses == [202, 202, 202]


async def test_a_query_is_part_of_what_is_signed(app, peer, rita, create):
    assert await send(app, rita, create, inbox="/ap/inbox?from=relay") == 202


async def test_other_ways_to_say_the_media_type_are_read(app, rita, create):
    body = orjson.dumps(create)
    for kind in (LD_JSON, "application/ld+json", "application/json; charset=utf-8"):
        assert (await post(app, body, signed(rita, body) | {"Content-Type": kind})).status_code == 202


# ----------------------------------------------------------------------------------------------- addresses


async def test_nobody_has_the_inbox_of_somebody_who_is_not_here(app, peer, rita, create):
    elsewhere = await Account.get(uri=rita["id"])
    for inbox in (f"/ap/accounts/{elsewhere.id}/inbox", "/ap/accounts/77/inbox"):
        assert await peer.send(app, rita, create, inbox=inbox) == 404
    assert await unchanged()


async def test_the_inbox_of_somebody_who_left_is_gone(app, peer, rita, create):
    left = await person("left", deleted_at=moments.now())
    assert await peer.send(app, rita, create, inbox=f"/ap/accounts/{left.id}/inbox") == 410
    assert await unchanged()


async def test_without_federation_there_is_no_inbox(configure, database, peer, rita, create):
    app = create_app(configure(federation__enabled=False), open_house=False)
    assert await send(app, rita, create) == 404
    assert await unchanged()


async def test_only_posting_comes_to_the_door(app):
    client = app.test_client()
    assert (await client.put("/ap/inbox")).status_code in (404, 405)
    assert (await client.post("/ap/outbox")).status_code in (404, 405)


# ------------------------------------------------------------------------------------- signatures that lie


async def test_an_unsigned_request_is_refused(app, create):
    answer = await post(app, orjson.dumps(create), {"Content-Type": ACTIVITY_JSON})
    assert answer.status_code == 401
    assert "signed" in (await answer.get_json())["error"]
    assert answer.headers["x-request-id"]
    assert await unchanged()


async def test_a_body_that_was_changed_under_way_is_refused(app, peer, rita, create):
    headers = signed(rita, orjson.dumps(create))
    other = orjson.dumps({**create, "type": "Like"})
    assert (await post(app, other, headers)).status_code == 401
    assert (await post(app, other, headers | {"Digest": digest(other)})).status_code == 401
    assert await unchanged()


async def test_a_stale_request_is_refused_and_one_from_the_future(app, rita, create):
    for hours in (-13, 2):
        assert await send(app, rita, create, now=moments.now() + hours * moments.HOUR) == 401
    assert await unchanged()


async def test_a_request_for_another_path_is_refused(app, alice, rita, create):
    body = orjson.dumps(create)
    headers = signed(rita, body, inbox=f"/ap/accounts/{alice.id}/inbox")
    assert (await post(app, body, headers)).status_code == 401
    assert (await post(app, body, signed(rita, body), "/ap/inbox?x=1")).status_code == 401
    assert await unchanged()


async def test_a_request_for_another_host_is_refused(app, rita, create):
    body = orjson.dumps(create)
    elsewhere = signed(rita, body, origin="https://other.example")
    assert (await post(app, body, elsewhere)).status_code == 401
    assert (await post(app, body, elsewhere | {"Host": "localhost:8000"})).status_code == 401
    assert await unchanged()


async def test_a_signature_by_another_key_is_refused(app, peer, rita, create):
    assert await send(app, rita, create, secret=other_pair()[1]) == 401
    assert await unchanged()


async def test_a_key_of_ours_signs_for_nobody_from_outside(app, alice, rita, create):
    asked = {**create, "actor": alice.uri}
    assert await send(app, rita, create, key_id=alice.key_id) == 401
    assert await send(app, rita, asked, key_id=alice.key_id) in (401, 403)
    assert await unchanged()


async def test_who_names_a_key_that_is_no_address_is_refused(app, rita, create):
    for key_id in ("acct:rita@remote.example", "rita", "https://", "https://remote.example:0/x"):
        assert await send(app, rita, create, key_id=key_id) == 401
    assert await unchanged()


# --------------------------------------------------------------------------------- who speaks for others


async def test_nobody_acts_for_somebody_else(app, peer, rita, alice):
    neighbour = peer.actor("nora")
    await remote("nora", "remote.example")
    victim = await remote("vera", "victim.example")
    for actor in (neighbour["id"], victim.uri, alice.uri):
        for kind in ("Follow", "Like", "Undo", "Accept", "Block", "Move", "Add", "Flag", "Announce"):
            forged = peer.activity(kind, rita, alice.uri) | {"actor": actor}
            assert await send(app, rita, forged) == 403, (actor, kind)
    assert await unchanged()


async def test_a_name_on_our_own_domain_is_refused(app, rita, create):
    assert await send(app, rita, {**create, "id": f"{HERE}/ap/activities/1"}) == 403
    assert await send(app, rita, {**create, "id": "https://localhost:8000/ap/activities/1"}) == 403
    assert await unchanged()


async def test_a_name_on_another_host_than_the_actors_is_refused(app, rita, create):
    for uri in ("https://other.example/1", "https://remote.example:444/1", "http://remote.example/1", "x"):
        assert await send(app, rita, {**create, "id": uri}) == 403
    assert await unchanged()


async def test_what_is_passed_on_for_others_is_a_hint_and_takes_no_name_away(app, peer, fediverse, rita):
    far = fediverse.server("far.example")
    olga = far.actor("olga")
    theirs = far.activity("Create", olga, far.note(olga))
    assert await send(app, rita, theirs) == 202
    [hint] = await rows()
    assert hint["actor_uri"] == rita["id"]
    assert hint["uri"] == "passed-on:sha256:" + hashlib.sha256(orjson.dumps(theirs)).hexdigest()
    await remote("olga", "far.example")
    assert await send(app, olga, theirs) == 202
    assert {row["uri"] for row in await rows()} == {hint["uri"], name_of(theirs, olga)}


async def test_a_neighbour_does_not_take_the_name_that_an_activity_will_have(app, peer, rita, create):
    nora = peer.actor("nora")
    theirs = {**peer.activity("Like", nora, f"{HERE}/ap/posts/1"), "id": create["id"]}
    assert [await send(app, nora, theirs), await send(app, rita, create)] == [202, 202]
    assert {row["actor_uri"] for row in await rows()} == {nora["id"], rita["id"]}


async def test_what_is_passed_on_must_be_its_actors_own(app, peer, rita, alice, fediverse):
    far = fediverse.server("far.example")
    olga = far.actor("olga")
    for thing in (f"{HERE}/ap/posts/1", "https://third.example/notes/1", {"type": "Note"}):
        assert await send(app, rita, far.activity("Create", olga, thing)) == 403
    assert await unchanged()


# ------------------------------------------------------------------------------------------- blocked ones


async def test_a_blocked_server_is_refused_and_nothing_is_fetched(app, fediverse, peer):
    await _block("blocked.example")
    blocked = fediverse.server("below.blocked.example")
    eve = blocked.actor("eve")
    assert await send(app, eve, blocked.activity("Create", eve, blocked.note(eve))) == 403
    carol = peer.actor("carol")
    assert await send(app, carol, peer.activity("Like", carol, "x") | {"actor": eve["id"]}) == 403
    assert blocked.asked == [] and peer.asked == []
    assert await unchanged()


async def test_who_is_suspended_here_is_refused(app, peer):
    await remote("sid", "remote.example", suspended_at=moments.now())
    sid = peer.actor("sid")
    assert await send(app, sid, peer.activity("Create", sid, peer.note(sid))) == 403
    assert await unchanged()


async def _block(domain: str) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, $1, 'suspend', 1)", domain
        )
    domains.forget()


# ------------------------------------------------------------------------------------- bodies and headers


async def test_a_compressed_body_is_refused(app, rita, create):
    body = gzip.compress(orjson.dumps(create))
    answer = await post(app, body, signed(rita, body) | {"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert await unchanged()


async def test_other_types_are_refused(app, rita, create):
    body = orjson.dumps(create)
    for kind in (
        "text/html",
        "application/x-www-form-urlencoded",
        "",
        "text/html; a=application/activity+json",
    ):
        assert (await post(app, body, signed(rita, body) | {"Content-Type": kind})).status_code == 415
    assert await unchanged()


def _deep(levels: int) -> bytes:
    return b'{"type":"Like","object":' + b"[" * levels + b"]" * levels + b"}"


HOSTILE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "half of it": b'{"type": "Cre',
    "a list": b"[1]",
    "a number": b"1",
    "depth 33": _deep(33),
    "depth 10,000": _deep(10_000),
    "100,000 tags": b'{"type":"Create","tag":[' + b'{"a":1},' * 100_000 + b"1]}",
    "a name twice": b'{"type":"Like","actor":"https://remote.example/users/rita","type":"Follow"}',
    "invalid UTF-8": b'{"type":"Like\xff"}',
    "UTF-16": '{"type":"Like"}'.encode("utf-16"),
    "half a surrogate": b'{"type":"Like\\ud800"}',
    "a huge number": b'{"type":"Like","x":' + b"9" * 100_000 + b"}",
    "not a number": b'{"type":"Like","x":NaN}',
    "a graph": b'{"@graph":[{"type":"Like"}]}',
    "no type": b'{"actor":"https://remote.example/users/rita","object":"x"}',
    "a type that is a list": b'{"type":[],"actor":"https://remote.example/users/rita"}',
    "no actor": b'{"type":"Like","object":"x"}',
    "several actors": b'{"type":"Like","actor":["https://remote.example/users/rita","https://a.example/b"]}',
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused(app, rita, name):
    assert await send(app, rita, HOSTILE[name]) == 400
    assert await unchanged()


async def test_an_actor_that_is_no_address_is_refused(app, rita):
    for actor in ("x", "ftp://remote.example/a", "https://remote.example\\@evil.example/", "javascript:1"):
        body = {"type": "Like", "actor": actor, "object": "x"}
        assert await send(app, rita, body) in (400, 403)
    assert await unchanged()


class Sender:
    """A client that sends a body piece by piece, and counts how many pieces were wanted before the answer."""

    def __init__(self, app: Quart, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.taken = 0
        self.taken_before_answer = -1
        self.status = 0
        self.answer: dict[str, str] = {}

    async def send(self, piece: bytes, times: int) -> None:
        async def receive() -> dict[str, Any]:
            self.taken += 1
            await asyncio.sleep(0)
            return {"type": "http.request", "body": piece, "more_body": self.taken < times}

        await self.exchange(receive)

    async def exchange(self, receive: Callable[[], Any]) -> None:
        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status, self.taken_before_answer = message["status"], self.taken
                self.answer = {name.decode(): value.decode() for name, value in message["headers"]}

        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": "POST",
            "path": "/ap/inbox",
            "raw_path": b"/ap/inbox",
            "query_string": b"",
            "headers": self._headers,
            "client": ("192.0.2.1", 1),
        }
        await self._app.asgi_app(scope, receive, answer)


MEGABYTE = 1024 * 1024


async def test_a_body_of_200_megabytes_is_refused_before_it_is_read(app, rita):
    headers = {"Content-Type": ACTIVITY_JSON, "Content-Length": str(200 * MEGABYTE)}
    sender = Sender(app, headers)
    await sender.send(b" " * MEGABYTE, 200)
    assert (sender.status, sender.taken_before_answer) == (413, 0)
    assert await unchanged()


async def test_a_body_without_a_length_is_cut_off_at_its_budget(app, rita):
    sender = Sender(app, {"Content-Type": ACTIVITY_JSON})
    await sender.send(b" " * 100_000, 2_000)
    assert sender.status == 413
    assert sender.taken_before_answer <= 11
    assert await unchanged()


async def test_a_length_that_is_none_is_refused(app):
    sender = Sender(app, {"Content-Type": ACTIVITY_JSON, "Content-Length": "9" * 5_000})
    await sender.send(b"{}", 1)
    assert sender.status == 413


async def test_a_body_that_never_comes_is_not_waited_for(app, monkeypatch):
    monkeypatch.setattr(reading_in, "_SECONDS", 0.01)
    monkeypatch.setattr("fediblog.entrance._SILENCE", 0.01)
    sender = Sender(app, {"Content-Type": ACTIVITY_JSON})
    await sender.exchange(asyncio.Event().wait)
    assert sender.status == 408


async def test_who_goes_away_in_the_middle_gets_no_answer(app):
    sender = Sender(app, {"Content-Type": ACTIVITY_JSON})

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    await sender.exchange(receive)
    assert sender.status == 0


# ------------------------------------------------------------------------------------------------ shedding


async def test_above_its_room_the_inbox_says_when_to_come_again(app, rita, create, monkeypatch):
    monkeypatch.setattr(reading_in, "MOST_AT_ONCE", 0)
    body = orjson.dumps(create)
    answer = await post(app, body, signed(rita, body))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert await unchanged()


async def test_large_bodies_are_few_at_a_time(app, peer, rita, monkeypatch):
    monkeypatch.setattr(reading_in, "_MOST_LARGE", 0)
    note = peer.note(rita, "x" * 100_000)
    assert await send(app, rita, peer.activity("Create", rita, note)) == 503
    assert await send(app, rita, peer.activity("Create", rita, peer.note(rita))) == 202


async def test_on_a_full_disk_nothing_is_taken(app, peer, rita, create, monkeypatch):
    monkeypatch.setattr(reserve, "low", lambda: True)
    assert await send(app, rita, create) == 507
    assert await unchanged()


async def test_without_a_database_others_come_again(app, rita, create, monkeypatch):
    async def away(*_: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(inbox_items, "add", away)
    app = create_app(settings(), open_house=False)
    body = orjson.dumps(create)
    answer = await post(app, body, signed(rita, body))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


async def test_a_fault_of_ours_is_one_line_and_no_traceback_for_strangers(app, rita, create, monkeypatch):
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(arrivals, "judge", broken)
    body = orjson.dumps(create)
    answer = await post(app, body, signed(rita, body))
    assert answer.status_code == 500
    assert b"secret" not in await answer.get_data()


# ----------------------------------------------------------------------------------------- the group commit


def arrival(number: int) -> New:
    return New(f"https://remote.example/{number}", "https://remote.example/users/rita", b"{}")


class Tray:
    """A database that takes its time: `add` waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.go = asyncio.Event()
        self.fault: Exception | None = None

    async def add(self, arrivals: Any) -> None:
        self.groups.append(len(arrivals))
        await self.go.wait()
        if self.fault:
            raise self.fault


async def keeping(gathered: Intake, number: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(gathered.keep(arrival(n))) for n in range(number)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_arrives_during_a_commit_goes_into_the_next(monkeypatch):
    tray = Tray()
    gathered = Intake(tray.add)
    first = await keeping(gathered, 1)
    rest = await keeping(gathered, intake.MOST_IN_ONE + 10)
    tray.go.set()
    await asyncio.gather(*first, *rest)
    assert tray.groups == [1, intake.MOST_IN_ONE, 10]


async def test_nobody_hears_of_success_before_the_commit():
    tray = Tray()
    [task] = await keeping(Intake(tray.add), 1)
    assert not task.done()
    tray.go.set()
    await task


async def test_a_commit_that_fails_fails_those_who_were_in_it_and_no_others():
    tray = Tray()
    gathered = Intake(tray.add)
    tray.fault = Unavailable()
    first = await keeping(gathered, 1)
    tray.go.set()
    with pytest.raises(Unavailable):
        await first[0]
    tray.fault = None
    await gathered.keep(arrival(1))


async def test_a_writer_that_breaks_leaves_nobody_waiting(caplog):
    tray = Tray()
    gathered = Intake(tray.add)
    tray.fault = ZeroDivisionError()
    first = await keeping(gathered, 1)
    rest = await keeping(gathered, 3)
    tray.go.set()
    for task in (*first, *rest):
        with pytest.raises(Unavailable):
            await task
    tray.fault = None
    await gathered.keep(arrival(9))


async def test_nobody_waits_for_ever(monkeypatch):
    monkeypatch.setattr(intake, "PATIENCE", 0.01)
    tray = Tray()
    with pytest.raises(Unavailable):
        await Intake(tray.add).keep(arrival(1))


async def test_who_gave_up_before_the_commit_is_left_out_of_it():
    tray = Tray()
    gathered = Intake(tray.add)
    first = await keeping(gathered, 1)
    given_up, stays = await keeping(gathered, 2)
    given_up.cancel()
    await asyncio.sleep(0)
    tray.go.set()
    await asyncio.gather(*first, stays)
    assert tray.groups == [1, 1]


async def test_too_many_who_wait_are_turned_away(monkeypatch):
    monkeypatch.setattr(intake, "MOST_WAITING", 2)
    tray = Tray()
    gathered = Intake(tray.add)
    tasks = await keeping(gathered, 3)
    with pytest.raises(Unavailable):
        await tasks[2]
    tray.go.set()
    await asyncio.gather(*tasks[:2])


# -------------------------------------------------------------------------------------- what comes beside it


async def test_what_others_say_of_our_followers_is_compared(app, rita, create, monkeypatch):
    compared: list[tuple[str, str]] = []

    async def check(actor: Account, said: str) -> None:
        compared.append((actor.uri, said))

    monkeypatch.setattr(arrivals.synchronisation, "check", check)
    body = orjson.dumps(create)
    for said in ('collectionId="x"', "nonsense"):
        headers = signed(rita, body) | {"Collection-Synchronization": said}
        assert (await post(app, body, headers)).status_code == 202
    assert compared == [(rita["id"], 'collectionId="x"'), (rita["id"], "nonsense")]


async def test_why_somebody_was_refused_stands_in_the_log_without_the_signature(app, rita, create, capsys):
    body = orjson.dumps(create)
    headers = signed(rita, body) | {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert (await post(app, body, headers)).status_code == 401
    printed = capsys.readouterr().out
    assert "activity refused" in printed
    assert rita["publicKey"]["id"] in printed
    assert headers["Signature"].rpartition("signature=")[2] not in printed
