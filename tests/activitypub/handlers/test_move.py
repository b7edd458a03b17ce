"""Move: both sides must say it, asked afresh, once a week."""

import pytest

from fediblog import db, moments
from fediblog.activitypub.ownership import Forged
from fediblog.errors import Malformed, NotFound
from fediblog.http import Unwelcome
from fediblog.models import Account
from fediblog.services import blocks, follows, moves, mutes
from fediblog.tasks import accounts as tasks
from tests.activitypub.handlers.stage import (
    Someone,
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
from tests.services.making import owed


@pytest.fixture
async def new(rita: Someone, fediverse) -> Someone:
    """Where rita has moved to; both say so."""
    made = await meet(fediverse, "rita", "new.example", alsoKnownAs=[rita.account.uri])
    rita.peer.keep({**rita.document, "movedTo": made.account.uri})
    return made


async def move(who: Someone, target: str) -> dict:
    return await who.does("Move", who.account.uri, target=target)


async def work() -> None:
    """What is owed for moves is done."""
    for key in await owed("move"):
        await tasks.move(key)


async def test_who_follows_here_goes_along(rita, new, alice, bob):
    await befriend(alice, rita.account)
    await befriend(bob, rita.account)
    await follows.follow(bob, rita.account, show_boosts=False, notify=True, languages=["de"])
    await forget_events()
    said = await move(rita, new.account.uri)
    await work()

    for follower in (alice, bob):
        assert await following(follower, rita.account) is None
        assert await asking(follower, new.account) is not None
    kept = await db.row("SELECT * FROM follow_request WHERE follower_id = $1", bob.id)
    assert (bool(kept["show_boosts"]), bool(kept["notify"]), kept["languages"]) == (False, True, '["de"]')
    assert sorted(kind for kind, *_ in await events()) == [*["follow_asked"] * 2, *["follow_ended"] * 2]
    assert (await Account.get(id=rita.account.id)).moved_to_id == new.account.id

    await handle(said, rita.account)
    await move(rita, new.account.uri)
    await work()
    assert len(await events()) == 4


async def test_those_who_hide_somebody_hide_them_where_they_go(rita, new, alice, bob, carol):
    await befriend(alice, rita.account)
    await mutes.mute(alice, rita.account, notifications=False)
    await mutes.mute(bob, rita.account, seconds=3600)
    await blocks.block(carol, rita.account)
    await forget_events()
    await move(rita, new.account.uri)
    await work()

    found = await db.rows("SELECT * FROM mute WHERE target_id = $1 ORDER BY account_id", new.account.id)
    assert [line["account_id"] for line in found] == [alice.id, bob.id]
    assert [bool(line["notifications"]) for line in found] == [False, True]
    assert found[0]["expires_at"] is None
    assert 0 < found[1]["expires_at"] - moments.now() <= moments.HOUR
    assert await db.column("SELECT account_id FROM block WHERE target_id = $1", new.account.id) == [carol.id]


async def test_one_may_move_to_us(rita, alice, bob):
    dora = await person("dora", also_known_as=[rita.account.uri])
    rita.peer.keep({**rita.document, "movedTo": dora.uri})
    await befriend(alice, rita.account)
    await befriend(dora, rita.account)
    await move(rita, dora.uri)
    await work()

    assert await following(alice, dora) is not None
    assert await following(dora, rita.account) is None
    assert await db.value("SELECT count(*) FROM follow") == 1


async def test_who_cannot_follow_the_new_one_leaves_the_old(rita, new, alice):
    await befriend(alice, rita.account)
    await blocks.block(alice, new.account)
    await move(rita, new.account.uri)
    await work()
    assert await following(alice, rita.account) is None
    assert await asking(alice, new.account) is None


async def test_who_follows_both_keeps_what_they_have(rita, new, alice):
    await befriend(alice, rita.account)
    await befriend(alice, new.account)
    await follows.follow(alice, new.account, notify=True)
    await move(rita, new.account.uri)
    await work()
    assert bool(await db.value("SELECT notify FROM follow WHERE target_id = $1", new.account.id))
    assert await db.value("SELECT count(*) FROM follow") == 1


async def test_a_move_that_the_target_does_not_know_of_is_refused(rita, alice, fediverse):
    await befriend(alice, rita.account)
    victim = await meet(fediverse, "victim", "new.example")
    # What we have of it is old: only what it says now counts.
    await Account.filter(id=victim.account.id).update(also_known_as=[rita.account.uri])
    rita.peer.keep({**rita.document, "movedTo": victim.account.uri})
    with pytest.raises(Forged):
        await move(rita, victim.account.uri)
    assert await owed("move") == []
    assert (await Account.get(id=rita.account.id)).moved_at is None


async def test_a_move_of_which_the_account_itself_says_nothing_is_refused(rita, new, alice):
    await befriend(alice, rita.account)
    rita.peer.keep(rita.document)
    with pytest.raises(Forged):
        await move(rita, new.account.uri)
    assert await owed("move") == []


async def test_nobody_is_moved_by_others(rita, new, nora, otto, alice):
    await befriend(alice, rita.account)
    for other in (nora, otto, new):
        with pytest.raises(Forged):
            await other.does("Move", rita.account.uri, target=new.account.uri)
    assert await owed("move") == []
    assert rita.peer.asked == []


async def test_who_has_moved_stays_for_a_week(rita, new, alice, fediverse):
    await befriend(alice, rita.account)
    await move(rita, new.account.uri)
    await work()
    await befriend(alice, rita.account)
    rita = Someone(rita.peer, rita.document, await Account.get(id=rita.account.id))
    next_one = await meet(fediverse, "next", "next.example", alsoKnownAs=[rita.account.uri])
    rita.peer.keep({**rita.document, "movedTo": next_one.account.uri})
    await move(rita, next_one.account.uri)
    assert await owed("move") == [f"{rita.account.id}:{new.account.id}"]
    assert await drops() == {"moved lately": 1}

    await Account.filter(id=rita.account.id).update(moved_at=moments.now() - moves.COOLDOWN - 1)
    rita = Someone(rita.peer, rita.document, await Account.get(id=rita.account.id))
    await move(rita, next_one.account.uri)
    assert f"{rita.account.id}:{next_one.account.id}" in await owed("move")


async def test_a_move_that_concerns_nobody_here_is_dropped_without_a_fetch(rita, new):
    await move(rita, new.account.uri)
    assert await drops() == {"not relevant": 1}
    assert new.peer.asked == []


async def test_a_move_to_nowhere_is_refused(rita, alice):
    await befriend(alice, rita.account)
    for target in (None, rita.account.uri):
        with pytest.raises(Malformed):
            await rita.does("Move", rita.account.uri, target=target)
    with pytest.raises(NotFound):
        await move(rita, "http://localhost:8000/ap/accounts/1")
    with pytest.raises(Unwelcome):
        await move(rita, "https://remote.example/users/nobody")
    assert await owed("move") == []


async def test_moving_goes_on_when_it_is_much(rita, new, alice, bob, monkeypatch):
    monkeypatch.setattr(moves, "_BATCH", 1)
    monkeypatch.setattr(moves, "_MOST", 1)
    await befriend(alice, rita.account)
    await befriend(bob, rita.account)
    await move(rita, new.account.uri)
    await work()
    assert await db.value("SELECT count(*) FROM follow") == 1
    assert len(await owed("move")) == 1
    await work()
    assert await db.value("SELECT count(*) FROM follow") == 0
