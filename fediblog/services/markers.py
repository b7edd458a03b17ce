"""Markers: how far somebody has read a timeline, shared by the site and all apps."""

from collections.abc import Iterable
from typing import NamedTuple

from fediblog import db, moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import BIGGEST

HOME = "home"
NOTIFICATIONS = "notifications"
TIMELINES = (HOME, NOTIFICATIONS)


class Marker(NamedTuple):
    """The last id that was read. `version` grows with every change."""

    last_read_id: int
    version: int
    updated_at: int


async def get(account: Account, timelines: Iterable[str] = TIMELINES) -> dict[str, Marker]:
    """The markers that were ever set, by timeline. Names that do not exist are left out."""
    found = await db.rows(
        "SELECT timeline, last_read_id, version, updated_at FROM marker WHERE account_id = $1", account.id
    )
    wanted = tuple(timelines)
    return {line.pop("timeline"): Marker(**line) for line in found if line["timeline"] in wanted}


async def set(account: Account, timeline: str, last_read_id: int, back: bool = False) -> Marker:
    """Move a marker forward and give where it stands now; with `back` it may move to an older place too.

    Raises Invalid for an unknown timeline or an impossible id.
    """
    if timeline not in TIMELINES:
        raise Invalid("There is no such timeline.", "timeline")
    if not 0 <= last_read_id <= BIGGEST:
        raise Invalid("That is not an id.", "last_read_id")
    sql = _SET + ("" if back else " WHERE excluded.last_read_id > marker.last_read_id")
    async with db.transaction():
        found = await db.row(f"{sql} {_RETURNING}", account.id, timeline, last_read_id, moments.now())
        found = found or await db.row(_GET, account.id, timeline)
    return Marker(**(found or {}))


_SET = """
INSERT INTO marker (account_id, timeline, last_read_id, version, updated_at) VALUES ($1, $2, $3, 1, $4)
ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id,
    version = marker.version + 1, updated_at = excluded.updated_at
"""
_RETURNING = "RETURNING last_read_id, version, updated_at"
_GET = "SELECT last_read_id, version, updated_at FROM marker WHERE account_id = $1 AND timeline = $2"
