"""Waking what is at work in this very process: without a message, and without losing a ring."""

import asyncio
from collections.abc import Iterator

import pytest

from fediblog import queue
from fediblog.activitypub.drains import Drains
from fediblog.queue import Job
from tests.tasks.conftest import until

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("database")]


class Work:
    """A drain that goes on until it is told to end, and what all of them did."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen
        self.end = asyncio.Event()
        self.stopping = False

    def wake(self) -> None:
        self.seen.append("woken")

    def takes_more(self) -> bool:
        return not self.stopping

    def stop(self) -> None:
        self.stopping = True
        self.end.set()

    async def run(self) -> None:
        self.seen.append("begun")
        await self.end.wait()
        self.seen.append("ended")


@pytest.fixture
def sent(monkeypatch) -> list[Job]:
    """What becomes a message."""
    messages: list[Job] = []
    monkeypatch.setattr(queue, "_offer", lambda job, *_: messages.append(job))
    return messages


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def drains(monkeypatch, seen) -> Iterator[Drains]:
    monkeypatch.setattr(queue, "_bells", {})

    async def released(_: str) -> int:
        return 0

    made = Drains(Job.RECEIVE, lambda _: Work(seen), released, "freed")
    yield made
    made.stop()


async def at_work(drains: Drains) -> tuple[asyncio.Task[None], Work]:
    task = asyncio.create_task(drains.drain())
    await until(lambda: drains.current is not None)
    assert isinstance(drains.current, Work)
    return task, drains.current


async def test_who_is_at_work_here_is_woken_without_a_message(drains, seen, sent):
    task, work = await at_work(drains)
    queue.nudge(Job.RECEIVE)
    assert (seen, sent) == (["begun", "woken"], [])
    work.end.set()
    await task


async def test_when_nobody_is_at_work_a_message_is_sent(drains, seen, sent):
    queue.nudge(Job.RECEIVE)
    assert (seen, sent) == ([], [Job.RECEIVE])


async def test_other_jobs_have_nothing_to_do_with_it(drains, seen, sent):
    task, work = await at_work(drains)
    queue.nudge(Job.DELIVER)
    assert (seen, sent) == (["begun"], [Job.DELIVER])
    work.end.set()
    await task


async def test_many_rings_wake_at_once_and_once_more_after_a_moment(drains, seen, sent):
    task, work = await at_work(drains)
    for _ in range(50):
        queue.nudge(Job.RECEIVE)
    assert seen == ["begun", "woken"]
    await until(lambda: seen == ["begun", "woken", "woken"])
    work.end.set()
    await task
    assert seen == ["begun", "woken", "woken", "ended"] and sent == []


async def test_a_ring_whose_work_has_ended_meanwhile_becomes_a_message(drains, seen, sent):
    task, work = await at_work(drains)
    queue.nudge(Job.RECEIVE)
    queue.nudge(Job.RECEIVE)
    work.end.set()
    await task
    await until(lambda: sent == [Job.RECEIVE])


async def test_who_begins_nothing_more_is_not_relied_on(drains, seen, sent):
    task, work = await at_work(drains)
    work.stopping = True
    queue.nudge(Job.RECEIVE)
    assert (seen, sent) == (["begun"], [Job.RECEIVE])
    work.end.set()
    await task


async def test_a_workers_drain_waits_a_moment_for_more(drains, seen, sent):
    await drains.begin("worker-1")
    task, work = await at_work(drains)
    work.end.set()
    await until(lambda: drains.current is None)
    assert not task.done()
    queue.nudge(Job.RECEIVE)
    await until(lambda: seen == ["begun", "ended", "begun"])
    assert sent == []
    drains.stop()
    await task


async def test_a_drain_that_nobody_rings_ends(drains, monkeypatch, seen, sent):
    monkeypatch.setattr("fediblog.activitypub.drains._PATIENCE", 0.01)
    await drains.begin("worker-1")
    task, work = await at_work(drains)
    work.end.set()
    await task
    queue.nudge(Job.RECEIVE)
    assert (seen, sent) == (["begun", "ended"], [Job.RECEIVE])


async def test_the_stop_is_not_waited_for(drains, monkeypatch, seen):
    monkeypatch.setattr("fediblog.activitypub.drains._PATIENCE", 3600.0)
    await drains.begin("worker-1")
    task, work = await at_work(drains)
    work.end.set()
    await until(lambda: drains.current is None)
    drains.stop()
    await asyncio.wait_for(task, 5)


async def test_a_message_that_comes_while_it_waits_begins_no_second_one(drains, seen):
    await drains.begin("worker-1")
    task, work = await at_work(drains)
    work.end.set()
    await until(lambda: drains.current is None)
    await drains.drain()
    await until(lambda: seen == ["begun", "ended", "begun"])
    drains.stop()
    await task
