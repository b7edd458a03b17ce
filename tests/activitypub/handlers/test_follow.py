"""Follow, and what others answer to ours."""

import orjson
import pytest

from fediblog import db, uris
from fediblog.activitypub import outbox
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.services import blocks, follows, relays
from fediblog.services.follows import State
from tests.activitypub.handlers.stage import (
    asking,
    befriend,
    drops,
    events,
    following,
    forget_events,
    handle,
    meet,
)
from tests.people import person
from tests.services.making import counts, told

# --------------------------------------------------------------------------------------------- they follow us


async def test_who_is_open_is_followed_at_once_and_that_is_answered(rita, alice):
    asked = await rita.does("Follow", alice.uri)

    assert await following(rita.account, alice) == asked["id"]
    assert await events() == [("follow_accepted", alice.id, rita.account.id, asked["id"])]
    assert await told(alice) == [("follow", rita.account.id, None)]
    assert await counts(alice) == (1, 0)


async def test_who_is_locked_is_asked(rita, database):
    dora = await person("dora", locked=True)
    asked = await rita.does("Follow", dora.uri)

    assert await following(rita.account, dora) is None
    assert await asking(rita.account, dora) == asked["id"]
    assert await events() == []
    assert await told(dora) == [("follow_request", rita.account.id, None)]

    await follows.accept(dora, rita.account.id)
    assert await events() == [("follow_accepted", dora.id, rita.account.id, asked["id"])]


async def test_a_request_that_is_refused_is_answered(rita, database):
    dora = await person("dora", locked=True)
    asked = await rita.does("Follow", dora.uri)
    await follows.reject(dora, rita.account.id)
    assert await events() == [("follow_rejected", dora.id, rita.account.id, asked["id"])]


async def test_who_asks_again_is_answered_again_by_the_new_name(rita, alice):
    first = await rita.does("Follow", alice.uri)
    await handle(first, rita.account)
    second = await rita.does("Follow", alice.uri)

    assert [uri for *_, uri in await events()] == [first["id"], first["id"], second["id"]]
    assert await following(rita.account, alice) == second["id"]
    assert await counts(alice) == (1, 0)
    assert len(await told(alice)) == 1


async def test_who_is_blocked_is_refused(rita, alice):
    await blocks.block(alice, rita.account)
    await forget_events()
    asked = await rita.does("Follow", alice.uri)

    assert await following(rita.account, alice) is None
    assert await events() == [("follow_rejected", alice.id, rita.account.id, asked["id"])]


async def test_who_has_moved_takes_no_followers(rita, alice, bob):
    await Account.filter(id=alice.id).update(moved_to_id=bob.id)
    asked = await rita.does("Follow", alice.uri)
    assert await events() == [("follow_rejected", alice.id, rita.account.id, asked["id"])]


async def test_nobody_is_followed_who_does_not_live_here(rita, otto, alice):
    await Account.filter(id=alice.id).update(deleted_at=1)
    for whom in (otto.account.uri, alice.uri, "http://localhost:8000/ap/accounts/1", "https://x.example/y"):
        with pytest.raises(NotFound):
            await rita.does("Follow", whom)
    assert await db.value("SELECT count(*) FROM follow") == 0


async def test_the_server_itself_is_followed_by_relays_that_were_asked_alone(rita, fediverse):
    relay = await meet(fediverse, "relay", "relay.example")
    await relays.add(relay.account.inbox, relay.account.uri)
    await forget_events()
    await rita.does("Follow", uris.server_uri())
    assert await events() == []
    assert await drops() == {"follow of the server": 1}

    asked = await relay.does("Follow", uris.server_uri())
    assert await events() == [("follow_accepted", None, relay.account.id, asked["id"])]

    await outbox.federate(0)
    assert await events() == []
    body = orjson.loads(bytes(await db.value("SELECT body FROM activity WHERE kind = 'Accept'")))
    assert body["actor"] == uris.server_uri()
    assert (body["object"]["id"], body["object"]["actor"]) == (asked["id"], relay.account.uri)
    assert await db.column("SELECT inbox FROM delivery") == [relay.account.inbox]


