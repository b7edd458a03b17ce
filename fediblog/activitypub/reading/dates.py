"""Dates as others write them -> milliseconds (SECURITY §9 R11): with fractions, offsets, or none of it."""

import re
from datetime import UTC, datetime
from typing import Any

from fediblog import moments

# 2000-01-01: nothing in the fediverse is older.
_EARLIEST = 946_684_800_000
# The last day that can be written, in every time zone: what comes after it breaks whoever has to write it.
_LATEST = 253_402_214_400_000
_LONGEST = 64
# xsd:duration (RFC of ActivityStreams §4.1 `duration`), as far as films need it.
_DURATION = re.compile(
    r"P(?:(?P<days>[0-9]{1,6})D)?(?:T(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,6})M)?"
    r"(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?",
    re.ASCII,
)
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def parsed(value: Any) -> int | None:
    """The moment that is written, from 2000 to 9999; None for what is no date. Without an offset: UTC."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(_EARLIEST, int(aware.timestamp() * 1_000)), _LATEST)
    except (ValueError, OverflowError):
        return None


def past(value: Any) -> int | None:
    """The same, and not later than now."""
    moment = parsed(value)
    return None if moment is None else min(moment, moments.now())


def seconds(value: Any) -> float | None:
    """How long a film or a sound lasts: `PT1H2M3.5S`, or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < 1e9 else None
    found = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if found is None:
        return None
    return sum(float(found[name] or 0) * length for name, length in _SECONDS.items()) or None
