"""How much each caller of the API may ask for, and what is left of it (CLIENT-API §3.9).

Counted in memory: a request costs no statement and no question to Redis. With Redis the processes of a site
tell each other once a second how many they have counted, so a burst over several of them may get a second's
worth more. Windows are cut from the clock, so all of them speak of the same one. What must hold to the
letter, such as guessing passwords, is counted in the database (`services/throttle`).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fediblog import moments
from fediblog.config import Config
from fediblog.ending import end

log = structlog.get_logger()

_PAUSE = 1.0
_PATIENCE = 2.0
# So many callers are told apart at a time; beyond them nobody new is counted until the window ends.
_MOST_CALLERS = 100_000


class Allowance(NamedTuple):
    """What a caller has: `left` is negative for whoever has asked too often, `until` is a moment."""

    most: int
    left: int
    until: int


class Budget(NamedTuple):
    """So many within so many seconds. `name` keeps its counters apart from those of others."""

    name: str
    most: int
    seconds: int


@dataclass(slots=True)
class _Window:
    """One window of a budget: what all callers have taken, and what the other processes do not know yet."""

    number: int
    counts: dict[str, int] = field(default_factory=dict)
    untold: dict[str, int] = field(default_factory=dict)


_windows: dict[Budget, _Window] = {}
_wire: "_Wire | None" = None


def open(config: Config) -> None:
    """From now on others count with us, where there are some."""
    global _wire
    if not config.embedded:
        _wire = _Wire(config.redis.url.get_secret_value(), f"fediblog:{config.domain}:allowance")


async def close() -> None:
    """Count for oneself alone, from the beginning."""
    global _wire
    wire, _wire = _wire, None
    forget()
    if wire is not None:
        await wire.close()


def forget() -> None:
    """Begin to count anew. What others have counted comes back at the next exchange."""
    _windows.clear()


def take(budget: Budget, caller: str) -> Allowance:
    """Count once for this caller."""
    number = moments.now() // (budget.seconds * moments.SECOND)
    window = _windows.get(budget)
    if window is None or window.number != number:
        window = _windows[budget] = _Window(number)
    count = window.counts.get(caller, 0) + 1
    if count > 1 or len(window.counts) < _MOST_CALLERS:
        window.counts[caller] = count
        if _wire is not None:
            window.untold[caller] = window.untold.get(caller, 0) + 1
            _wire.wake()
    return Allowance(budget.most, budget.most - count, (number + 1) * budget.seconds * moments.SECOND)


class _Wire:
    """Tells Redis what has been counted here, and learns what others have."""

    def __init__(self, url: str, prefix: str) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)
        self._prefix = prefix
        self._telling: asyncio.Task[None] | None = None

    def wake(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), name="allowances")

    async def close(self) -> None:
        if self._telling is not None:
            await end(self._telling)
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _tell(self) -> None:
        await asyncio.sleep(_PAUSE)
        for budget, window in tuple(_windows.items()):
            untold, window.untold = window.untold, {}
            try:
                await self._exchange(budget, window, untold)
            except (RedisError, OSError) as error:
                # Each process counts for itself then, which is a limit still.
                log.warning("allowances are not shared", reason=type(error).__name__)

    async def _exchange(self, budget: Budget, window: _Window, untold: dict[str, int]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for caller, count in untold.items():
                key = f"{self._prefix}:{budget.name}:{window.number}:{caller}"
                pipe.incrby(key, count)
                pipe.expire(key, 2 * budget.seconds)
            totals: list[Any] = (await pipe.execute())[::2]
        for caller, total in zip(untold, totals, strict=True):
            window.counts[caller] = max(window.counts[caller], total)
