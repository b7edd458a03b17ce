"""Ids that sort by time: 43 bits of milliseconds since 1970, then 20 bits that keep neighbours apart.

A timeline pages by id, so the id is the order (ARCHITECTURE §5.7). 63 bits fit a signed BIGINT until the
year 2248. Within one process ids rise strictly; two processes meet on the same number once in about a
million ids made in the same millisecond, and then the primary key refuses the second.
"""

import secrets
import threading

from fediblog import moments

_LOW_BITS = 20
_LOW = 1 << _LOW_BITS
_lock = threading.Lock()
_last = 0


def new() -> int:
    """A fresh id for now, greater than every id this process has made before."""
    global _last
    with _lock:
        _last = max(_last + 1, at(moments.now()))
        return _last


def at(moment: int) -> int:
    """A fresh id for something that happened at `moment` (milliseconds), for backfilled posts."""
    return (moment << _LOW_BITS) | secrets.randbelow(_LOW)


def floor(moment: int) -> int:
    """The smallest id that `moment` can have: a bound for queries by time."""
    return moment << _LOW_BITS


def moment_of(number: int) -> int:
    """The millisecond in which an id was made."""
    return number >> _LOW_BITS
