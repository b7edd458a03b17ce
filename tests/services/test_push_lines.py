"""Lines before push services: the slow and the dead hold up nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace

import pytest

from fediblog import http
from fediblog.errors import Unavailable
from fediblog.services import push_lines
from fediblog.services.push_lines import Lines

pytestmark = pytest.mark.once

DEAD, GOOD = "https://dead.example", "https://good.example"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stands in a line for long here."""
    monkeypatch.setattr(push_lines, "_SHORT", 0.05)


async def ask(lines: Lines, origin: str, answer: Exception | None = None) -> None:
    """A request that is answered at once, or ends with this error."""
    async with lines.turn(origin):
        if answer is not None:
            raise answer


async def refused(lines: Lines, origin: str) -> int:
    """The service cannot be asked now; gives the seconds to wait."""
    with pytest.raises(Unavailable) as error:
        await ask(lines, origin)
    return error.value.retry_after


@asynccontextmanager
async def hanging(lines: Lines, *origins: str) -> AsyncIterator[None]:
    """Requests that are under way, and have been for longer than it takes a good service."""
    async with AsyncExitStack() as stack:
        for origin in origins:
            await stack.enter_async_context(lines.turn(origin))
        await asyncio.sleep(0.06)
        yield


async def test_one_that_hangs_has_one_place_and_nobody_stands_behind_it() -> None:
    lines = Lines()
    async with hanging(lines, DEAD):
        async with asyncio.timeout(0.04):  # Not even as long as one stands in a line.
            assert await refused(lines, DEAD) >= 20
        await ask(lines, GOOD)


async def test_many_that_somebody_made_up_hold_up_none_that_is_known_to_be_quick() -> None:
    lines = Lines()
    await ask(lines, GOOD)
    async with hanging(lines, "https://a.example", "https://b.example", "https://c.example"):
        await refused(lines, DEAD)
        await ask(lines, GOOD)


async def test_a_quick_one_that_begins_to_hang_leaves_places_to_others() -> None:
    lines = Lines()
    await ask(lines, DEAD)
    await ask(lines, GOOD)
    async with hanging(lines, DEAD, DEAD):
        await refused(lines, DEAD)
        await ask(lines, GOOD)
    async with hanging(lines, DEAD):  # It was slow, and is among the others now.
        await refused(lines, DEAD)


async def test_one_waits_for_a_place_that_is_soon_free() -> None:
    lines = Lines()
    async with lines.turn(GOOD):
        waiting = asyncio.create_task(ask(lines, GOOD))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_one_that_keeps_silent_rests_longer_each_time_and_no_more_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines, now = Lines(), 1_000.0
    monkeypatch.setattr(push_lines, "time", SimpleNamespace(monotonic=lambda: now))
    rests = []
    for _ in range(8):
        with pytest.raises(Unavailable):
            await ask(lines, DEAD, http.Unreachable("time"))
        rests.append(await refused(lines, DEAD))
        await ask(lines, GOOD)
        now += rests[-1] + 1
    assert rests == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    await ask(lines, DEAD)
    with pytest.raises(Unavailable):
        await ask(lines, DEAD, http.Unreachable("time"))
    assert await refused(lines, DEAD) == 60


async def test_several_that_hear_nothing_at_once_count_once() -> None:
    lines = Lines()
    await ask(lines, DEAD)
    silent = asyncio.Event()

    async def one() -> None:
        async with lines.turn(DEAD):
            await silent.wait()
            raise http.Unreachable("time")

    both = [asyncio.create_task(one()) for _ in range(2)]
    await asyncio.sleep(0)
    silent.set()
    found = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable] * 2
    assert await refused(lines, DEAD) <= 60


async def test_faults_of_ours_are_no_silence_of_theirs() -> None:
    lines = Lines()
    with pytest.raises(Unavailable, match="database"):
        await ask(lines, GOOD, Unavailable("The database is away."))
    await ask(lines, GOOD)


async def test_only_so_many_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_lines, "_MOST_KNOWN", 2)
    lines = Lines()
    for number in range(5):
        await ask(lines, f"https://{number}.example")
    assert len(lines._known) == 2
