"""The rows of the media cache (media_cache.py): what is there, how much, and what has to go."""

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fediblog import db, ids, moments, storage
from fediblog.config import settings
from fediblog.errors import NoSpace
from fediblog.services import locks
from fediblog.services.remote_files import Recipe

READY, FAILED = "ready", "failed"

_MEGABYTE = 1024 * 1024
_BATCH = 100
# That somebody has looked is written down this often at most: looking must not cost a write each time.
_TOUCH = moments.HOUR
# The floor under which nothing new is kept: so much, or a tenth of a small disk.
_FLOOR = 2 * 1024**3
_FLOOR_PART = 10


@dataclass(frozen=True, slots=True)
class Cached:
    """A row: a file that is there, or one that could not be had."""

    id: int
    state: str
    file: str
    small_file: str
    used_at: int

    @property
    def ready(self) -> bool:
        """Whether there is a file."""
        return self.state == READY


@dataclass(frozen=True, slots=True)
class Usage:
    """How much there is, and how much there may be."""

    files: int
    bytes: int
    failed: int
    limit_bytes: int
    days: int
    least_used_at: int | None


async def find(url: str, recipe: Recipe) -> Cached | None:
    """What is known of a file; None when there is nothing, or it is time to try again."""
    found = await db.row(_FIND, url, recipe.value)
    if found is None or (found["state"] == FAILED and found["again_at"] <= moments.now()):
        return None
    return _cached(found)


async def touch(cached: Cached) -> None:
    """Note that somebody has looked."""
    now = moments.now()
    if cached.used_at < now - _TOUCH:
        async with db.transaction():
            await db.execute("UPDATE cached_file SET used_at = $2 WHERE id = $1", cached.id, now)


async def keep(url: str, recipe: Recipe, mime: str, keys: tuple[str, str], size: int) -> Cached:
    """Write down that a file is there, its storage keys and how many bytes it takes in all."""
    return await _put(url, recipe, READY, mime=mime, file=keys[0], small_file=keys[1], bytes=size)


async def fail(url: str, recipe: Recipe, reason: str, again_at: int) -> Cached:
    """Write down that a file could not be had, and when to try again."""
    return await _put(url, recipe, FAILED, error=reason, again_at=again_at)


async def _put(url: str, recipe: Recipe, state: str, **given: Any) -> Cached:
    """The row as it is now. What another process may have put there meanwhile goes."""
    now = moments.now()
    values = {**_EMPTY, **given}
    async with db.transaction():
        await locks.hold(f"cached_file:{recipe}:{url}")
        old = await db.rows(_FIND, url, recipe.value)
        found = await db.row(_PUT, ids.new(), url, recipe.value, state, *values.values(), now)
    assert found is not None
    await _remove(line for line in old if line["file"] != values["file"])
    return _cached(found)


# --------------------------------------------------------------------------------------------------- room


async def usage() -> Usage:
    """The whole cache in numbers."""
    limits = settings().limits
    found = await db.row(_USAGE) or {}
    return Usage(
        **{name: int(found[name] or 0) for name in ("files", "bytes", "failed")},
        limit_bytes=_cap(),
        days=limits.media_cache_days,
        least_used_at=found["least_used_at"],
    )


async def make_room(size: int = 0) -> None:
    """Let so many more bytes fit under the bounds: the least used files go. Raises NoSpace if they do not."""
    if size > _cap():
        raise NoSpace
    while (excess := await _excess(size)) > 0:
        if not await _evict(excess):
            raise NoSpace


async def prune() -> int:
    """Throw away what nobody has looked at for long, and what is too much; gives the number of files."""
    before = moments.now() - settings().limits.media_cache_days * moments.DAY
    number = 0
    for sql, moment in ((_UNSEEN, before), (_OVER, moments.now())):
        while gone := await _delete(sql, moment):
            number += sum(bool(line["file"]) for line in gone)
    excess = await _excess(0)
    while excess > 0 and (evicted := await _evict(excess)):
        number += evicted
        excess = await _excess(0)
    return number


