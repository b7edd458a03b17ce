"""Counting hits and failures."""

import asyncio

import pytest

from fediblog import db, moments
from fediblog.errors import TooMany
from fediblog.services import throttle
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _database(database: None) -> None:
    """Every test here counts."""


async def test_one_more_than_allowed_is_refused_until_the_window_is_over(clock: Clock):
    for _ in range(3):
        await throttle.hit("a", 3, 60)
    clock.forward(20 * moments.SECOND)
    with pytest.raises(TooMany) as refused:
        await throttle.hit("a", 3, 60)
    assert 39 <= refused.value.retry_after <= 41
    await throttle.hit("b", 3, 60)
    clock.forward(41 * moments.SECOND)
    await throttle.hit("a", 3, 60)


async def test_hits_at_the_same_moment_are_all_counted():
    outcomes = await asyncio.gather(*(throttle.hit("a", 5, 60) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 7


async def test_what_is_cleared_starts_anew():
    await throttle.hit("a", 1, 60)
    await throttle.clear("a")
    await throttle.hit("a", 1, 60)


async def test_what_is_only_left_out_is_counted_the_same_way():
    assert [await throttle.allowed("a", 2, 60) for _ in range(4)] == [True, True, False, False]


async def test_each_failure_after_the_tenth_doubles_the_wait(clock: Clock):
    for _ in range(10):
        await throttle.check("a", "b")
        await throttle.failed("a")
    waits = []
    for _ in range(6):
        with pytest.raises(TooMany) as refused:
            await throttle.check("b", "a")
        waits.append(refused.value.retry_after)
        clock.forward(refused.value.retry_after * moments.SECOND)
        await throttle.check("b", "a")
        await throttle.failed("a")
    assert waits == [60, 120, 240, 480, 900, 900]
    clock.forward(moments.HOUR)
    await throttle.check("a")
    await throttle.failed("a")
    assert await db.value("SELECT hits FROM throttle WHERE bucket = 'a'") == 1


async def test_rate_limits_can_be_switched_off(configure):
    configure(limits__rate_limits=False)
    for _ in range(20):
        await throttle.hit("a", 1, 60)
        await throttle.failed("a")
        await throttle.check("a")


async def test_a_bucket_does_not_say_whom_it_is_for():
    name = throttle.bucket("sign up", "192.0.2.7")
    assert name.startswith("sign up:")
    assert "192.0.2.7" not in name
    assert name != throttle.bucket("sign up", "192.0.2.8")
    assert name.split(":")[1] != throttle.bucket("reset", "192.0.2.7").split(":")[1]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_one_subscriber_is_one_caller(address, network):
    assert throttle.network(address) == network
