"""When it is tried again (SECURITY §9 R4). Pure. All times are in milliseconds."""

import random

from fediblog import moments

# For so long after the first failure the pause is this. The first two pauses are shorter still.
_FIRST = (20 * moments.SECOND, 40 * moments.SECOND)
_THEN = (
    (moments.HOUR, moments.MINUTE),
    (7 * moments.HOUR, 5 * moments.MINUTE),
    (31 * moments.HOUR, moments.HOUR),
    (7 * moments.DAY, 12 * moments.HOUR),
)
_WEEKLY = 7 * moments.DAY
_JITTER = 0.15

# A letter that is refused for itself is tried three times over a day.
MOST_REFUSALS = 3
_REFUSED = (2 * moments.HOUR, 22 * moments.HOUR)

# A letter that we cannot send is our own fault: a little later it may have been mended.
MOST_CRASHES = 5
_CRASHED = 10 * moments.MINUTE


def host_pause(fails: int, failing_for: int) -> int:
    """How long to leave a server alone that has failed so many times in a row, over such a time."""
    if fails <= len(_FIRST) and failing_for < _THEN[0][0]:
        return _with_jitter(_FIRST[fails - 1])
    return _with_jitter(next((pause for until, pause in _THEN if failing_for < until), _WEEKLY))


def refusal_pause(refusals: int) -> int:
    """How long to wait after the refusal of this number (from 1) of one letter."""
    return _with_jitter(_REFUSED[min(refusals, len(_REFUSED)) - 1])


def crash_pause(crashes: int) -> int:
    """How long to wait after a fault of our own."""
    return _with_jitter(crashes * _CRASHED)


def _with_jitter(length: int) -> int:
    # Earlier, never later: "within 60 s of its recovery" holds.
    return round(length * random.uniform(1 - _JITTER, 1))  # noqa: S311 - spreads load, no secret
