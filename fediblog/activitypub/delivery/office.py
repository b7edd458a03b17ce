"""The post office of a process: servers are leased, each gets a lane, until nothing is due.

Healthy servers and failing ones have places of their own, so however many are dead, the living wait for none
of them.
"""

import asyncio
import time

import structlog

from fediblog import queue
from fediblog.activitypub.delivery.envelopes import Envelopes
from fediblog.activitypub.delivery.lanes import BATCH, Lane
from fediblog.activitypub.delivery.recorder import Recorder
from fediblog.activitypub.delivery.slots import Slots
from fediblog.activitypub.drains import Drains
from fediblog.config import settings
from fediblog.errors import NoSpace, Unavailable
from fediblog.queue import Job
from fediblog.services import outgoing
from fediblog.services.outgoing import Host, Letter

log = structlog.get_logger()

_HEALTHY = 64
_FAILING = 16
# Between two looks while lanes are busy; how soon others may begin a drain of their own.
_BETWEEN_LOOKS = 0.1
_SPELL = 40.0
_PAUSE = 1.0


async def drain() -> None:
    """Deliver until nothing is due; what runs already is only woken. While federation is off letters wait."""
    if settings().federation.enabled:
        await _drains.drain()


class _Office:
    """The lanes of one drain."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._until = time.monotonic() + _SPELL
        self._slots = {False: Slots(_HEALTHY), True: Slots(_FAILING)}
        self._woken = asyncio.Event()
        self._recorder = Recorder(owner, self.wake)
        self._envelopes = Envelopes()
        self._lanes: dict[asyncio.Task[None], Lane] = {}
        self._stopping = self._has_ended = False

    def wake(self) -> None:
        """There may be more."""
        self._woken.set()

    def takes_more(self) -> bool:
        """Whether it looks for more when it is woken."""
        return not self._has_ended and not self._over()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping = True
        for lane in self._lanes.values():
            lane.stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until nothing is due, the stop, or the end of the spell. What was leased is returned."""
        writing = self._loop.create_task(self._recorder.run(), name="delivery results")
        ended = False
        try:
            while await self._is_busy():
                await self._wait()
            ended = True
        finally:
            self._has_ended = True
            if not ended:
                await self._return_all()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        if not self._stopping and (self._over() or self._woken.is_set()):
            queue.nudge(Job.DELIVER)

    def _over(self) -> bool:
        return self._stopping or time.monotonic() >= self._until

    async def _is_busy(self) -> bool:
        """What ends a lane is only seen by a look that comes after it was written down."""
        busy = bool(self._lanes) or not self._recorder.idle
        return await self._look() or busy

    async def _look(self) -> bool:
        """Give lanes to servers that have something due. True when there may be more of them."""
        self._woken.clear()
        if self._over():
            return False
        found = [await self._open(failing) for failing in (False, True)]
        return any(found) or self._woken.is_set()

    async def _open(self, failing: bool) -> bool:
        slots = self._slots[failing]
        if slots.free < slots.number // 4 and self._lanes:
            return False  # One lease for many.
        hosts = await outgoing.lease(self._owner, slots.free, failing)
        if not hosts:
            return False
        letters = await (outgoing.probes(hosts) if failing else outgoing.letters(hosts, BATCH))
        await self._envelopes.fetch(letter.activity_id for some in letters.values() for letter in some)
        for host in hosts:
            self._start(host, slots, letters[host.id])
        return True

    def _start(self, host: Host, slots: Slots, letters: list[Letter]) -> None:
        lane = Lane(host, slots, self._envelopes, self._recorder)
        task = self._loop.create_task(lane.run(letters), name=f"lane of {host.domain}")
        self._lanes[task] = lane
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._lanes[task]
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Unavailable | NoSpace):
                log.warning("a lane has ended", reason=error.message)
            else:
                log.error("a lane has ended", exc_info=error)

    async def _wait(self) -> None:
        """Until a lane has ended, a nudge has come, or for a moment: somebody may have given a place back."""
        try:
            async with asyncio.timeout(_BETWEEN_LOOKS):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _return_all(self) -> None:
        """What has been answered is written down, and the servers are free for others."""
        for task in list(self._lanes):
            task.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        try:
            async with asyncio.timeout(_PAUSE):
                await self._recorder.settled()
            await outgoing.release(self._owner)
        except (TimeoutError, Unavailable, NoSpace):
            log.warning("servers could not be returned, their leases will run out")


_drains = Drains(Job.DELIVER, _Office, outgoing.release, "servers of a worker that vanished are free again")
begin, stop = _drains.begin, _drains.stop
