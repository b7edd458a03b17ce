"""Markers: forward only, one row per timeline, a version that grows."""

import asyncio

import pytest

from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.services import markers

pytestmark = pytest.mark.usefixtures("database")


async def test_a_marker_moves_forward_and_its_version_grows(alice: Account, bob: Account) -> None:
    first = await markers.set(alice, "home", 10)
    second = await markers.set(alice, "home", 12)
    assert (first.last_read_id, first.version) == (10, 1)
    assert (second.last_read_id, second.version) == (12, 2)
    assert second.updated_at >= first.updated_at
    assert await markers.get(alice) == {"home": second}
    assert await markers.get(bob) == {}


async def test_a_marker_goes_back_only_when_told(alice: Account) -> None:
    there = await markers.set(alice, "home", 10)
    for older in (10, 3):
        assert await markers.set(alice, "home", older) == there
    back = await markers.set(alice, "home", 3, back=True)
    assert (back.last_read_id, back.version) == (3, 2)


async def test_timelines_have_markers_of_their_own_and_are_given_by_name(alice: Account) -> None:
    home = await markers.set(alice, "home", 10)
    notifications = await markers.set(alice, "notifications", 20)
    assert await markers.get(alice) == {"home": home, "notifications": notifications}
    assert await markers.get(alice, ["notifications", "nonsense"]) == {"notifications": notifications}


@pytest.mark.parametrize(("timeline", "number"), [("public", 1), ("", 1), ("home", -1), ("home", 1 << 63)])
async def test_unknown_timelines_and_impossible_ids_are_refused(
    alice: Account, timeline: str, number: int
) -> None:
    with pytest.raises(Invalid):
        await markers.set(alice, timeline, number)
    assert await markers.get(alice) == {}


async def test_many_at_once_end_at_the_furthest(alice: Account) -> None:
    await asyncio.gather(*(markers.set(alice, "home", number) for number in (3, 9, 1, 7, 9, 2)))
    assert (await markers.get(alice))["home"].last_read_id == 9
