"""Files that no row names any more.

A process that is killed between saving a file and the commit of its row leaves one, or between the commit
that takes a row away and the removal of its file; and a database that comes back from a backup knows nothing
of what came after. Once a day a sixteenth of the disk, by the first letter of the files' random names, is
compared with the rows: so what is held in memory stays small, however much there is.
"""

import structlog

from fediblog import db, moments, storage

log = structlog.get_logger()

SLICES = "0123456789abcdef"

# Every column that holds the key of a file: what is missing here is deleted from the disk. A test looks for
# columns that might be.
NAMED = (
    ("media", ("file", "small_file")),
    ("account", ("avatar", "header")),
    ("emoji", ("file",)),
    ("cached_file", ("file", "small_file")),
)

# Old enough for the commit that was to name it.
_AGE_SECONDS = 24 * 3600.0
_BATCH = 2000
# More than this, and more than a tenth of all, is no accident: rather a database that is not the right one.
_MOST = 100


async def sweep(part: str | None = None) -> int:
    """Remove the files of one slice (today's) that no row names; tells how many. Those of a day stay."""
    part = SLICES[moments.day(moments.now()) % len(SLICES)] if part is None else part
    shelf = storage.current()
    there = await shelf.old_keys(part, _AGE_SECONDS)
    lost = set(there)
    for table, columns in NAMED:
        await _take_out(lost, part, table, columns)
    if len(lost) > max(_MOST, len(there) // 10):
        log.warning("so many files are named by no row that none is removed", files=len(lost), of=len(there))
        return 0
    for key in lost:
        await shelf.remove(key)
    log.info("lost files removed", files=len(lost), of=len(there))
    return len(lost)


async def _take_out(lost: set[str], part: str, table: str, columns: tuple[str, ...]) -> None:
    """Leave in the set only what this table does not name."""
    names = ", ".join(columns)
    in_part = " OR ".join(f"substr({column}, 1, 1) = $2" for column in columns)
    sql = f"SELECT id, {names} FROM {table} WHERE id > $1 AND ({in_part}) ORDER BY id LIMIT {_BATCH}"
    after = 0
    while lost and (found := await db.rows(sql, after, part)):
        lost.difference_update(line[column] for line in found for column in columns)
        after = found[-1]["id"]
