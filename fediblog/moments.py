"""Time as fediblog keeps it: whole milliseconds since 1970, UTC, in every table and on both databases.

Integers compare the same way everywhere, need no time zone and no driver's opinion. They become text only
at the doors. Durations are measured with the monotonic clock by whoever needs one.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def when(moment: int) -> datetime:
    """The same moment as an aware datetime in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC)


def of(when: datetime) -> int:
    """A datetime as a moment; without a zone it is UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def iso(moment: int) -> str:
    """`2026-11-22T21:45:00.123Z`: always three decimals, which some apps insist on (CLIENT-API §3.3.4)."""
    return when(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


def iso_day(moment: int) -> str:
    """`2026-11-22`, the day in UTC."""
    return _iso_day(moment // DAY)


@lru_cache(1_024)
def _iso_day(number: int) -> str:
    return when(number * DAY).strftime("%Y-%m-%d")


def day(moment: int) -> int:
    """The number of the UTC day that this moment falls into, counted from 1970."""
    return moment // DAY


def day_start(number: int) -> int:
    """The first millisecond of a day as `day` numbers it."""
    return number * DAY
