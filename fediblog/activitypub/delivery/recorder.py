"""How it went, written down together: what happens within a moment goes into one commit.

Between an answer and the commit that knows of it lies what would be sent twice after a kill -9. So there is a
bound on how much that may be; who would go beyond it waits for the next commit. Who is kept waiting by a slow
server does not count meanwhile: hundreds of those would hold up everybody, and whether such a letter has
arrived nobody can know anyway.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from fediblog.errors import NoSpace, Unavailable
from fediblog.services import outgoing
from fediblog.services.outgoing import Left, Put

log = structlog.get_logger()

# EGRESS §2.2: 256 costs nothing that can be measured, 64 a third of the rate.
MOST_UNRECORDED = 256
_MOMENT = 0.03
_PAUSE = 1.0


class Permit:
    """One letter may be sent; until `end` it is one that is sent and not recorded."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """It does not count within the block, and counts at once after it."""
        self._recorder.count(-1)
        try:
            yield
        finally:
            self._recorder.count(1)

    def end(self) -> None:
        """It has been recorded, or nothing came of it."""
        self._recorder.count(-1)


@dataclass
class _Batch:
    """What goes into one commit."""

    puts: list[tuple[Put, Permit]] = field(default_factory=list)
    lefts: list[Left] = field(default_factory=list)
    written: asyncio.Event = field(default_factory=asyncio.Event)


class Recorder:
    """Takes results of one worker and writes them down while `run` runs."""

    def __init__(self, owner: str, written: Callable[[], None]) -> None:
        """`written` is called when servers have been given back: some may be due again at once."""
        self._owner = owner
        self._tell = written
        self._batch = _Batch()
        self._last: _Batch | None = None
        self._something = asyncio.Event()
        self._unrecorded = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def idle(self) -> bool:
        """Whether all is written that has been given."""
        return self._last is None or self._last.written.is_set()

    async def admit(self) -> Permit:
        """Wait until one more may be under way."""
        while self._unrecorded >= MOST_UNRECORDED:
            self._room.clear()
            await self._room.wait()
        self.count(1)
        return Permit(self)

    def count(self, more: int) -> None:
        """So many more, or fewer, are sent and not recorded."""
        self._unrecorded += more
        if more < 0:
            self._room.set()

    def put(self, put: Put, permit: Permit) -> None:
        """One letter has been answered."""
        self._collecting().puts.append((put, permit))

    def leave(self, left: Left) -> None:
        """A lane has ended. Its letters are written down with it, never after it."""
        self._collecting().lefts.append(left)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._something.wait()
            await asyncio.sleep(_MOMENT)
            self._something.clear()
            batch, self._batch = self._batch, _Batch()
            await self._write(batch)

    async def settled(self) -> None:
        """Wait until all is written that has been given so far."""
        if self._last is not None:
            await self._last.written.wait()

    def _collecting(self) -> _Batch:
        self._last = self._batch
        self._something.set()
        return self._batch

    async def _write(self, batch: _Batch) -> None:
        """What was sent is written down, however long the database is away: soon nothing is sent then."""
        while True:
            try:
                await outgoing.settle(self._owner, [put for put, _ in batch.puts], batch.lefts)
                break
            except (Unavailable, NoSpace) as error:
                log.warning("what became of letters cannot be written", reason=error.message)
                await asyncio.sleep(_PAUSE)
        for _, permit in batch.puts:
            permit.end()
        batch.written.set()
        if batch.lefts:
            self._tell()
