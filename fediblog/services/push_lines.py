"""Who may be asked now: push services in lines, so that none that is slow or dead holds up anything else.

A worker has few hands, and a service that hangs would soon have them all. So there are two lines: one for
services that answered quickly the last time, one for all others, among them those that somebody made up. A
service has two places in the one and one in the other, and nobody stands behind a request that takes long. A
service that gave no answer rests, each time for longer.

Each process finds out for itself. What a service answers is about one device, and says nothing of the others.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fediblog import http
from fediblog.errors import Unavailable

_QUICK_PLACES, _QUICK_OF_ONE = 3, 2
_OTHER_PLACES, _OTHER_OF_ONE = 3, 1
_MOST_KNOWN = 1_000
# Seconds: what is quick, and how long anybody stands in a line.
_SHORT = 1.0
_LATER = 20
_FIRST_REST, _LONGEST_REST = 60.0, 3_600.0


class _Places:
    """So many at once. Who finds no place soon comes again later."""

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(number)
        self._since: list[float] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A place for the time of the block. Raises Unavailable."""
        if self._free.locked() and min(self._since, default=math.inf) < time.monotonic() - _SHORT:
            raise _later(_LATER)
        try:
            async with asyncio.timeout(_SHORT):
                await self._free.acquire()
        except TimeoutError:
            raise _later(_LATER) from None
        since = time.monotonic()
        self._since.append(since)
        try:
            yield
        finally:
            self._since.remove(since)
            self._free.release()


class _Service:
    """What is known of one push service."""

    def __init__(self) -> None:
        self._quick, self._other = _Places(_QUICK_OF_ONE), _Places(_OTHER_OF_ONE)
        self.quick = False
        self._silences = 0
        self._rests_until = 0.0

    @property
    def places(self) -> _Places:
        """How much of its line it may take."""
        return self._quick if self.quick else self._other

    def check(self) -> None:
        """Raises Unavailable while it rests."""
        if (left := self._rests_until - time.monotonic()) > 0:
            raise _later(math.ceil(left))

    def answered(self, seconds: float) -> None:
        """It lives, and took so long."""
        self.quick = seconds < _SHORT
        self._silences, self._rests_until = 0, 0.0

    def kept_silent(self) -> None:
        """It did not answer. Several asked at once have been silent once."""
        self.quick = False
        now = time.monotonic()
        if self._rests_until <= now:
            self._rests_until = now + min(_FIRST_REST * 2.0**self._silences, _LONGEST_REST)
            self._silences += 1


class Lines:
    """The lines of one process."""

    def __init__(self) -> None:
        self._quick, self._others = _Places(_QUICK_PLACES), _Places(_OTHER_PLACES)
        self._known: OrderedDict[str, _Service] = OrderedDict()

    @asynccontextmanager
    async def turn(self, origin: str) -> AsyncIterator[None]:
        """Ask the service there within the block, and let what http.post raises out of it.

        Raises Unavailable when it cannot be asked now, or does not answer.
        """
        service = self._service(origin)
        service.check()
        line = self._quick if service.quick else self._others
        async with service.places.one(), line.one():
            service.check()  # It may have been silent to others meanwhile.
            started = time.monotonic()
            try:
                yield
            except http.Outside as error:
                service.kept_silent()
                raise Unavailable("The push service does not answer.", retry_after=_LATER) from error
            service.answered(time.monotonic() - started)

    def _service(self, origin: str) -> _Service:
        service = self._known.setdefault(origin, _Service())
        self._known.move_to_end(origin)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return service


def _later(seconds: int) -> Unavailable:
    return Unavailable("The push service cannot be asked now.", retry_after=seconds)
