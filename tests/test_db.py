"""The database: transactions, the grouped commits of SQLite, errors of the drivers in our words."""

import asyncio
import sqlite3
from contextlib import suppress
from contextvars import ContextVar

import asyncpg
import pytest
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

from fediblog import config as configuration
from fediblog import db, ids
from fediblog.errors import Conflict, FediblogError, Malformed, NoSpace, NotFound, Unavailable
from fediblog.models import Account
from tests.conftest import DATABASE
from tests.people import person

sqlite_only = pytest.mark.skipif(DATABASE != "sqlite", reason="is about SQLite")
postgres_only = pytest.mark.skipif(DATABASE != "postgres", reason="is about PostgreSQL")


async def put(name: str) -> None:
    await db.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", name, "1")


async def stored() -> set[str]:
    return set(await db.column("SELECT name FROM setting"))


async def healed() -> set[str]:
    """What is stored, once the pool has noticed all the connections that were cut."""
    async with asyncio.timeout(10):
        while True:
            with suppress(Unavailable):
                return await stored()
            await asyncio.sleep(0.01)


async def unit(name: str, fails: bool = False) -> None:
    async with db.transaction():
        await put(name)
        if fails:
            raise KeyError(name)


class Held:
    """A transaction that stays open until it is told to go on: `body` says that it has begun."""

    def __init__(self, name: str) -> None:
        self.inside, self.go = asyncio.Event(), asyncio.Event()
        self.after: list[str] = []
        self.task = asyncio.create_task(self._run(name))

    async def _run(self, name: str) -> None:
        async with db.transaction():
            db.after_commit(lambda: self.after.append(name))
            await put(name)
            self.inside.set()
            await self.go.wait()

    async def finish(self) -> None:
        self.go.set()
        await self.task


async def cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_of_thirty_at_once_the_ten_that_fail_leave_nothing(database):
    outcomes = await asyncio.gather(
        *(unit(f"k{number}", fails=number % 3 == 0) for number in range(30)), return_exceptions=True
    )
    assert sum(isinstance(outcome, KeyError) for outcome in outcomes) == 10
    assert await stored() == {f"k{number}" for number in range(30) if number % 3}


async def test_a_counter_moves_once_for_each_success(alice):
    async def like(fails: bool) -> None:
        async with db.transaction():
            await db.execute("UPDATE account SET posts_count = posts_count + 1 WHERE id = $1", alice.id)
            if fails:
                raise KeyError

    await asyncio.gather(*(like(number % 3 == 0) for number in range(30)), return_exceptions=True)
    assert (await Account.get(id=alice.id)).posts_count == 20


@sqlite_only
async def test_units_that_wait_together_share_one_commit(database, monkeypatch):
    begun = []
    held = Held("first")
    await held.inside.wait()
    execute = get_connections().get("default")._connection.execute

    async def listening(sql, *args):
        begun.append(sql)
        return await execute(sql, *args)

    monkeypatch.setattr(get_connections().get("default")._connection, "execute", listening)
    others = [asyncio.create_task(unit(f"k{number}")) for number in range(20)]
    await asyncio.sleep(0)
    held.go.set()
    await asyncio.gather(held.task, *others)
    assert begun.count("COMMIT") == 1
    assert len(await stored()) == 21


