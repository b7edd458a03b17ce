"""Taking turns: a few requests to one host at a time, and a ceiling over all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

MOST_PER_HOST = 4
# More than a delivery worker ever has open (64 slots, 1,000 that wait in the background), so that fetches
# find a place even then; far below the number of descriptors.
MOST_AT_ONCE = 1200


@dataclass
class _Line:
    """Those who want something of one host. Forgotten with the last of them."""

    places: asyncio.Semaphore
    people: int = 0


class Turns:
    """Who may ask now. Whoever waits for a busy host takes no place from the others."""

    def __init__(self, per_host: int = MOST_PER_HOST, overall: int = MOST_AT_ONCE) -> None:
        self._per_host = per_host
        self._all = asyncio.Semaphore(overall)
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, host: str) -> AsyncIterator[None]:
        """A turn at this host, for the time of the block; waits for as long as it takes."""
        line = self._lines.setdefault(host, _Line(asyncio.Semaphore(self._per_host)))
        line.people += 1
        try:
            async with line.places, self._all:
                yield
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[host]
