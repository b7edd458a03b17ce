"""How it went with an activity: done, dropped with a reason, later, or a crash of ours."""

import asyncio

import structlog

from fediblog import moments
from fediblog.errors import Conflict, FediblogError, NoSpace, TooMany, Unavailable
from fediblog.http import Unreachable, Unwelcome
from fediblog.services import inbox_items, work
from fediblog.services.inbox_items import Item, Outcome

log = structlog.get_logger()

# What another server's absence is worth: after these pauses the activity is dropped.
_PLAN = tuple(
    number * unit
    for number, unit in (
        *((20, moments.SECOND), (1, moments.MINUTE), (5, moments.MINUTE), (30, moments.MINUTE)),
        *((2, moments.HOUR), (6, moments.HOUR), (12, moments.HOUR), (24, moments.HOUR)),
    )
)
# Our own troubles pass, and nothing that was acknowledged is lost by them.
_OURS = (Unavailable, NoSpace, TooMany)
# Two that write the same at the same time: the second finds it the next time.
_MOST_CONFLICTS = 3
_TEMPORARY = (408, 425, 429)


def outcome_of(item: Item, doing: asyncio.Task[bool]) -> Outcome:
    """What is to be written of a row whose effect has ended, well or not."""
    if doing.cancelled():
        return inbox_items.returned(item)
    error = doing.exception()
    if error is None:
        return inbox_items.done(item)
    if isinstance(error, _OURS) or (isinstance(error, Conflict) and item.attempts < _MOST_CONFLICTS):
        return inbox_items.later(item, reason_of(error), min(work.pause(item.attempts + 1), moments.HOUR))
    if isinstance(error, FediblogError) and error.http_status != FediblogError.http_status:
        if _passes(error) and item.attempts < len(_PLAN):
            return inbox_items.later(item, reason_of(error), _PLAN[item.attempts])
        log.info("activity dropped", uri=item.uri, reason=reason_of(error))
        return inbox_items.done(item, reason_of(error))
    log.error("activity failed", uri=item.uri, crashes=item.crashes + 1, exc_info=error)
    return inbox_items.crashed(item, f"{type(error).__name__}: {error}")


def reason_of(error: FediblogError) -> str:
    """A word or two of ours to count by: `forged: origin`, `notfound`."""
    kind = type(error).__name__.lower()
    reason = getattr(error, "reason", "")
    return f"{kind}: {reason}" if reason else kind


def _passes(error: FediblogError) -> bool:
    """Whether another server may be able to do tomorrow what it cannot do today."""
    if isinstance(error, Unwelcome):
        return error.status >= 500 or error.status in _TEMPORARY
    return isinstance(error, Unreachable)
