"""Undo: by the name of what is undone, by what it is, and before it has come."""

import pytest

from fediblog import db, moments
from fediblog.activitypub.ownership import Forged
from fediblog.models import Account
from fediblog.services import undoing, upkeep
from tests.activitypub.handlers.stage import asking, befriend, drops, following, handle
from tests.people import person
from tests.services.making import counts, post, told

PUBLIC = ["as:Public"]
ACTS = ["Follow", "Like", "EmojiReact", "Announce", "Block"]


async def left() -> tuple[int, int, int, int]:
    """How many follows, likes, boosts and blocks there are."""
    return (
        await db.value("SELECT count(*) FROM follow") + await db.value("SELECT count(*) FROM follow_request"),
        await db.value("SELECT count(*) FROM post_like"),
        await db.value("SELECT count(*) FROM post WHERE boost_of_id IS NOT NULL"),
        await db.value("SELECT count(*) FROM block"),
    )


async def undone() -> list[str]:
    return await db.column("SELECT uri FROM undone ORDER BY uri")


async def object_of(kind: str, alice: Account) -> str:
    return alice.uri if kind in ("Follow", "Block") else (await post(alice)).uri


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("shape", ["name", "embedded", "another name", "no name"])
async def test_what_was_done_is_taken_back_however_it_is_named(rita, alice, kind, shape):
    thing = await object_of(kind, alice)
    done = await rita.does(kind, thing, to=PUBLIC)
    assert sum(await left()) == 1
    bare = {name: done[name] for name in ("type", "actor", "object")}
    undo = {
        "name": done["id"],
        "embedded": done,
        "another name": {**bare, "id": "https://remote.example/x/1"},
        "no name": bare,
    }[shape]
    first = await rita.does("Undo", undo)
    await handle(first, rita.account)

    assert await left() == (0, 0, 0, 0)
    assert await counts(alice) == (0, 0)
    assert await db.column("SELECT likes + boosts FROM post") in ([], [0])
    assert await told(alice) == []


@pytest.mark.parametrize("kind", ACTS)
async def test_nobody_takes_back_what_others_have_done(rita, nora, otto, alice, kind):
    done = await rita.does(kind, await object_of(kind, alice), to=PUBLIC)
    for other in (nora, otto):
        with pytest.raises(Forged):
            await other.does("Undo", done)
        own = {**done, "actor": other.account.uri, "id": f"{other.document['id']}#9"}
        await other.does("Undo", own)
        with pytest.raises(Forged):
            await other.does("Undo", done["id"])
    assert sum(await left()) == 1


@pytest.mark.parametrize("kind", ACTS)
async def test_what_comes_after_it_was_taken_back_does_not_happen(rita, alice, kind):
    thing = await object_of(kind, alice)
    late = rita.activity(kind, thing, to=PUBLIC)
    await rita.does("Undo", late)
    assert await undone() == [late["id"]]
    await handle(late, rita.account)
    assert await left() == (0, 0, 0, 0)
    assert await drops() == {"undone before it came": 1}

    # The next one is another.
    await rita.does(kind, thing, to=PUBLIC)
    assert sum(await left()) == 1


async def test_a_neighbour_cannot_take_back_beforehand(rita, nora, alice):
    made = await post(alice)
    late = rita.activity("Like", made.uri)
    await nora.does("Undo", late["id"])
    await handle(late, rita.account)
    assert sum(await left()) == 1


async def test_what_was_taken_back_beforehand_is_forgotten_after_a_day(rita, alice):
    made = await post(alice)
    late = rita.activity("Like", made.uri)
    await rita.does("Undo", late)
    async with db.transaction():
        await db.execute("UPDATE undone SET created_at = $1", moments.now() - undoing.KEPT - 1)
    await handle(late, rita.account)
    assert sum(await left()) == 1
    assert (await upkeep.prune())["undone"] == 1


async def test_a_boost_that_was_deleted_before_it_came_does_not_come(rita, alice):
    late = rita.activity("Announce", (await post(alice)).uri, to=PUBLIC)
    await rita.does("Delete", late["id"])
    await handle(late, rita.account)
    assert await left() == (0, 0, 0, 0)


async def test_of_two_reactions_only_the_one_that_is_kept_is_taken_back(rita, alice):
    made = await post(alice)
    first = await rita.does("EmojiReact", made.uri, content="🦊")
    second = await rita.does("EmojiReact", made.uri, content="🎉")
    await rita.does("Undo", first)
    assert sum(await left()) == 1
    await rita.does("Undo", {**second, "id": "https://remote.example/x/1"})
    assert sum(await left()) == 0


async def test_a_request_is_withdrawn(rita, database):
    dora = await person("dora", locked=True)
    asked = await rita.does("Follow", dora.uri)
    await rita.does("Undo", asked["id"])
    assert await asking(rita.account, dora) is None
    assert await told(dora) == []


async def test_several_are_taken_back_at_once(rita, alice, bob):
    done = [await rita.does("Follow", each.uri) for each in (alice, bob)]
    await rita.does("Undo", done)
    assert await left() == (0, 0, 0, 0)


async def test_what_cannot_be_taken_back_is_dropped(rita, alice):
    await rita.does("Undo", rita.activity("Delete", "https://remote.example/notes/1"))
    await rita.does("Undo", rita.activity("Accept", "http://localhost:8000/ap/follows/1"))
    assert await drops() == {"unknown object": 1, "answer to nothing": 1}
    assert await undone() == []


async def test_nothing_of_ours_is_remembered_as_taken_back(rita, alice):
    for name in ("http://localhost:8000/ap/follows/1", "https://other.example/likes/1"):
        with pytest.raises(Forged):
            await rita.does("Undo", name)
    assert await undone() == []


async def test_our_own_follows_are_not_ended_by_an_undo(rita, alice):
    await befriend(alice, rita.account)
    name = await following(alice, rita.account)
    with pytest.raises(Forged):
        await rita.does(
            "Undo", {"type": "Follow", "id": name, "actor": alice.uri, "object": rita.account.uri}
        )
    assert await following(alice, rita.account) == name
