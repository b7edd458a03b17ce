"""Doing jobs: what succeeds ends, what fails waits or is put aside, and nothing stops the rest."""

import asyncio

import orjson
import pytest
from structlog.contextvars import bound_contextvars

from fediblog import db, moments
from fediblog.errors import NotFound, Unavailable
from fediblog.queue import Job
from fediblog.services import work
from fediblog.tasks import runner as running
from fediblog.tasks.runner import Runner
from tests.tasks.conftest import until


@pytest.fixture
async def runner(database):
    return Runner("me@here", at_once=4)


async def _owe(key=1, job=Job.MAIL):
    await work.owe(job, key)
    return await db.value("SELECT id FROM work WHERE kind = $1 AND key = $2", job, str(key))


async def _row():
    return await db.row("SELECT * FROM work")


async def test_an_owed_job_is_done_and_its_row_is_gone(runner, watched):
    await runner.perform(Job.MAIL, (await _owe("a"),))
    assert watched.keys == ["a"]
    assert await _row() is None


async def test_a_second_nudge_for_done_work_does_nothing(runner, watched):
    number = await _owe()
    await runner.perform(Job.MAIL, (number,))
    await runner.perform(Job.MAIL, (number,))
    assert watched.keys == ["1"]


async def test_two_nudges_at_once_do_it_once(runner, watched):
    number = await _owe()
    await asyncio.gather(*[runner.perform(Job.MAIL, (number,)) for _ in range(5)])
    assert watched.keys == ["1"]


async def test_a_job_by_the_clock_gets_no_key(runner, watched):
    await runner.perform(Job.UPKEEP)
    assert (watched.ticks, watched.keys) == (1, [])


async def test_a_job_that_fails_by_the_clock_raises_nothing(runner, watched, lines):
    async def act(_):
        raise KeyError("x")

    watched.act = act
    await runner.perform(Job.UPKEEP)
    assert any("job failed" in line for line in lines())


async def test_a_part_that_is_away_puts_the_job_off_without_a_crash(runner, watched):
    async def act(_):
        raise Unavailable("The mail server is away.")

    watched.act = act
    await runner.perform(Job.MAIL, (await _owe(),))
    row = await _row()
    assert (row["state"], row["attempts"], row["crashes"]) == ("due", 1, 0)
    assert row["error"] == "The mail server is away."
    assert row["not_before"] > moments.now() + 10_000


async def test_a_part_that_names_its_time_is_given_it(runner, watched):
    async def act(_):
        raise Unavailable(retry_after=7200)

    watched.act = act
    await runner.perform(Job.MAIL, (await _owe(),))
    assert (await _row())["not_before"] > moments.now() + 7_000_000


async def test_an_error_that_nobody_foresaw_counts_as_a_crash(runner, watched):
    async def act(_):
        raise NotFound

    watched.act = act
    await runner.perform(Job.MAIL, (await _owe(),))
    row = await _row()
    assert (row["state"], row["crashes"], row["error"]) == ("due", 1, "NotFound: Record not found")


async def test_a_job_that_hangs_is_ended(runner, watched, monkeypatch):
    monkeypatch.setattr(Job, "seconds", 0.05)

    async def act(_):
        await asyncio.sleep(60)

    watched.act = act
    await runner.perform(Job.MAIL, (await _owe(),))
    row = await _row()
    assert (row["crashes"], row["error"]) == (1, "It took longer than 0.05 s.")


async def test_poison_is_put_aside_and_blocks_nobody(runner, watched, monkeypatch):
    monkeypatch.setattr(work, "pause", lambda attempt: 0)

    async def act(key):
        if key == "poison":
            raise ValueError("bad")

    watched.act = act
    await _owe("poison")
    for number in range(20):
        await _owe(number)
    for _ in range(6):
        for job, work_id in await work.sweep(patience=0):
            await runner.perform(job, (work_id,))
        await until(lambda: not runner._doing)
    assert sorted(watched.keys, key=int) == [str(number) for number in range(20)]
    [poison] = await work.quarantined()
    assert (poison.key, poison.crashes, poison.error) == ("poison", 5, "ValueError: bad")
    assert await work.sweep(patience=0) == []


async def test_the_id_of_the_request_is_on_the_lines_of_its_task(runner, watched, lines):
    with bound_contextvars(request_id="the-request"):
        number = await _owe()

    async def act(_):
        running.log.info("inside")

    watched.act = act
    await runner.perform(Job.MAIL, (number,), "another")
    told = [orjson.loads(line) for line in lines()]
    assert {line["event"] for line in told} == {"inside", "job done"}
    for line in told:
        assert (line["request_id"], line["work_id"], line["job"]) == ("the-request", number, "mail")


async def test_a_stop_lets_what_is_in_progress_end(runner, watched):
    begun, go = asyncio.Event(), asyncio.Event()

    async def act(_):
        begun.set()
        await go.wait()

    watched.act = act
    taking = asyncio.create_task(runner.take(Job.MAIL, (await _owe(),)))
    await begun.wait()
    finishing = asyncio.create_task(runner.finish(10))
    await asyncio.sleep(0)
    await runner.take(Job.MAIL, (await _owe(2),))
    go.set()
    await asyncio.gather(taking, finishing)
    assert watched.keys == ["1"]
    assert (await _row())["key"] == "2"


async def test_what_does_not_end_in_time_is_returned_without_a_crash(runner, watched):
    begun = asyncio.Event()

    async def act(_):
        begun.set()
        await asyncio.sleep(60)

    watched.act = act
    taking = asyncio.create_task(runner.take(Job.MAIL, (await _owe(),)))
    await begun.wait()
    await runner.finish(0.05)
    await taking
    row = await _row()
    assert (row["state"], row["crashes"], row["attempts"], row["lease_owner"]) == ("due", 0, 0, "")