async def test_what_failed_on_a_unique_key_is_a_conflict_and_spares_the_others(database):
    outcomes = await asyncio.gather(unit("a"), unit("a"), unit("b"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType", "NoneType"]
    assert await stored() == {"a", "b"}


async def test_the_orm_reports_a_conflict_in_our_words_too(alice):
    with pytest.raises(Conflict):
        async with db.transaction():
            await Account.create(username="x", username_key="x", local=True, uri=alice.uri)


async def test_a_broken_statement_of_ours_is_not_hidden_as_a_busy_database(database):
    with pytest.raises(OperationalError):
        await db.rows("SELECT fullname FROM nowhere")


async def test_a_number_that_no_id_can_have_finds_nothing(database):
    with pytest.raises(NotFound):
        await db.rows("SELECT 1 FROM account WHERE id = $1", 10**20)
    with pytest.raises(NotFound):
        await Account.get(id=10**20)


async def test_what_has_gone_meanwhile_is_not_found(alice):
    with pytest.raises(NotFound):
        async with db.transaction():
            await db.execute("DELETE FROM membership WHERE account_id = $1", alice.id)
            await db.execute("DELETE FROM account WHERE id = $1", alice.id)
            await Account.get(id=alice.id)
    assert await Account.get(id=alice.id)


async def test_text_that_is_no_unicode_cannot_be_read(database):
    with pytest.raises(Malformed):
        await db.rows("SELECT 1 FROM account WHERE username = $1", "\ud800")


@postgres_only
async def test_a_nul_character_cannot_be_stored(alice):
    with pytest.raises(Malformed):
        await db.rows("SELECT 1 FROM account WHERE username = $1", "a\0b")
    with pytest.raises(Malformed):
        async with db.transaction():
            await db.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", "a", db.json("a\0b"))


async def test_after_commit_runs_when_the_change_is_there(database):
    seen = []
    async with db.transaction():
        await put("a")
        db.after_commit(lambda: seen.append("done"))
        assert not seen
    assert seen == ["done"]


async def test_after_commit_does_not_run_for_what_failed(database):
    seen = []
    with pytest.raises(KeyError):
        async with db.transaction():
            db.after_commit(lambda: seen.append("done"))
            raise KeyError
    assert not seen


async def test_after_commit_runs_at_once_outside_of_transactions(database):
    seen = []
    db.after_commit(lambda: seen.append("done"))
    assert seen == ["done"]


async def test_a_nested_transaction_joins_the_open_one(database):
    seen = []
    with pytest.raises(KeyError):
        async with db.transaction():
            async with db.transaction():
                await put("a")
                db.after_commit(lambda: seen.append("done"))
            assert await stored() == {"a"}
            raise KeyError
    assert not seen
    assert await stored() == set()


async def test_a_savepoint_may_fail_alone(alice):
    async with db.transaction():
        await put("a")
        with suppress(Conflict):
            async with db.savepoint():
                await put("b")
                await put("a")
        with suppress(Conflict):
            async with db.savepoint():
                await Account.create(username="x", username_key="x", local=True, uri=alice.uri)
        async with db.savepoint():
            await put("c")
    assert await stored() == {"a", "c"}


async def test_a_savepoint_alone_is_a_transaction(database):
    async with db.savepoint():
        await put("a")
    assert await stored() == {"a"}


async def test_cancelled_before_its_turn_a_unit_has_not_happened(database):
    held = Held("first")
    await held.inside.wait()
    waiting = Held("second")
    await asyncio.sleep(0)
    await cancelled(waiting.task)
    await held.finish()
    await unit("third")
    assert await stored() == {"first", "third"}
    assert not waiting.after


async def test_cancelled_in_its_body_a_unit_has_not_happened(database):
    held = Held("first")
    await held.inside.wait()
    others = [asyncio.create_task(unit(f"k{number}")) for number in range(3)]
    await cancelled(held.task)
    await asyncio.gather(*others)
    await unit("last")
    assert await stored() == {"k0", "k1", "k2", "last"}
    assert not held.after


async def test_cancelled_during_a_statement_a_unit_has_not_happened(database):
    began = asyncio.Event()

    async def busy() -> None:
        async with db.transaction():
            began.set()
            while True:
                await put(str(ids.new()))

    task = asyncio.create_task(busy())
    await began.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    await cancelled(task)
    await unit("after")
    assert await stored() == {"after"}


@postgres_only
async def test_who_gives_up_at_any_moment_takes_no_connection_along(database):
    for steps in range(40):
        task = asyncio.create_task(unit("a", fails=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    pool = get_connections().get("default")._pool
    async with asyncio.timeout(5):
        while pool.get_idle_size() < pool.get_size():
            await asyncio.sleep(0.01)


@sqlite_only
async def test_cancelled_while_its_group_commits_a_unit_has_happened(database):
    done = Held("first")
    await done.inside.wait()
    other = Held("second")
    done.go.set()
    await other.inside.wait()
    await cancelled(done.task)
    assert not done.after
    await other.finish()
    assert await stored() == {"first", "second"}
    assert done.after == ["first"]


@sqlite_only
async def test_a_callback_that_fails_does_not_stop_the_writer(database):
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    async with db.transaction():
        await put("a")
        db.after_commit(lambda: 1 / 0)
    await asyncio.wait_for(unit("b"), 5)
    assert await stored() == {"a", "b"}
    assert isinstance(heard[0], ZeroDivisionError)


@sqlite_only
async def test_a_full_disk_is_told_to_everybody_and_leaves_nothing_half_done(database):
    async with db.transaction():
        pages = await db.value("PRAGMA page_count")
        await db.execute(f"PRAGMA max_page_count = {pages + 4}")

    async def big(name: str, size: int) -> None:
        async with db.transaction():
            await put(name)
            await db.execute("UPDATE setting SET value = $1 WHERE name = $2", "x" * size, name)

    outcomes = await asyncio.gather(
        big("small", 10), big("big", 1_000_000), big("other", 10), return_exceptions=True
    )
    assert isinstance(outcomes[1], NoSpace)
    for name, outcome in zip(("small", "big", "other"), outcomes, strict=True):
        assert outcome is None or isinstance(outcome, FediblogError)
        assert (name in await stored()) == (outcome is None)
    async with db.transaction():
        await db.execute("PRAGMA max_page_count = 1000000")
    await unit("afterwards")
    assert "afterwards" in await stored()


@sqlite_only
async def test_closing_tells_those_who_wait(database, config):
    held = Held("first")
    await held.inside.wait()
    waiting = Held("second")
    await asyncio.sleep(0)
    closing = asyncio.create_task(db.close())
    await asyncio.sleep(0)
    held.go.set()
    outcomes = await asyncio.gather(held.task, waiting.task, closing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, type(None)]
    await db.connect(config)
    assert await stored() == set()


async def test_a_reader_sees_only_what_is_committed_and_does_not_wait(database):
    held = Held("first")
    await held.inside.wait()
    assert await asyncio.wait_for(stored(), 2) == set()
    assert await asyncio.wait_for(Account.all().count(), 2) == 0
    await held.finish()
    assert await stored() == {"first"}


async def test_who_writes_sees_his_own_changes(database):
    async with db.transaction():
        await put("a")
        assert await stored() == {"a"}
        alice = await person("alice")
        assert await Account.get(id=alice.id)


@sqlite_only
async def test_the_reading_connection_refuses_to_write(database):
    with pytest.raises(OperationalError, match="readonly"):
        await get_connections().get("reader").execute_query("DELETE FROM setting")
    with pytest.raises(OperationalError, match="readonly"):
        await put("a")


@sqlite_only
async def test_a_write_outside_of_a_transaction_is_told_where_it_belongs(alice):
    for write in (
        put("a"),
        db.rows("DELETE FROM setting RETURNING name"),
        Account.all().update(note="x"),
        Account.all().delete(),
    ):
        with pytest.raises(OperationalError) as refused:
            await write
        assert "db.transaction()" in refused.value.__notes__[0]
    assert (await Account.get(id=alice.id)).note == ""


@sqlite_only
async def test_sqlite_keeps_its_promises(database):
    pragmas = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 15_000}
    for pragma, wanted in pragmas.items():
        async with db.transaction():
            assert await db.value(f"PRAGMA {pragma}") == wanted
        assert await db.value(f"PRAGMA {pragma}") == wanted


@sqlite_only
async def test_freely_planned_reads_do_not_wait_for_the_writer(database):
    held = Held("first")
    await held.inside.wait()
    async with asyncio.timeout(2), db.freely_planned():
        assert await stored() == set()
    await held.finish()


@postgres_only
async def test_postgres_runs_with_our_settings(database):
    for _ in range(2):  # The second time on a connection that has been back in the pool.
        assert await db.value("SHOW plan_cache_mode") == "force_generic_plan"
        assert await db.value("SHOW random_page_cost") == "1.1"
        async with db.freely_planned():
            assert await db.value("SHOW plan_cache_mode") == "force_custom_plan"


@postgres_only
async def test_encryption_that_is_asked_for_is_not_left_out(database, configure, database_url):
    """The tests' server has none, so it must not be reached."""
    await db.close()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await db.connect(configure(database__url=f"{database_url}?sslmode=require"))
    await db.connect(configure(database__url=f"{database_url}?sslmode=prefer"))


@postgres_only
async def test_a_connection_that_is_cut_is_told_and_healed(database, postgres):
    held = Held("first")
    await held.inside.wait()
    await _cut_all(postgres)
    held.go.set()
    with pytest.raises(Unavailable):
        await held.task
    assert not held.after
    assert await healed() == set()
    await unit("second")
    assert await stored() == {"second"}


@postgres_only
async def test_a_statement_on_a_cut_connection_is_told_and_healed(database, postgres):
    with pytest.raises(Unavailable):
        async with db.transaction():
            await put("first")
            await _cut_all(postgres)
            await put("second")
    assert await healed() == set()


@postgres_only
async def test_idle_connections_that_were_cut_are_replaced(database, postgres):
    await asyncio.gather(*(db.value("SELECT pg_sleep(0.05)") for _ in range(4)))
    await _cut_all(postgres)
    assert await healed() == set()


@postgres_only
async def test_of_two_who_wait_for_each_other_one_is_told_to_try_again(database):
    await unit("a")
    await unit("b")
    met = asyncio.Barrier(2)

    async def change(first: str, second: str) -> None:
        async with db.transaction():
            await db.execute("UPDATE setting SET value = '2' WHERE name = $1", first)
            await met.wait()
            await db.execute("UPDATE setting SET value = '2' WHERE name = $1", second)

    outcomes = await asyncio.gather(change("a", "b"), change("b", "a"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Unavailable"]


async def test_a_database_that_cannot_be_reached_is_unavailable(configure, tmp_path):
    urls = {
        "sqlite": f"sqlite://{tmp_path}/no/such/folder/db.sqlite3",
        "postgres": "postgres://nobody@localhost:1/nothing",
    }
    with pytest.raises(Unavailable, match="cannot be reached"):
        await db.connect(configure(database__url=urls[DATABASE]))


@sqlite_only
async def test_a_file_that_is_no_database_is_refused(config):
    config.data_dir.mkdir(exist_ok=True)
    (config.data_dir / "fediblog.sqlite3").write_text("This is no database at all. " * 100)
    with pytest.raises(Unavailable, match="not a database"):
        await db.connect(config)


async def test_lists_of_ids_become_a_table(alice, bob, carol):
    wanted = db.array([alice.id, carol.id])
    found = await db.column(f"SELECT a.id FROM {db.unnest('$1')} JOIN account a ON a.id = given.id", wanted)
    assert set(found) == {alice.id, carol.id}
    assert await db.rows(f"SELECT id FROM {db.unnest('$1')}", db.array([])) == []


async def test_rows_and_values(alice):
    assert await db.row("SELECT id FROM account WHERE id = $1", alice.id) == {"id": alice.id}
    assert await db.row("SELECT id FROM account WHERE id = $1", 5) is None
    assert await db.value("SELECT id FROM account WHERE id = $1", 5) is None
    assert await db.value("SELECT $2 || $1", "b", "a") == "ab"


async def _cut_all(postgres) -> None:
    name = configuration.settings().database_url.rsplit("/", 1)[1]
    other: asyncpg.Connection = await postgres.connect()
    try:
        await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await other.close()


# ------------------------------------------------------------------- the writer of SQLite, and what ends it


@sqlite_only
async def test_who_gives_up_at_any_moment_takes_nobody_along(database):
    for steps in range(60):
        held = Held(f"held{steps}")
        await held.inside.wait()
        leaving = asyncio.create_task(unit(f"leaving{steps}"))
        others = [asyncio.create_task(unit(f"{name}{steps}")) for name in ("a", "b")]
        await asyncio.sleep(0)
        held.go.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(held.task, *others)
        await asyncio.gather(leaving, return_exceptions=True)


@sqlite_only
async def test_a_writer_that_ends_is_told_to_those_who_wait_and_replaced_for_the_next(database):
    held = Held("first")
    await held.inside.wait()
    waiting = asyncio.create_task(unit("second"))
    await asyncio.sleep(0)
    db._writer._task.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(waiting, return_exceptions=True), 5)
    held.go.set()
    outcomes += await asyncio.gather(held.task, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    await asyncio.wait_for(unit("third"), 5)
    assert await stored() == {"third"}


@sqlite_only
async def test_a_rollback_that_fails_leaves_nobody_waiting_and_heals(database, monkeypatch):
    connection = get_connections().get("default")._connection
    execute, rollback = connection.execute, connection.rollback
    broken = True

    async def no_commit(sql, *args):
        if broken and sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return await execute(sql, *args)

    async def no_rollback():
        if broken:
            raise sqlite3.OperationalError("disk I/O error")
        await rollback()

    monkeypatch.setattr(connection, "execute", no_commit)
    monkeypatch.setattr(connection, "rollback", no_rollback)
    outcomes = await asyncio.wait_for(asyncio.gather(unit("a"), unit("b"), return_exceptions=True), 5)
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    broken = False
    await asyncio.wait_for(unit("c"), 5)
    assert await stored() == {"c"}


@sqlite_only
async def test_what_a_unit_says_after_the_writer_was_closed_is_not_written(database, config):
    inside, go = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        async with db.transaction():
            await put("early")
            inside.set()
            await go.wait()
            await put("late")

    task = asyncio.create_task(late())
    await inside.wait()
    await db._writer.close()
    go.set()
    with pytest.raises(Unavailable):
        await task
    assert await stored() == set()


@sqlite_only
async def test_a_task_that_outlives_its_transaction_writes_nothing(database):
    left: list[asyncio.Task[None]] = []
    go = asyncio.Event()

    async def later() -> None:
        await go.wait()
        await put("stray")

    async with db.transaction():
        await put("a")
        left.append(asyncio.create_task(later()))
    go.set()
    with pytest.raises(Unavailable):
        await left[0]
    assert await stored() == {"a"}


@sqlite_only
async def test_when_sqlite_has_undone_everything_the_rest_of_a_unit_is_not_written(database):
    """What a full disk may do in the middle of a unit that goes on all the same."""
    with pytest.raises(Unavailable):
        async with db.transaction():
            await put("first")
            await db.execute("ROLLBACK")
            await put("second")
    assert await stored() == set()
    await unit("third")
    assert await stored() == {"third"}


async def test_a_callback_that_fails_does_not_unsay_what_is_committed(database):
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    seen = []
    async with db.transaction():
        await put("a")
        db.after_commit(lambda: 1 / 0)
        db.after_commit(lambda: seen.append("second"))
    assert seen == ["second"]
    assert await stored() == {"a"}
    assert isinstance(heard[0], ZeroDivisionError)


async def test_callbacks_run_in_the_order_given_and_as_whoever_gave_them(database):
    name: ContextVar[str] = ContextVar("name", default="nobody")
    seen = []

    async def someone(who: str) -> None:
        name.set(who)
        async with db.transaction():
            for number in range(3):
                db.after_commit(lambda number=number: seen.append((name.get(), number)))

    await asyncio.gather(someone("a"), someone("b"))
    assert sorted(seen) == [(who, number) for who in "ab" for number in range(3)]
    assert [number for who, number in seen if who == "a"] == [0, 1, 2]
