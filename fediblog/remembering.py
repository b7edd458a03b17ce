"""What one process remembers for itself, within bounds: nothing here is the truth, and all of it may be lost.

Shelf       things that never change under their key, up to so many bytes
Recent      things by name, each for a while, the latest so many
Lately      one thing that is read anew after a while
Together    those who want the same thing at the same time get it by one look
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import Generic, TypeVar

from fediblog.config import Config, settings

T = TypeVar("T")


class Shelf(Generic[T]):
    """Things by key, up to so many bytes as their owner says they weigh; the least used go first.

    The key is all that a thing is made of, the version with the id: a new version is a new key, so nothing
    has to be told to other processes (TIMELINES §5).
    """

    def __init__(self, most_bytes: int) -> None:
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._left = most_bytes

    def get(self, key: Hashable) -> T | None:
        """What is kept for the key, None when it is not here."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def find(self, keys: Collection[tuple[int, int]]) -> dict[int, T]:
        """Those of the ids and versions that are here, by id."""
        return {key[0]: found for key in keys if (found := self.get(key)) is not None}

    def put(self, key: Hashable, thing: T, weight: int) -> None:
        """Keep something. Whatever is too much goes."""
        if key not in self._kept:
            self._kept[key] = thing, weight
            self._left -= weight
        while self._left < 0:
            _, (_, freed) = self._kept.popitem(last=False)
            self._left += freed


class Recent(Generic[T]):
    """Things by name, each for its own time; what nobody asked for longest goes when there are too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[T, float]] = OrderedDict()

    def get(self, name: Hashable) -> T | None:
        """None for what is not known, or not any more."""
        kept = self._kept.get(name)
        if kept is None or kept[1] < time.monotonic():
            self._kept.pop(name, None)
            return None
        self._kept.move_to_end(name)
        return kept[0]

    def put(self, name: Hashable, thing: T, seconds: float) -> None:
        """Remember it for so long."""
        self._kept[name] = thing, time.monotonic() + seconds
        self._kept.move_to_end(name)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, name: Hashable) -> None:
        """Forget it."""
        self._kept.pop(name, None)


class Lately(Generic[T]):
    """What `read` gives, some seconds old at most. With another configuration it is read anew."""

    def __init__(self, seconds: float, read: Callable[[], Awaitable[T]]) -> None:
        self._seconds = seconds
        self._read = read
        self._kept: tuple[Config, float, T] | None = None

    async def get(self) -> T:
        """It as it was a moment ago, or is now."""
        config, kept = settings(), self._kept
        if kept is not None and kept[0] is config and time.monotonic() < kept[1]:
            return kept[2]
        found = await self._read()
        self._kept = (config, time.monotonic() + self._seconds, found)
        return found

    def forget(self) -> None:
        """Read it anew the next time."""
        self._kept = None


class Together(Generic[T]):
    """Those who want the same thing at the same time get it together."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        """How many things are being got at this moment."""
        return len(self._under_way)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._under_way

    async def get(self, name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or what somebody else is getting under this name already. Raises as it does.

        Who gives up waiting ends nothing for the others.
        """
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.ensure_future(_awaited(make))
            self._under_way[name] = task
            task.add_done_callback(lambda done: self._forget(name, done))
        return await asyncio.shield(task)

    def _forget(self, name: Hashable, done: "asyncio.Task[T]") -> None:
        del self._under_way[name]
        if not done.cancelled():
            done.exception()  # Looked at, so that nobody complains when all have given up.


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
