"""SQLite without a thread's turn: what is short runs on the loop, what may take long does not."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tortoise.connection import get_connections

from fediblog import db
from fediblog.sqlite import Reading, Writing
from tests.conftest import DATABASE

pytestmark = [
    pytest.mark.usefixtures("database"),
    pytest.mark.skipif(DATABASE != "sqlite", reason="is about SQLite"),
]

# Some 10,000 times what a look-up takes.
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT max(i) FROM n"
MANY = 400_000
PUT_MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)"
    " INSERT INTO setting (name, value) SELECT 'n' || i, '1' FROM n"
)


def reader() -> Reading:
    found = get_connections().get("reader")._connection
    assert isinstance(found, Reading)
    return found


def writer() -> Writing:
    found = get_connections().get("default")._connection
    assert isinstance(found, Writing)
    return found


async def put(name: str) -> None:
    async with db.transaction():
        await db.execute("INSERT INTO setting (name, value) VALUES ($1, '1')", name)


class Traced:
    """What a connection runs, and whether the loop's own thread runs it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.lines: list[tuple[str, bool]] = []
        self._main = threading.get_ident()
        connection.set_trace_callback(self._note)

    def _note(self, sql: str) -> None:
        self.lines.append((sql.split(" ")[0], threading.get_ident() == self._main))


@pytest.fixture
def written() -> Iterator[Traced]:
    traced = Traced(writer()._conn)
    yield traced
    writer()._conn.set_trace_callback(None)


async def test_what_is_short_is_looked_up_on_the_loop_and_committing_waits_in_the_thread(written: Traced):
    async with db.transaction():
        await db.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", "a", "1")
        assert await db.value("SELECT value FROM setting WHERE name = $1", "a") == "1"
    assert written.lines == [
        ("BEGIN", False),
        ("SAVEPOINT", True),
        ("INSERT", True),
        ("SELECT", True),
        ("RELEASE", True),
        ("COMMIT", False),
    ]


async def test_a_look_that_takes_long_is_begun_anew_in_the_thread_and_gives_the_same():
    here, there = Traced(reader()._quick), Traced(reader()._conn)
    assert await db.value(LONG, MANY) == MANY
    assert here.lines == [("WITH", True)] and there.lines == [("WITH", False)]


async def test_what_was_slow_goes_to_the_thread_at_once_the_next_time():
    await db.value(LONG, MANY)
    here, there = Traced(reader()._quick), Traced(reader()._conn)
    assert await db.value(LONG, 3) == 3
    assert here.lines == [] and there.lines == [("WITH", False)]


async def test_after_a_minute_it_may_try_again(monkeypatch):
    monkeypatch.setattr("fediblog.sqlite._SLOW_FOR", -1.0)
    await db.value(LONG, MANY)
    here = Traced(reader()._quick)
    assert await db.value(LONG, 3) == 3
    assert here.lines == [("WITH", True)]


async def test_others_are_served_while_something_takes_long():
    long = asyncio.create_task(db.value(LONG, 10 * MANY))
    while not reader()._slow.get(LONG.replace("$", "?")):
        await asyncio.sleep(0)
    assert await db.value("SELECT 7") == 7
    assert not long.done()
    assert await long == 10 * MANY


async def test_a_write_that_took_long_is_left_to_the_thread_the_next_time(written: Traced):
    for number in (20_000, 2):
        with suppress(KeyError):
            async with db.transaction():
                await db.execute(PUT_MANY, number)
                raise KeyError
    assert [here for verb, here in written.lines if verb == "WITH"] == [True, False]


async def test_what_somebody_left_to_the_thread_ends_before_the_next_statement():
    writer()._slow.put(PUT_MANY.replace("$", "?"), True, 60.0)
    connection, busy, left = writer(), threading.Event(), asyncio.Event()

    async def put_many() -> None:
        async with db.transaction():
            connection._tx.put_nowait((None, busy.wait))
            left.set()
            await db.execute(PUT_MANY, 3)

    given_up = asyncio.create_task(put_many())
    await left.wait()
    given_up.cancel()
    next_one = asyncio.create_task(put("mine"))
    for _ in range(10):
        await asyncio.sleep(0)
    busy.set()
    await asyncio.gather(given_up, next_one, return_exceptions=True)
    assert await db.column("SELECT name FROM setting") == ["mine"]


async def test_a_statement_that_comes_too_late_for_its_turn_is_not_done():
    """Whatever the number of statements before it, after which others have a turn on the loop."""

    async def late() -> None:
        await db.execute("INSERT INTO setting (name, value) VALUES ('late', '1')")

    for number in range(18, 24):
        tasks: list[asyncio.Task[None]] = []
        with suppress(KeyError):
            async with db.transaction():
                for _ in range(number):
                    await db.value("SELECT 1")
                tasks.append(asyncio.create_task(late()))
                await asyncio.sleep(0)
                raise KeyError
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await db.column("SELECT name FROM setting") == []


async def test_what_goes_with_a_post_may_be_much_so_the_thread_deletes_it(written: Traced):
    async with db.transaction():
        await db.execute("DELETE FROM post WHERE id = $1", 1)
        await db.execute("DELETE FROM post_like WHERE post_id = $1", 1)
    assert [here for verb, here in written.lines if verb == "DELETE"] == [False, True]


async def test_what_cannot_be_read_as_text_is_said_as_it_is():
    with pytest.raises(Exception, match="decode"):
        await db.value("SELECT CAST(x'ff' AS TEXT)")


async def test_many_statements_in_a_row_let_others_have_a_turn():
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    for _ in range(100):
        await db.value("SELECT 1")
    counting.cancel()
    assert turns >= 4


async def test_a_fault_of_a_statement_is_the_same_on_the_loop_and_in_the_thread():
    with pytest.raises(Exception, match="no such table"):
        await db.value("SELECT * FROM nowhere")
    with pytest.raises(Exception, match="no such table"):
        await db.value("EXPLAIN SELECT * FROM nowhere")


async def test_nothing_is_written_outside_of_a_transaction():
    with pytest.raises(Exception, match="readonly"):
        await db.execute("INSERT INTO setting (name, value) VALUES ('a', '1')")
