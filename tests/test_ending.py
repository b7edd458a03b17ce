"""Tasks end for certain."""

import asyncio

import pytest

from fediblog import ending

pytestmark = pytest.mark.once


async def test_a_task_that_loses_a_cancellation_ends_all_the_same(monkeypatch):
    monkeypatch.setattr(ending, "_AGAIN", 0.01)
    lost = 0

    async def stubborn() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(ending.end(task), 10)
    assert lost == 2 and task.cancelled()


async def test_what_has_ended_or_fails_is_fine():
    async def fails() -> None:
        raise KeyError

    await ending.end()
    await ending.end(asyncio.create_task(fails()))
