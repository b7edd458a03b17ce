"""Files that no row names go after a day, and no others."""

import os
import re
import time
from collections.abc import AsyncIterator

import pytest

from fediblog import db, ids, storage
from fediblog.models import Account, Media
from fediblog.services import orphans
from tests.conftest import DATABASE

pytestmark = pytest.mark.usefixtures("database")

DAY = 24 * 3600


async def stored(days_old: float = 2) -> str:
    """A file on the disk; gives its key."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"pixels"

    shelf = storage.current()
    key = await shelf.save(await shelf.receive(chunks(), 100), "jpg")
    moment = time.time() - days_old * DAY
    os.utime(shelf.path(key), (moment, moment))
    return key


def there(key: str) -> bool:
    return storage.current().path(key).is_file()


async def sweep() -> int:
    return sum([await orphans.sweep(part) for part in orphans.SLICES])


async def test_files_that_no_row_names_go_after_a_day(alice: Account) -> None:
    lost, young = [await stored() for _ in range(5)], await stored(days_old=0.9)
    named = [await stored() for _ in range(5)]
    await Media.create(account_id=alice.id, file=named[0], small_file=named[1])
    await Account.filter(id=alice.id).update(avatar=named[2], header=named[3])
    async with db.transaction():
        await db.execute(
            "INSERT INTO emoji (id, shortcode, file, updated_at) VALUES ($1, 'cat', $2, 1)",
            ids.new(),
            named[4],
        )

    assert await sweep() == 5
    assert not any(map(there, lost))
    assert all(map(there, [young, *named]))
    assert await sweep() == 0


async def test_each_day_looks_at_a_slice_of_its_own(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [await stored() for _ in range(20)]
    now = time.time()
    for day in range(len(orphans.SLICES)):
        monkeypatch.setattr(orphans.moments, "now", lambda day=day: int(now + day * DAY) * 1000)
        await orphans.sweep()
    assert not any(map(there, lost))


async def test_what_is_in_the_workshop_or_has_another_name_is_left_alone(database: None) -> None:
    shelf = storage.current()
    strangers = [shelf.temporary(), shelf.root / "ab" / "cd" / "notes.txt", shelf.root / "ab" / "readme"]
    for path in strangers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        os.utime(path, (0, 0))
    assert await sweep() == 0
    assert all(path.exists() for path in strangers)


async def test_when_nearly_nothing_is_named_the_database_is_the_wrong_one(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_MOST", 3)
    files = [await stored() for _ in range(100)]
    await sweep()
    kept = [key for key in files if there(key)]
    assert len(kept) > 50
    parts = {key[0] for key in kept}
    assert all(sum(key[0] == part for key in kept) > 3 for part in parts)


async def test_rows_are_read_in_batches_until_all_is_named(
    alice: Account, monkeypatch: pytest.MonkeyPatch, queries
) -> None:
    monkeypatch.setattr(orphans, "_BATCH", 2)
    first = (await stored())[0]
    keys = [f"{first}{number:x}/00/{number:036x}.jpg" for number in range(10)]
    for key in keys:
        await Media.create(account_id=alice.id, file=key)
    with queries() as sent:
        assert await orphans.sweep(first) == 1
    assert sum("FROM media" in sql for sql in sent.sql) == 6


@pytest.mark.skipif(DATABASE != "sqlite", reason="the schema is the same")
async def test_every_column_that_may_name_a_file_is_asked(database: None) -> None:
    columns = await db.rows(
        "SELECT m.name AS one, c.name AS other FROM sqlite_master m JOIN pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND c.type = 'TEXT'"
    )
    looks_like_one = re.compile(r"(^|_)(file|avatar|header|picture|image|thumbnail|banner|icon)$")
    found = {(line["one"], line["other"]) for line in columns if looks_like_one.search(line["other"])}
    assert found == {(table, column) for table, names in orphans.NAMED for column in names}
