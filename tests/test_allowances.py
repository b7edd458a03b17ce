"""What several processes of a site count together."""

from collections.abc import Callable
from typing import Any

from fediblog import allowances
from fediblog.allowances import Budget
from fediblog.config import Config
from tests.harness.redis import RedisServer

_BUDGET = Budget("test", 10, 3_600)


async def _told() -> None:
    assert allowances._wire is not None and allowances._wire._telling is not None
    await allowances._wire._telling


async def test_another_process_learns_what_has_been_taken_here(
    configure: Callable[..., Config], redis: RedisServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(allowances, "_PAUSE", 0.01)
    config = configure(redis__url=redis.url)
    allowances.open(config)
    for _ in range(4):
        allowances.take(_BUDGET, "alice")
    await _told()
    await allowances.close()

    allowances.open(config)  # Another process: it knows nothing yet.
    assert allowances.take(_BUDGET, "alice").left == 9
    assert allowances.take(_BUDGET, "bob").left == 9
    await _told()
    assert allowances.take(_BUDGET, "alice").left == 10 - 4 - 2
    assert allowances.take(_BUDGET, "bob").left == 8
    await allowances.close()


async def test_without_redis_each_counts_for_itself(
    configure: Callable[..., Config], redis: RedisServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(allowances, "_PAUSE", 0.01)
    allowances.open(configure(redis__url=redis.url))
    redis.stop()
    assert [allowances.take(_BUDGET, "alice").left for _ in range(11)] == [*range(9, -2, -1)]
    await _told()
    assert allowances.take(_BUDGET, "alice").left == -2
    await allowances.close()
