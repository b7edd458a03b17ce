"""Muting: what it hides, for how long, and that it ends by itself."""

from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import blocks, mutes

pytestmark = pytest.mark.usefixtures("database")


async def hidden() -> list[int]:
    return await db.column("SELECT target_id FROM hidden ORDER BY target_id")


async def age(target: Account, by: int) -> None:
    """Let the time of a mute run."""
    async with db.transaction():
        await db.execute("UPDATE mute SET expires_at = expires_at - $2 WHERE target_id = $1", target.id, by)


async def test_a_mute_hides_one_way_and_does_not_end(alice: Account, bob: Account) -> None:
    await mutes.mute(alice, bob)
    assert await db.rows("SELECT account_id, target_id FROM hidden") == [
        {"account_id": alice.id, "target_id": bob.id}
    ]
    assert await db.column("SELECT expires_at FROM mute") == [None]
    for _ in range(2):
        await mutes.unmute(alice, bob)
    assert await hidden() == []


async def test_muting_again_changes_how(alice: Account, bob: Account) -> None:
    await mutes.mute(alice, bob, notifications=True)
    first = await db.row("SELECT id FROM mute")
    await mutes.mute(alice, bob, notifications=False, seconds=60)

    found = await db.row("SELECT id, notifications, expires_at FROM mute")
    assert found is not None and first is not None and found["id"] == first["id"]
    assert not found["notifications"]
    assert moments.now() < found["expires_at"] <= moments.now() + 60_000
    await mutes.mute(alice, bob, seconds=0)
    assert await db.column("SELECT expires_at FROM mute") == [None]


async def test_a_mute_ends_when_its_time_is_over_and_not_before(
    alice: Account, bob: Account, carol: Account
) -> None:
    await mutes.mute(alice, bob, seconds=60)
    await mutes.mute(alice, carol)
    assert await mutes.expire_mutes() == 0
    assert await hidden() == sorted([bob.id, carol.id])
    await age(bob, 60_000)

    assert await mutes.expire_mutes() == 1
    assert await hidden() == [carol.id]
    assert await mutes.expire_mutes() == 0


async def test_who_blocks_stays_hidden_when_the_mute_ends(alice: Account, bob: Account) -> None:
    await mutes.mute(alice, bob, seconds=60)
    await blocks.block(bob, alice)
    await age(bob, 60_000)
    await mutes.expire_mutes()
    assert await hidden() == sorted([alice.id, bob.id])


@pytest.mark.parametrize("seconds", [-1, 400 * 366 * 86_400, 10**30])
async def test_impossible_times_are_refused(alice: Account, bob: Account, seconds: int) -> None:
    with pytest.raises(Invalid):
        await mutes.mute(alice, bob, seconds=seconds)
    assert await hidden() == []


async def test_nobody_mutes_themselves(alice: Account) -> None:
    with pytest.raises(Invalid):
        await mutes.mute(alice, alice)


async def test_the_muted_are_listed_newest_first_for_the_muter_alone(
    alice: Account, bob: Account, carol: Account, queries: Any
) -> None:
    await mutes.mute(alice, carol)
    await mutes.mute(alice, bob)
    with queries() as sent:
        assert (await mutes.muted(alice, Page(20))).ids == [bob.id, carol.id]
    assert len(sent) == 1
    assert (await mutes.muted(bob, Page(20))).ids == []