async def prunable() -> tuple[int, int]:
    """How many files, and bytes, `prune` would throw away now."""
    before = moments.now() - settings().limits.media_cache_days * moments.DAY
    old = await db.row(_COUNT_UNSEEN, before) or {}
    files, size = int(old["files"]), int(old["bytes"] or 0)
    over = await _excess(0) - size
    for line in await db.rows(_LEAST_USED, before) if over > 0 else ():
        if over <= 0:
            break
        files, size, over = files + 1, size + line["bytes"], over - line["bytes"]
    return files, size


async def _excess(size: int) -> int:
    """By how many bytes the cache is too large for so many more."""
    there = await db.value("SELECT COALESCE(sum(bytes), 0) FROM cached_file")
    disk = await asyncio.to_thread(shutil.disk_usage, storage.current().workshop)
    floor = min(_FLOOR, disk.total // _FLOOR_PART)
    return max(int(there) + size - _cap(), floor + size - disk.free)


async def _evict(wanted: int) -> int:
    """Throw away the least used files, in one batch at most, until so many bytes are free; gives how many."""
    ids_: list[int] = []
    for line in await db.rows(f"{_LEAST_USED} LIMIT {_BATCH}", 0):
        ids_.append(line["id"])
        wanted -= line["bytes"]
        if wanted <= 0:
            break
    return len(await _delete(_THESE.format(given=db.unnest("$1")), db.array(ids_))) if ids_ else 0


async def _delete(sql: str, value: Any) -> list[dict[str, Any]]:
    async with db.transaction():
        gone = await db.rows(sql, value)
    await _remove(gone)
    return gone


async def _remove(lines: Iterable[db.Row]) -> None:
    for line in lines:
        for key in (line["file"], line["small_file"]):
            await storage.current().remove(key)


def _cap() -> int:
    return settings().limits.media_cache_megabytes * _MEGABYTE


def _cached(line: db.Row) -> Cached:
    return Cached(*(line[name] for name in ("id", "state", "file", "small_file", "used_at")))


_COLUMNS = "id, state, file, small_file, used_at"
_FIND = f"SELECT {_COLUMNS}, again_at FROM cached_file WHERE url = $1 AND kind = $2"
_EMPTY: dict[str, Any] = {"mime": "", "file": "", "small_file": "", "bytes": 0, "error": "", "again_at": 0}
_PUT = f"""
INSERT INTO cached_file
    (id, url, kind, state, mime, file, small_file, bytes, error, again_at, fetched_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT (url, kind) DO UPDATE SET state = excluded.state, mime = excluded.mime, file = excluded.file,
    small_file = excluded.small_file, bytes = excluded.bytes, error = excluded.error,
    again_at = excluded.again_at, fetched_at = excluded.fetched_at, used_at = excluded.used_at
RETURNING {_COLUMNS}
"""
_USAGE = """
SELECT sum(CASE WHEN state = 'ready' THEN 1 ELSE 0 END) AS files, sum(bytes) AS bytes,
    sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed,
    min(CASE WHEN state = 'ready' THEN used_at END) AS least_used_at
FROM cached_file
"""
_UNSEEN = f"""
DELETE FROM cached_file WHERE id IN (
    SELECT id FROM cached_file WHERE state = 'ready' AND used_at < $1 ORDER BY used_at LIMIT {_BATCH}
) RETURNING file, small_file
"""
_OVER = f"""
DELETE FROM cached_file WHERE id IN (
    SELECT id FROM cached_file WHERE state = 'failed' AND again_at < $1 LIMIT {_BATCH}
) RETURNING file, small_file
"""
_COUNT_UNSEEN = """
SELECT count(*) AS files, sum(bytes) AS bytes FROM cached_file WHERE state = 'ready' AND used_at < $1
"""
_LEAST_USED = "SELECT id, bytes FROM cached_file WHERE state = 'ready' AND used_at >= $1 ORDER BY used_at"
_THESE = "DELETE FROM cached_file WHERE id IN (SELECT id FROM {given}) RETURNING file, small_file"
