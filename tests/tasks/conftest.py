"""Jobs that tests can watch, in the place of the real ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from fediblog import logs
from fediblog.config import Log
from fediblog.queue import Job
from fediblog.tasks import runner


class Watched:
    """What was done: `keys` of owed jobs, `ticks` of those by the clock. `act` is what a job does."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.ticks = 0
        self.act: Callable[[str], Awaitable[object]] | None = None

    async def __call__(self, key: str = "") -> None:
        if self.act is not None:
            await self.act(key)
        if key:
            self.keys.append(key)
        else:
            self.ticks += 1

    async def wait(self, number: int, seconds: float = 20) -> None:
        await until(lambda: len(self.keys) >= number, seconds)


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition, looking often."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)


@pytest.fixture
def watched(monkeypatch):
    """The job MAIL (and any other) does what the test says."""
    job = Watched()
    for name in Job:
        if name is not Job.SWEEP:
            monkeypatch.setitem(runner.duties, name, job)
    return job


@pytest.fixture
def lines(capsys):
    """All log lines so far, as they were printed, one JSON object each."""
    logs.set_up(Log(format="json", level="debug"))

    def read():
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return read
