"""Rows become effects: what was taken in is handed to the handlers, in order for each actor (EGRESS §3.3).

Eight actors are served at a time, each in a lane of its own. Whatever takes longer than a second gives its
place to others and goes on beside them: a handler may have to ask a slow server, and that is nobody else's
trouble. How rows went is written down together, some times a second. Handlers may meet the same row twice:
what was killed is begun anew.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import structlog

from fediblog import moments, queue
from fediblog.activitypub.drains import Drains
from fediblog.activitypub.inbox import effects
from fediblog.activitypub.inbox.courtesy import crowd
from fediblog.activitypub.inbox.verdicts import outcome_of
from fediblog.errors import NoSpace, Unavailable
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import dropped, inbox_items, signers
from fediblog.services.inbox_items import Item, Outcome, State

log = structlog.get_logger()

_AT_ONCE = 8
_MOST_SLOW = 64
_BATCH = 50
_MOST_IN_HAND = 100
# Seconds: for one activity, before its place goes to others, before an actor is looked up again, for one
# round, between looks without a reason, after a fault of the database.
_SECONDS = 60.0
_PATIENCE = 1.0
_KNOWN = 1.0
_ROUND = 0.05
_BETWEEN_LOOKS = 0.25
_PAUSE = 1.0
_BETWEEN_EXPIRIES = 10.0
# So often those at the door are given way to, of 5 ms each.
_COURTESY = 20
# Nothing is begun that might outlive its lease.
_MARGIN = 75 * moments.SECOND
# After so long a drain that never comes to an end lets another begin: less than its job may take.
_SPELL = 600.0


class _Drain:
    """The rows in hand, a lane for each actor, and what is to be written down of them."""

    def __init__(self, owner: str) -> None:
        self._stopping = self._has_ended = False
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._until = time.monotonic() + _SPELL
        self._look_at = self._expire_at = 0.0
        self._lanes: dict[asyncio.Task[None], list[Item]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._slow = 0
        self._outcomes: list[Outcome] = []
        self._woken = True

    def wake(self) -> None:
        """There may be more."""
        self._woken = True

    def takes_more(self) -> bool:
        """Whether it looks for more when it is woken."""
        return not self._has_ended and not self._stopping and time.monotonic() <= self._until

    def stop(self) -> None:
        """Begin nothing more: what is not begun yet goes back at once."""
        self._stopping = True

    async def run(self) -> None:
        """Until nothing is due, or the stop. Cancelled, it returns what is in hand."""
        ended = False
        try:
            while self._woken or self._lanes or self._outcomes:
                await self._look()
                if self._lanes:
                    await asyncio.wait(self._lanes, timeout=_ROUND)
                await self._write_down()
            ended = True
        finally:
            self._has_ended = True
            if not ended:
                await self._return_all()
        if time.monotonic() > self._until:
            queue.nudge(Job.RECEIVE)

    async def _look(self) -> None:
        """Take more when there is a reason to think that there is more, and now and then without one."""
        if self._woken or time.monotonic() > self._look_at:
            self._woken = False
            self._look_at = time.monotonic() + _BETWEEN_LOOKS
            await self._fill()

    async def _fill(self) -> None:
        """Take what there is room for, and let a lane run for each actor."""
        if self._stopping or time.monotonic() > self._until:
            return
        found: list[Item] = []
        try:
            await self._lease(found)
            people = await signers.accounts({item.actor_uri for item in found}) if found else {}
            await effects.hear(people.values())
        except (Unavailable, NoSpace):
            self._return(found)
            if not self._lanes and not self._outcomes:
                raise
            await asyncio.sleep(_PAUSE)
            return
        for items in _by_actor(found):
            actor = people.get(items[0].actor_uri)
            lane = self._loop.create_task(self._lane(items, actor), name="inbox lane")
            self._lanes[lane] = items
            lane.add_done_callback(self._lane_ended)
        # As long as there is something, there may be more.
        self._woken = self._woken or bool(found)

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)
        # The database went away in the middle: what was left of the lane has been returned.
        if not lane.cancelled() and (error := lane.exception()) is not None:
            log.warning("activities of an actor are put off", reason=str(error))

    async def _lease(self, found: list[Item]) -> None:
        """Put what is due, and there is room for, into the list."""
        if time.monotonic() > self._expire_at:
            await inbox_items.expire()
            self._expire_at = time.monotonic() + _BETWEEN_EXPIRIES
        in_hand = [item for items in self._lanes.values() for item in items]
        room = min(_BATCH, _MOST_IN_HAND - (len(in_hand) - self._slow))
        if room > 0:
            found += await inbox_items.lease(self._owner, room)
        # What may be what kills us is taken alone, so that others are not blamed for it again and again.
        if not any(item.crashes for item in in_hand):
            found += await inbox_items.lease(self._owner, 1, suspects=True)

    async def _lane(self, items: list[Item], actor: Account | None) -> None:
        """What one actor has sent, in order. The list holds what has no outcome yet."""
        try:
            known_at = time.monotonic()
            while items and not self._stopping and items[0].lease_until - moments.now() > _MARGIN:
                doing = await self._effect(items, actor)
                if doing is None:
                    break
                self._outcomes.append(outcome_of(items[0], doing))
                item = items.pop(0)
                # What was done may have changed who it is, and so may others by now.
                if items and (_is_another(doing) or time.monotonic() - known_at > _KNOWN):
                    known_at = time.monotonic()
                    actor = (await signers.accounts({item.actor_uri})).get(item.actor_uri)
        finally:
            self._return(items)

    async def _effect(self, items: list[Item], actor: Account | None) -> asyncio.Task[bool] | None:
        """The first of the items has its effect. When that takes long, the others go back until it has.

        Gives the task when it has ended, with whatever came of it; None when the stop came before there was a
        place for it.
        """
        item = items[0]
        await self._places.acquire()
        await crowd.gone(_COURTESY)
        if self._stopping:
            self._places.release()
            return None
        free: Callable[[], None] = self._places.release
        doing = self._loop.create_task(_within(item, actor), name="activity")
        try:
            await asyncio.wait([doing], timeout=_PATIENCE)
            if not doing.done() and self._slow < _MOST_SLOW:
                self._places.release()
                self._slow, free = self._slow + 1, self._no_longer_slow
                rest = items[1:]
                del items[1:]
                self._return(rest)
            await asyncio.wait([doing])
        finally:
            free()
            if not doing.done():
                doing.cancel()
                await asyncio.wait([doing])
        return doing

    def _no_longer_slow(self) -> None:
        self._slow -= 1

    def _return(self, items: list[Item]) -> None:
        self._outcomes += [inbox_items.returned(item) for item in items]
        items.clear()

    async def _return_all(self) -> None:
        """We were told to stop at once. What may have been taken without our hearing of it goes back too."""
        for lane in list(self._lanes):
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        await self._write_down()
        await inbox_items.give_back(self._owner)

    async def _write_down(self) -> None:
        """What cannot be written now is written in a moment; a row that we lost belongs to others."""
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        try:
            await inbox_items.settle(self._owner, outcomes)
            await _count_dropped(outcomes)
            # An actor's next rows were waiting for these.
            self._woken = True
        except (Unavailable, NoSpace) as error:
            log.warning("what became of activities cannot be written", reason=error.message)
            self._outcomes = [*outcomes, *self._outcomes]
            await asyncio.sleep(_PAUSE)


async def _within(item: Item, actor: Account | None) -> bool:
    async with asyncio.timeout(_SECONDS):
        return await effects.of(item, actor)


def _is_another(doing: asyncio.Task[bool]) -> bool:
    """Whether the actor may be another after this."""
    return doing.cancelled() or doing.exception() is not None or doing.result()


def _by_actor(found: Sequence[Item]) -> list[list[Item]]:
    lanes: defaultdict[str, list[Item]] = defaultdict(list)
    for item in found:
        lanes[item.actor_uri].append(item)
    return list(lanes.values())


async def _count_dropped(outcomes: Sequence[Outcome]) -> None:
    reasons = Counter(each.error for each in outcomes if each.state is State.DONE and each.error)
    for reason, number in sorted(reasons.items()):
        await dropped.count(reason, number)


_drains = Drains(
    Job.RECEIVE, _Drain, inbox_items.release, "activities of a worker that vanished are due again"
)
begin, drain, stop = _drains.begin, _drains.drain, _drains.stop
