"""A lane: the letters for one server, in their order, until there are none, it fails, or its time is over."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence

import structlog

from fediblog import db, moments
from fediblog.activitypub.delivery import attempts, plan
from fediblog.activitypub.delivery.attempts import Result, Verdict
from fediblog.activitypub.delivery.envelopes import Envelopes
from fediblog.activitypub.delivery.recorder import Permit, Recorder
from fediblog.activitypub.delivery.slots import Place, Slots
from fediblog.errors import NoSpace, Unavailable
from fediblog.queue import Job
from fediblog.services import outgoing, servers, work
from fediblog.services.outgoing import Host, Left, Letter, Put

log = structlog.get_logger()

# Rows are taken out so many at a time. Where there are more than half of it there may be several connections.
BATCH = 8
_DEEP = 4
_MOST_CONNECTIONS = 4
# The lease outlives what was begun last: 10 s to send it, twice when the first signature was refused.
_SECONDS = 10.0
# A lane that a fault of ours ended would be begun again at once, and end again.
_AFTER_A_FAULT = moments.MINUTE


class Lane:
    """One server. It ends with `recorder.leave`, whatever happens."""

    def __init__(self, host: Host, slots: Slots, envelopes: Envelopes, recorder: Recorder) -> None:
        self.stopping = False
        self._host = host
        self._slots = slots
        self._envelopes = envelopes
        self._recorder = recorder
        self._until = time.monotonic() + _SECONDS
        self._signs = ""
        self._trouble: Result | None = None
        self._well = False
        self._exhausted = False

    async def run(self, letters: Sequence[Letter]) -> None:
        """Deliver these, and then what else there is."""
        pause = _AFTER_A_FAULT
        try:
            async with self._slots.place() as place:
                while letters and await self._deliver_all(letters, place):
                    letters = await self._more() if len(letters) == BATCH else []
                self._exhausted = not letters
            pause = 0
        except (Unavailable, NoSpace, asyncio.CancelledError):
            pause = 0  # No fault of ours.
            raise
        finally:
            self._recorder.leave(await self._end(pause))

    async def _more(self) -> list[Letter]:
        # What has been answered is not taken out again only when that is written.
        await self._recorder.settled()
        found = (await outgoing.letters([self._host], BATCH))[self._host.id]
        await self._envelopes.fetch(letter.activity_id for letter in found)
        return found

    async def _deliver_all(self, letters: Sequence[Letter], place: Place) -> bool:
        """False when there is no use, or no time, to go on."""
        width = asyncio.Semaphore(_MOST_CONNECTIONS)
        lines = (self._one_by_one(line, place, width) for line in _lines(letters))
        # All of them end before the server is given back, whatever happens to one.
        for outcome in await asyncio.gather(*lines, return_exceptions=True):
            if outcome is not None:
                raise outcome
        # A server that failed and is well again is leased anew, as one of the healthy.
        return self._may_go_on() and self._host.fails == 0

    async def _one_by_one(self, letters: Sequence[Letter], place: Place, width: asyncio.Semaphore) -> None:
        async with width:
            for letter in letters:
                if not self._may_go_on():
                    return
                await self._deliver(letter, place)

    def _may_go_on(self) -> bool:
        return self._trouble is None and not self.stopping and time.monotonic() < self._until

    async def _deliver(self, letter: Letter, place: Place) -> None:
        permit = await self._recorder.admit()
        try:
            put = await self._attempt(letter, place, permit)
        except BaseException:
            permit.end()
            raise
        self._recorder.put(put, permit)

    async def _attempt(self, letter: Letter, place: Place, permit: Permit) -> Put:
        """Raises what the database says when it is away."""
        sent = await place.send(self._send(letter), permit.suspended())
        match sent.exception():
            case None:
                return await self._put(letter, sent.result())
            case Unavailable() | NoSpace() as away:
                raise away
            case poison:
                return _crashed(letter, poison)

    async def _send(self, letter: Letter) -> Result:
        envelope = await self._envelopes.get(letter.activity_id)
        if envelope is None:
            return Result(Verdict.NEVER, "nobody can sign it any more")
        signs = self._signs or self._host.signs
        result = await attempts.deliver(envelope, letter.inbox, self._host.domain, signs)
        self._signs = result.signs or self._signs
        return result

    async def _put(self, letter: Letter, result: Result) -> Put:
        now = moments.now()
        match result.verdict:
            case Verdict.SERVER_FAILS:
                self._trouble = self._trouble or result
                return Put(letter.id, "due", result.error)
            case Verdict.ARRIVED:
                self._well = True
                return Put(letter.id, "done")
            case Verdict.REFUSED if letter.refusals + 1 < plan.MOST_REFUSALS:
                self._well = True
                due_at = now + plan.refusal_pause(letter.refusals + 1)
                return Put(letter.id, "due", result.error, due_at, refusals=1)
            case Verdict.GONE:
                await _look_again(letter.inbox)
        self._well = True
        return Put(letter.id, "failed", result.error, refusals=1)

    async def _end(self, pause: int) -> Left:
        """How the server is left. One failure after a success is the first one."""
        if self._trouble is not None:
            return await self._failed(self._trouble)
        next_at = None if self._exhausted else moments.now() + pause
        if self._host.fails and not self._well:  # Nothing was tried.
            return Left(self._host, self._host.fails, self._host.failing_since, "", next_at, self._signs)
        return Left(self._host, next_at=next_at, signs=self._signs)

    async def _failed(self, trouble: Result) -> Left:
        host, now = self._host, moments.now()
        fails = 1 if self._well else host.fails + 1
        since = now if self._well or host.failing_since is None else host.failing_since
        # It may ask for more time, and not for less: else it could have us knock all day.
        pause = max(plan.host_pause(fails, now - since), (trouble.wait or 0) * moments.SECOND)
        if servers.is_given_up(since, now):
            dropped = await outgoing.give_up(host)
            log.warning("a server has not answered for a week", server=host.domain, dropped=dropped)
        return Left(host, fails, since, trouble.error, now + pause, self._signs)


def _lines(letters: Sequence[Letter]) -> list[list[Letter]]:
    """What goes over one connection: a few letters together, many by sender.

    What one sender wrote stays in order: an edit never comes before its post.
    """
    if len(letters) <= _DEEP:
        return [list(letters)]
    by_sender: defaultdict[int | None, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_sender[letter.account_id].append(letter)
    return list(by_sender.values())


def _crashed(letter: Letter, error: BaseException) -> Put:
    """A letter that we cannot send keeps nobody else waiting; after some tries it is put aside (R6)."""
    log.error("a letter cannot be sent", delivery=letter.id, exc_info=error)
    crashes = letter.refusals + 1
    state = "quarantined" if crashes >= plan.MOST_CRASHES else "due"
    due_at = moments.now() + plan.crash_pause(crashes)
    return Put(letter.id, state, ascii(error)[:500], due_at, refusals=1)


async def _look_again(inbox: str) -> None:
    """An inbox that is gone: are those whose it was gone too? Who is follows nobody any more."""
    async with db.transaction():
        for account_id in await outgoing.behind(inbox):
            await work.owe(Job.REFRESH, account_id)
