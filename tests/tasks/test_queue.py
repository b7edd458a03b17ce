"""Nudges: sent after the commit, never in anybody's way, and lost without harm."""

import asyncio
import time

import pytest

from fediblog import bells, db, queue
from fediblog.queue import QUEUES, Job
from tests.tasks.conftest import until

pytestmark = pytest.mark.once


@pytest.fixture
def sent(monkeypatch):
    """What reaches the broker."""
    messages = []
    monkeypatch.setattr(queue, "send", lambda app, *message: messages.append(message))
    return messages


@pytest.fixture
def sender(config, sent):
    with queue.sending(config):
        yield queue


async def test_a_nudge_waits_for_the_commit(database, sender, sent):
    async with db.transaction():
        queue.nudge(Job.MAIL, 7)
        await asyncio.sleep(0.05)
        assert sent == []
    await until(lambda: sent == [(Job.MAIL, (7,), "")])


async def test_what_is_rolled_back_nudges_nobody(database, sender, sent):
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            queue.nudge(Job.MAIL, 7)
            raise ZeroDivisionError
    queue.nudge(Job.MAIL, 8)
    await until(lambda: sent)
    assert sent == [(Job.MAIL, (8,), "")]


async def test_a_job_that_looks_itself_for_what_is_due_is_nudged_now_and_then(sender, sent):
    """The first goes at once, the last is never left out, and no other job waits for it."""
    for _ in range(50):
        queue.nudge(Job.DELIVER)
    queue.nudge(Job.RECEIVE)
    for number in range(5):
        queue.nudge(Job.MAIL, number)
    await until(lambda: len(sent) == 8)
    assert sent[0] == (Job.DELIVER, (), "")
    assert sent[-1] == (Job.DELIVER, (), "")
    assert [job for job, *_ in sent].count(Job.RECEIVE) == 1
    await asyncio.sleep(2 * bells.REST)
    queue.nudge(Job.DELIVER)
    await until(lambda: len(sent) == 9)


async def test_what_rests_when_the_process_ends_is_handed_over(config, sent):
    with queue.sending(config):
        for _ in range(3):
            queue.nudge(Job.DELIVER)
    assert sent == [(Job.DELIVER, (), "")] * 2


def test_without_a_sender_a_nudge_is_nothing(config):
    queue.nudge(Job.MAIL, 1)
    assert not queue.reachable()


async def test_a_broker_that_is_down_costs_one_line_and_no_time(configure, lines):
    # Nobody listens on the discard port.
    config = configure(redis__url="redis://127.0.0.1:9/0")
    with queue.sending(config):
        started = time.perf_counter()
        for number in range(1000):
            queue.nudge(Job.MAIL, number)
        assert time.perf_counter() - started < 10
        await until(lambda: not queue.reachable())
        for number in range(1000):
            queue.nudge(Job.MAIL, number)
    told = [line for line in lines() if "nudges lost" in line]
    assert len(told) == 1


async def test_a_broker_that_hangs_blocks_nobody(config, monkeypatch):
    def hang(*_):
        time.sleep(0.5)

    monkeypatch.setattr(queue, "send", hang)
    monkeypatch.setattr(queue, "_MOST_WAITING", 10)
    with queue.sending(config):
        started = time.perf_counter()
        for number in range(100):
            queue.nudge(Job.MAIL, number)
        assert time.perf_counter() - started < 10


def test_messages_are_json_and_nothing_else(config):
    conf = queue.make_app(config).conf
    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.task_ignore_result
    assert not conf.worker_enable_remote_control
    assert list(conf.task_queues) == list(QUEUES)


def test_a_redis_that_hangs_is_given_up_soon(configure):
    options = queue.make_app(configure(redis__url="redis://localhost/0")).conf.broker_transport_options
    assert options["socket_connect_timeout"] <= 5
    assert options["socket_timeout"] <= 10
