"""Aliases, and moving away."""

import pytest

from fediblog import db, moments
from fediblog.errors import Conflict, Forbidden, Invalid
from fediblog.models import Account
from fediblog.services import events, follows, migration
from fediblog.services.events import Event
from tests.people import remote
from tests.services.making import owed


@pytest.fixture
async def new(alice: Account) -> Account:
    """The account elsewhere that calls alice an alias of its own."""
    return await remote("alice", "new.example", also_known_as=[alice.uri])


async def kinds(account: Account) -> list[Event]:
    """What was written down of somebody."""
    return [event.kind for event in await events.waiting(account.id, 100)]


async def test_an_alias_is_added_once_and_removed(alice: Account) -> None:
    old = await remote("alice", "old.example")
    assert (await migration.add_alias(alice, old)).also_known_as == [old.uri]
    changed = await migration.add_alias(alice, old)
    assert await migration.aliases(changed) == [old]
    assert await kinds(alice) == [Event.PROFILE_CHANGED]
    assert (await migration.remove_alias(changed, old.uri)).also_known_as == []
    await migration.remove_alias(changed, "https://nobody.example/")
    assert await kinds(alice) == [Event.PROFILE_CHANGED] * 2


async def test_there_are_ten_aliases_at_most(alice: Account) -> None:
    for number in range(migration.MOST_ALIASES):
        await migration.add_alias(alice, await remote(f"a{number}", "old.example"))
    with pytest.raises(Invalid):
        await migration.add_alias(alice, await remote("more", "old.example"))
    with pytest.raises(Invalid):
        await migration.add_alias(alice, alice)
    assert len((await Account.get(id=alice.id)).also_known_as) == migration.MOST_ALIASES


async def test_moving_tells_followers_here_and_elsewhere(alice: Account, new: Account) -> None:
    moved = await migration.move(alice, new)
    assert moved.moved_to_id == new.id
    assert await kinds(alice) == [Event.PROFILE_CHANGED, Event.MOVED]
    assert await owed("move") == [f"{alice.id}:{new.id}"]


async def test_who_has_moved_takes_no_new_followers(alice: Account, bob: Account, new: Account) -> None:
    await migration.move(alice, new)
    for follower in (bob, await remote("rita", "remote.example")):
        with pytest.raises(Forbidden):
            await follows.follow(follower, alice)


async def test_nobody_moves_twice_in_thirty_days(alice: Account, new: Account) -> None:
    moved = await migration.move(alice, new)
    back = await migration.come_back(moved)
    assert back.moved_to_id is None
    with pytest.raises(Conflict):
        await migration.move(back, new)
    async with db.transaction():
        long_ago = moments.now() - migration.PAUSE - 1
        await db.execute("UPDATE account SET moved_at = $2 WHERE id = $1", alice.id, long_ago)
    assert (await migration.move(back, new)).moved_to_id == new.id


async def test_a_move_that_is_refused_changes_nothing(alice: Account, new: Account) -> None:
    refused = [
        alice,
        await remote("stranger", "new.example"),
        await remote("gone", "new.example", also_known_as=[alice.uri], deleted_at=1),
        await remote("away", "new.example", also_known_as=[alice.uri], suspended_at=1),
        await remote("moved", "new.example", also_known_as=[alice.uri], moved_to_id=new.id),
    ]
    for target in refused:
        with pytest.raises(Invalid):
            await migration.move(alice, target)
    same = await Account.get(id=alice.id)
    assert (same.moved_to_id, same.moved_at, same.version) == (None, None, alice.version)
    assert await kinds(alice) == []
    assert await owed("move") == []


async def test_who_has_not_moved_need_not_come_back(alice: Account) -> None:
    assert await migration.come_back(alice) == alice
    assert await kinds(alice) == []