async def test_at_its_start_a_worker_takes_up_what_its_name_held(runner, watched):
    number = await _owe()
    await work.lease(Job.MAIL, number, "me@here")
    await work.lease(Job.MAIL, await _owe(2), "you@there")
    await runner.begin()
    await watched.wait(1)
    await runner.finish(5)
    assert watched.keys == ["1"]
    assert (await _row())["key"] == "2"


async def test_without_any_broker_the_watch_does_what_is_due(runner, watched, monkeypatch):
    monkeypatch.setattr(running, "_WATCH", 0.02)
    monkeypatch.setattr(running, "_QUIET", 0)
    monkeypatch.setattr(running, "_PATIENCE_WHEN_QUIET", 0)
    watch = asyncio.create_task(runner.watch())
    for number in range(20):
        await _owe(number)
    await watched.wait(20)
    watch.cancel()
    await runner.finish(5)
    assert len(watched.keys) == 20
    assert await _row() is None


async def test_the_watch_survives_a_database_that_is_away(runner, watched, monkeypatch, lines):
    monkeypatch.setattr(running, "_WATCH", 0.01)
    sweep, tries = work.sweep, []

    async def broken(*args):
        tries.append(args)
        if len(tries) < 3:
            raise Unavailable
        return await sweep(running.Job, 0)

    monkeypatch.setattr(work, "sweep", broken)
    await _owe()
    watch = asyncio.create_task(runner.watch())
    await watched.wait(1)
    watch.cancel()
    await runner.finish(5)
    assert any("tray cannot be read" in line for line in lines())


async def test_a_database_that_restarts_does_not_make_work_be_done_twice(runner, watched, monkeypatch):
    done, tries = work.done, []

    async def flaky(held):
        tries.append(held)
        if len(tries) == 1:
            raise Unavailable
        await done(held)

    monkeypatch.setattr(work, "done", flaky)
    monkeypatch.setattr(running, "_PAUSE", 0.01)
    await runner.perform(Job.MAIL, (await _owe(),))
    assert watched.keys == ["1"]
    assert await _row() is None


async def test_slow_jobs_wait_for_a_place_and_not_in_a_thread(runner, watched):
    go, busy, most = asyncio.Event(), 0, 0

    async def act(_):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await go.wait()
        busy -= 1

    watched.act = act
    for number in range(6):
        # Returns although nothing is done yet.
        await runner.take(Job.MEDIA, (await _owe(number, Job.MEDIA),))
    await until(lambda: busy == 2)
    go.set()
    await watched.wait(6)
    await runner.finish(5)
    assert most == 2


async def test_owed_while_it_runs_it_is_done_once_more(runner, watched):
    number = await _owe()

    async def act(_):
        if not watched.keys:
            await work.owe(Job.MAIL, 1)

    watched.act = act
    await runner.perform(Job.MAIL, (number,))
    assert (await _row())["round"] == 1
    await runner.perform(Job.MAIL, (number,))
    assert watched.keys == ["1", "1"]
    assert await _row() is None


async def test_of_those_that_have_crashed_one_runs_at_a_time(runner, watched):
    for key in range(5):
        await work.lease(Job.MAIL, await _owe(key), "dead")
    await work.release("dead")
    fresh = await _owe("fresh")
    together, most = 0, 0

    async def act(key):
        nonlocal together, most
        if key != "fresh":
            together += 1
            most = max(most, together)
            await asyncio.sleep(0.01)
            together -= 1

    watched.act = act
    due = [work_id for _, work_id in await work.sweep(patience=0)]
    await asyncio.gather(*[runner.perform(Job.MAIL, (work_id,)) for work_id in [*due, fresh]])
    await watched.wait(6)
    await runner.finish(5)
    assert sorted(watched.keys) == ["0", "1", "2", "3", "4", "fresh"]
    assert most == 1


def test_every_job_has_a_task_and_a_queue():
    from fediblog.queue import QUEUES
    from fediblog.tasks.worker import duties

    assert set(duties) == set(Job)
    assert {job.queue for job in Job} <= set(QUEUES)


@pytest.fixture
def unheard(monkeypatch):
    """The first lease is written down, but its worker never hears of it: the connection breaks."""
    lease, times = work.lease, []

    async def broken(*args):
        held = await lease(*args)
        times.append(1)
        if len(times) == 1:
            raise Unavailable
        return held

    monkeypatch.setattr(work, "lease", broken)


async def test_a_lease_that_nobody_heard_of_is_given_back_at_once(runner, watched, unheard, monkeypatch):
    monkeypatch.setattr(running, "_WATCH", 0.01)
    await runner.perform(Job.MAIL, (await _owe(),))
    assert (await _row())["state"] == "leased"
    watch = asyncio.create_task(runner.watch())
    await watched.wait(1)
    await until(lambda: not runner._doing)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert watched.keys == ["1"]
    assert await _row() is None


async def test_what_is_being_done_is_not_given_back(runner, watched, unheard, monkeypatch):
    monkeypatch.setattr(running, "_WATCH", 0.01)
    go = asyncio.Event()

    async def act(key):
        if key == "slow":
            await go.wait()

    watched.act = act
    await runner.perform(Job.MAIL, (await _owe("unheard"),))
    slow = asyncio.create_task(runner.perform(Job.MAIL, (await _owe("slow"),)))
    watch = asyncio.create_task(runner.watch())
    await watched.wait(1)
    go.set()
    await slow
    await watched.wait(2)
    await until(lambda: not runner._doing)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert watched.keys == ["unheard", "slow"]
    assert runner._in_hand == {}
