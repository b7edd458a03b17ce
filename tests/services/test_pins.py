"""Pins: one's own, few, and nothing that is for a few people only."""

import asyncio

import pytest

from fediblog import db
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Visibility
from fediblog.services import boosts, pins
from tests.services.making import post

pytestmark = pytest.mark.usefixtures("database")


async def pinned() -> list[int]:
    return await db.column("SELECT post_id FROM pin ORDER BY id")


async def test_posts_for_everybody_and_for_followers_are_pinned_once(alice: Account) -> None:
    made = [
        await post(alice, level)
        for level in (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS)
    ]  # fmt: skip
    for _ in range(2):
        for item in made:
            await pins.pin(alice, item)
    assert await pinned() == [item.id for item in made]
    assert {item.version for item in await Post.all()} == {1}
    for _ in range(2):
        await pins.unpin(alice, made[1])
    assert await pinned() == [made[0].id, made[2].id]


async def test_other_peoples_posts_boosts_and_direct_posts_are_refused(alice: Account, bob: Account) -> None:
    theirs = await post(bob)
    boost = await boosts.boost(alice, theirs)
    direct = await post(alice, Visibility.DIRECT)
    for refused in (theirs, boost, direct):
        with pytest.raises(Invalid):
            await pins.pin(alice, refused)
    assert await pinned() == []


async def test_there_is_room_for_a_few_and_unpinning_makes_some(alice: Account) -> None:
    made = [await post(alice) for _ in range(6)]
    for item in made[:5]:
        await pins.pin(alice, item)
    with pytest.raises(Invalid, match="at most 5"):
        await pins.pin(alice, made[5])
    assert await pinned() == [item.id for item in made[:5]]
    await pins.pin(alice, made[0])
    await pins.unpin(alice, made[0])
    await pins.pin(alice, made[5])
    assert await pinned() == [item.id for item in made[1:]]


async def test_many_at_once_do_not_slip_through(alice: Account) -> None:
    made = [await post(alice) for _ in range(12)]
    await asyncio.gather(*(pins.pin(alice, item) for item in made), return_exceptions=True)
    assert len(await pinned()) == 5


async def test_somebody_elses_pin_is_not_taken_down(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await pins.pin(alice, made)
    await pins.unpin(bob, made)
    assert await pinned() == [made.id]


async def test_what_was_deleted_meanwhile_is_not_pinned(alice: Account) -> None:
    made = await post(alice)
    await made.delete()
    await pins.pin(alice, made)
    assert await pinned() == []
