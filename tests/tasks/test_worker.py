"""Celery's worker in this process, its messages in memory and in a real Redis that is not always there."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest
from structlog.contextvars import bound_contextvars

from fediblog import db, queue
from fediblog.queue import Job
from fediblog.services import work
from fediblog.tasks import runner as running
from fediblog.tasks.schedule import beating
from fediblog.tasks.worker import working
from tests.tasks.conftest import until


@asynccontextmanager
async def at_work(config, beat=False, **options):
    """A worker, and a beat when wanted."""
    with queue.sending(config) as app:
        async with working(app, "w@here", **options) as runner:
            if beat:
                async with beating(app, config):
                    yield runner
            else:
                yield runner


async def _left():
    return await db.value("SELECT count(*) FROM work")


async def _owe_many(number, first=0):
    for key in range(first, first + number):
        async with db.transaction():
            await work.owe(Job.MAIL, key)


@pytest.fixture
def impatient(monkeypatch):
    """The sweeps look and lose patience sooner, so that no test waits half a minute."""
    monkeypatch.setattr(work, "PATIENCE", 1000)
    monkeypatch.setattr(work.sweep, "__defaults__", (tuple(Job), 1000, 1000))
    monkeypatch.setattr(running, "_WATCH", 0.5)
    monkeypatch.setattr(running, "_QUIET", 1.0)
    monkeypatch.setattr(running, "_PATIENCE_WHEN_QUIET", 500)


@pytest.fixture
def deaf(monkeypatch):
    """The watch is off: all work must come through the broker."""

    async def nothing(_):
        return None

    monkeypatch.setattr(running.Runner, "watch", nothing)


async def test_what_is_owed_is_done_at_once_in_one_process(config, database, watched, deaf):
    async with at_work(config):
        await _owe_many(50)
        await watched.wait(50)
        await until(lambda: len(watched.keys) == 50)
    assert sorted(watched.keys, key=int) == [str(key) for key in range(50)]
    assert await _left() == 0


async def test_the_request_id_travels_through_the_broker(config, database, watched, deaf, lines):
    done = {}

    def both_are_done():
        told = [orjson.loads(line) for line in lines()]
        done.update({line["job"]: line for line in told if line["event"] == "job done"})
        return {"upkeep", "mail"} <= set(done)

    async with at_work(config):
        with bound_contextvars(request_id="from-the-web"):
            queue.nudge(Job.UPKEEP)
            await work.owe(Job.MAIL, 1)
        await until(both_are_done)
    assert done["upkeep"]["request_id"] == "from-the-web"
    assert done["mail"]["request_id"] == "from-the-web"


async def test_what_was_due_before_the_start_is_done(config, database, watched):
    await _owe_many(5)
    async with at_work(config):
        await watched.wait(5)
    assert await _left() == 0


async def test_a_worker_stops_in_good_order(config, database, watched):
    begun = asyncio.Event()

    async def act(_):
        begun.set()
        await asyncio.sleep(0.3)

    watched.act = act
    async with at_work(config):
        await _owe_many(3)
        await begun.wait()
    assert await _left() == 3 - len(watched.keys)
    assert await db.value("SELECT count(*) FROM work WHERE state <> 'due' OR crashes > 0") == 0


async def test_a_worker_that_starts_again_in_the_same_process_works(config, database, watched, deaf):
    for number in (1, 2):
        async with at_work(config):
            await _owe_many(1, first=number)
            await watched.wait(number)


async def test_the_clock_ticks_in_one_process(config, database, watched, monkeypatch, lines):
    async with at_work(config, beat=True):
        # The jobs of the start and the trays, then the sweep, which comes every five seconds.
        await until(lambda: watched.ticks >= 2)
        await until(lambda: any('"sweep"' in line and "job done" in line for line in lines()))


async def test_with_redis_all_is_done_too(configure, redis, database, watched, deaf):
    async with at_work(configure(redis__url=redis.url)):
        await _owe_many(50)
        await watched.wait(50)
    assert await _left() == 0


async def test_a_worker_of_one_queue_leaves_the_others(configure, redis, database, watched, impatient):
    async with at_work(configure(redis__url=redis.url), queues=["media"]):
        await work.owe(Job.MAIL, 1)
        await work.owe(Job.MEDIA, 2)
        await watched.wait(1)
        await asyncio.sleep(1.5)
    assert watched.keys == ["2"]


async def test_a_broker_that_forgets_everything_loses_nothing(
    configure, redis, database, watched, impatient, deaf
):
    config = configure(redis__url=redis.url)
    with queue.sending(config):
        await _owe_many(30)
        await until(lambda: _waiting(redis) == 30)
        redis.flush()
        assert _waiting(redis) == 0
    async with at_work(config, beat=True):
        await _owe_many(5, first=100)
        await watched.wait(5)
        redis.flush()
        await _owe_many(5, first=200)
        await watched.wait(40)
    assert len(set(watched.keys)) == 40
    assert await _left() == 0


async def test_the_sweep_goes_on_while_redis_is_away(configure, redis, database, watched, impatient):
    config = configure(redis__url=redis.url)
    async with at_work(config, beat=True):
        await _owe_many(3)
        await watched.wait(3)
        redis.stop()
        await _owe_many(20, first=10)
        await watched.wait(23)
        redis.start()
        await _owe_many(3, first=50)
        await watched.wait(26)
    assert len(set(watched.keys)) == 26
    assert await _left() == 0


async def test_a_worker_starts_without_redis_and_finds_it_later(
    configure, redis, database, watched, impatient, monkeypatch
):
    config = configure(redis__url=redis.url)
    redis.stop()
    async with at_work(config):
        await _owe_many(3)
        await watched.wait(3)
        redis.start()
        # From here on only messages count.
        monkeypatch.setattr(work, "sweep", _nothing)
        await until(lambda: _consumers(redis) > 0)
        await until(queue.reachable)
        await _owe_many(1, first=10)
        await watched.wait(4)


async def test_of_two_beats_one_ticks_and_the_other_takes_over(configure, redis, database, watched, lines):
    config = configure(redis__url=redis.url)
    with queue.sending(config) as app:
        async with beating(app, config):
            await until(lambda: redis.client().get("fediblog:beat"))
            holder = redis.client().get("fediblog:beat")
            second = beating(queue.make_app(config), config)
            await second.__aenter__()
            await asyncio.sleep(0.5)
            assert redis.client().get("fediblog:beat") == holder
        await until(lambda: redis.client().get("fediblog:beat") not in (None, holder))
        await second.__aexit__(None, None, None)
    assert redis.client().get("fediblog:beat") is None


async def _nothing(*_):
    return []


def _waiting(redis):
    with redis.client() as client:
        return client.llen("deliver")


def _consumers(redis):
    with redis.client() as client:
        return sum(1 for each in client.client_list() if each["cmd"] == "brpop")
