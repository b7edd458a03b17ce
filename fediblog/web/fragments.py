"""The parts of pages that are the same for everybody, kept by what they are of and its version.

A new version is a new key, so nothing has to be told to other processes (TIMELINES §5). The least used go
first when the budget is spent.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[int | str, ...]  # The id, the version, and whatever else it was made from.


class Shelf(Generic[T]):
    """Things by key, up to so many bytes as their owner says they weigh."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: OrderedDict[Key, tuple[T, int]] = OrderedDict()
        self._left = most_bytes

    def get(self, key: Key) -> T | None:
        """What is kept for the key, None when it is not here."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def find(self, keys: Collection[tuple[int, int]]) -> dict[int, T]:
        """Those of the ids and versions that are here, by id."""
        return {key[0]: found for key in keys if (found := self.get(key)) is not None}

    def put(self, key: Key, thing: T, weight: int) -> None:
        """Keep something. Whatever is too much goes."""
        if key not in self._kept:
            self._kept[key] = thing, weight
            self._left -= weight
        while self._left < 0:
            _, (_, freed) = self._kept.popitem(last=False)
            self._left += freed
