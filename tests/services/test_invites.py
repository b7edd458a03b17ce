"""Invites: who may use them, how often and how long."""

import asyncio

import pytest

from fediblog import db, moments
from fediblog.errors import Invalid, NotFound
from fediblog.services import invites
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]


async def use(code: str) -> int | None:
    async with db.transaction():
        return await invites.use(code)


async def test_an_invite_is_found_and_listed(alice, bob):
    first = await invites.create(alice, most_uses=5, days=7)
    second = await invites.create(alice)
    assert len(first.code) >= 16 and first.code != second.code
    assert await invites.find(first.code) == first
    assert await invites.listing(alice) == (second, first)
    assert await invites.listing(bob) == ()
    assert first.open and second.open


@pytest.mark.parametrize(
    ("most_uses", "days", "fields"),
    [
        (0, 1, {"most_uses"}),
        (1001, None, {"most_uses"}),
        (None, 0, {"days"}),
        (-1, 366, {"most_uses", "days"}),
    ],
)
async def test_figures_out_of_bounds(alice, most_uses, days, fields):
    with pytest.raises(Invalid) as refused:
        await invites.create(alice, most_uses, days)
    assert set(refused.value.fields) == fields
    assert await invites.listing(alice) == ()


async def test_an_invite_is_used_up(alice):
    invite = await invites.create(alice, most_uses=2)
    assert [await use(invite.code) for _ in range(3)] == [invite.id, invite.id, None]
    assert await invites.find(invite.code) is None
    [listed] = await invites.listing(alice)
    assert (listed.uses, listed.open) == (2, False)


async def test_the_last_place_is_given_once(alice):
    invite = await invites.create(alice, most_uses=3)
    found = await asyncio.gather(*(use(invite.code) for _ in range(10)))
    assert sum(one is not None for one in found) == 3


async def test_of_many_made_at_once_no_more_are_open_than_may_be(alice, monkeypatch):
    monkeypatch.setattr(invites, "_MOST_OPEN", 3)
    monkeypatch.setattr(invites, "_MOST_LISTED", 2)
    made = await asyncio.gather(*(invites.create(alice) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, Invalid) for one in made) == 5
    assert len(await invites.listing(alice)) == 2


async def test_an_invite_expires(alice, clock: Clock):
    invite = await invites.create(alice, days=1)
    clock.forward(moments.DAY - moments.MINUTE)
    assert await invites.find(invite.code)
    clock.forward(2 * moments.MINUTE)
    assert await invites.find(invite.code) is None
    assert await use(invite.code) is None
    assert not (await invites.listing(alice))[0].open


async def test_an_invite_is_taken_back_by_its_maker_alone(alice, bob):
    invite = await invites.create(alice)
    with pytest.raises(NotFound):
        await invites.revoke(bob, invite.id)
    assert await invites.find(invite.code)
    await invites.revoke(alice, invite.id)
    assert await invites.find(invite.code) is None
    assert await use(invite.code) is None


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
async def test_an_invite_is_worth_what_its_maker_is(alice, column):
    invite = await invites.create(alice)
    async with db.transaction():
        await db.execute(f"UPDATE account SET {column} = 1")
    assert await invites.find(invite.code) is None
    assert await use(invite.code) is None


@pytest.mark.parametrize("code", ["", "x", "\x00", "\ud800", "x" * 10_000, "ü"])
async def test_what_is_no_code(alice, code):
    await invites.create(alice)
    assert await invites.find(code) is None
    assert await use(code) is None


async def test_there_is_an_end_to_open_invites(alice):
    for _ in range(100):
        last = await invites.create(alice)
    with pytest.raises(Invalid):
        await invites.create(alice)
    await invites.revoke(alice, last.id)
    await invites.create(alice)