# --------------------------------------------------------------------------------------------- we follow them


@pytest.fixture
async def asked(rita, alice: Account) -> str:
    """The name of alice's request."""
    assert await follows.follow(alice, rita.account) is State.REQUESTED
    await forget_events()
    name = await asking(alice, rita.account)
    assert name is not None
    return name


def embedded(asked: str | None, alice: Account, whom: Account) -> dict:
    made = {"type": "Follow", "actor": alice.uri, "object": whom.uri}
    return made | {"id": asked} if asked else made


async def test_what_is_agreed_to_by_name_begins(rita, alice, asked):
    said = await rita.does("Accept", asked)
    await handle(said, rita.account)
    await rita.does("Accept", embedded(asked, alice, rita.account))

    assert await following(alice, rita.account) == asked
    assert await asking(alice, rita.account) is None
    assert await counts(alice) == (0, 1)
    assert await events() == []


@pytest.mark.parametrize("name", [None, "https://remote.example/renamed/1"])
async def test_what_is_agreed_to_by_what_it_is_begins(rita, alice, asked, name):
    await rita.does("Accept", embedded(name, alice, rita.account))
    assert await following(alice, rita.account) == asked


async def test_several_are_agreed_to_at_once(rita, alice, bob, asked):
    await follows.follow(bob, rita.account)
    await rita.does("Accept", [asked, embedded(None, bob, rita.account)])
    assert await following(alice, rita.account) and await following(bob, rita.account)


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_only_the_followed_may_answer(rita, nora, otto, alice, asked, kind):
    for other in (nora, otto):
        for thing in (asked, embedded(asked, alice, rita.account), embedded(asked, alice, other.account)):
            await other.does(kind, thing)
    assert await asking(alice, rita.account) == asked
    assert await db.value("SELECT count(*) FROM follow") == 0


async def test_who_never_asked_does_not_follow(rita, alice):
    await rita.does("Accept", embedded("http://localhost:8000/ap/follows/1", alice, rita.account))
    assert await following(alice, rita.account) is None


async def test_a_refusal_ends_the_request_and_a_follow(rita, alice, asked):
    await rita.does("Reject", asked)
    assert await asking(alice, rita.account) is None

    await befriend(alice, rita.account)
    said = await rita.does("Reject", embedded(None, alice, rita.account))
    await handle(said, rita.account)
    assert await following(alice, rita.account) is None
    assert await events() == []


async def test_answers_to_other_things_are_dropped(rita, alice):
    for thing in ("https://remote.example/what", {"type": "QuoteRequest", "object": rita.account.uri}):
        await rita.does("Accept", thing)
        await rita.does("Reject", thing)
    assert await drops() == {"answer to nothing": 4}


async def test_one_may_stop_agreeing(rita, alice, asked):
    await rita.does("Accept", asked)
    await rita.does("Undo", {"type": "Accept", "id": "https://remote.example/accepts/1", "object": asked})
    assert await following(alice, rita.account) is None


# ----------------------------------------------------------------------------------------------------- relays


async def test_a_relay_lets_us_in_and_throws_us_out(rita, nora, fediverse):
    relay = await meet(fediverse, "relay", "relay.example")
    made = await relays.add(relay.account.inbox)
    for other in (rita, await meet(fediverse, "neighbour", "relay.example")):
        await other.does("Accept", made.follow_uri)
        assert (await relays.get(made.id)).state == "asked"

    await relay.does("Accept", {"type": "Follow", "id": made.follow_uri})
    taken = await relays.get(made.id)
    assert (taken.state, taken.actor_uri) == ("accepted", relay.account.uri)

    await relay.does("Reject", made.follow_uri)
    assert (await relays.get(made.id)).state == "rejected"
