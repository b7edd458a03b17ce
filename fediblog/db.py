"""The database: connecting, transactions that run something after their commit, and plain SQL.

SQLite has two connections: one writer that groups commits (group_commit.py) and one that only reads, so that
readers never wait. PostgreSQL has one pool. `transaction()` is the same on both. SQL is written once, with
`$1, $2 …`, and says where it must differ through `dialect()`.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from contextvars import ContextVar, copy_context
from functools import lru_cache, wraps
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import asyncpg
import orjson
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.connection import get_connections
from tortoise.exceptions import DBConnectionError
from tortoise.transactions import in_transaction

from fediblog.config import Config
from fediblog.db_errors import translated
from fediblog.errors import Unavailable
from fediblog.group_commit import Callback, Writer, schedule

Dialect = Literal["sqlite", "postgres"]
Row = Mapping[str, Any]

MODELS = "fediblog.models"
_after_commit: ContextVar[list[Callback] | None] = ContextVar("after_commit", default=None)
_writer: Writer | None = None
_dialect: Dialect = "sqlite"


class ReadApart:
    """Tortoise's router: reads outside a transaction go to the reading connection."""

    def db_for_read(self, model: type[Any]) -> str:
        """The name of the connection to read from."""
        return _reading()

    def db_for_write(self, model: type[Any]) -> str:
        """The name of the connection to write to."""
        return "default"


async def connect(config: Config) -> None:
    """Open the database. Raises Unavailable when it cannot be reached."""
    global _writer, _dialect
    _dialect = "sqlite" if config.database_url.startswith("sqlite") else "postgres"
    await Tortoise.init(
        config={
            "connections": _connections(config),
            "apps": {"models": {"models": [MODELS], "default_connection": "default"}},
            "routers": [ReadApart],
        },
        _enable_global_fallback=True,
    )
    try:
        for name in sorted({"default", _reading()}):
            await _open(get_connections().get(name))
    except BaseException:
        await Tortoise.close_connections()
        raise
    client = get_connections().get("default")
    _writer = Writer(client) if isinstance(client, SqliteClient) else None


async def close() -> None:
    """Close all connections; without it the process would never end (aiosqlite's threads are no daemons)."""
    global _writer
    if _writer is not None:
        await _writer.close()
        _writer = None
    await Tortoise.close_connections()


def dialect() -> Dialect:
    """Which SQL is spoken."""
    return _dialect


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """All or nothing. A nested call joins the transaction that is open; an error undoes all of it.

    Leaving the block means that the change is on the disk; then what `after_commit` was given runs.
    """
    if _after_commit.get() is not None:
        yield
        return
    with translated():
        if _writer is None:
            async with _postgres_transaction():
                yield
        else:
            async with _writer.unit() as (connection, callbacks):
                with _current(connection, callbacks):
                    yield


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """A part of a transaction that may fail alone: catch its error outside the block."""
    with translated():
        async with transaction(), in_transaction("default"):
            yield


def after_commit(callback: Callback) -> None:
    """Call this when the open transaction has been committed; at once when there is none.

    The callback must be quick, must not fail and must not await: it is for nudges.
    """
    callbacks = _after_commit.get()
    if callbacks is None:
        callback()
    else:
        callbacks.append(callback)


async def rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement and give its rows. Reads outside a transaction never wait for writers."""
    with translated():
        return await _connection().execute_query_dict(_placeholders(_dialect, sql), list(values))


async def tuples(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The same with each row as the values of its columns, in their order; no two may have one name."""
    if _dialect == "postgres":
        return [tuple(found.values()) for found in await rows(sql, *values)]
    with translated():
        connection: Any = _connection()
        found: list[tuple[Any, ...]] = await connection.execute_query_tuples(
            _placeholders(_dialect, sql), list(values)
        )
        return found


async def row(sql: str, *values: Any) -> dict[str, Any] | None:
    """The first row, or None."""
    found = await rows(sql, *values)
    return found[0] if found else None


async def value(sql: str, *values: Any) -> Any:
    """The first column of the first row, or None."""
    found = await tuples(sql, *values)
    return found[0][0] if found else None


async def column(sql: str, *values: Any) -> list[Any]:
    """The first column of every row."""
    return [found[0] for found in await tuples(sql, *values)]


async def execute(sql: str, *values: Any) -> None:
    """Run a statement that gives nothing back. Writes belong into a `transaction()`."""
    with translated():
        await _connection().execute_query(_placeholders(_dialect, sql), list(values))


def array(numbers: Sequence[int]) -> Any:
    """A list of ids as one parameter for `unnest`."""
    return orjson.dumps(list(numbers)).decode() if _dialect == "sqlite" else list(numbers)


def json(value: Any) -> str:
    """A value for a JSON column: both drivers take it as text."""
    return orjson.dumps(value).decode()


def unnest(parameter: str, name: str = "given") -> str:
    """SQL for a table `name(id)` made from an `array` parameter such as `$1`."""
    if _dialect == "sqlite":
        return f"(SELECT value AS id FROM json_each({parameter})) AS {name}"
    return f"unnest({parameter}::bigint[]) AS {name}(id)"


@asynccontextmanager
async def advisory_lock(number: int) -> AsyncIterator[None]:
    """PostgreSQL only: hold a lock on a connection of its own, so that it ends with the process."""
    pool = get_connections().get("default")._pool
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", number)
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", number)


@asynccontextmanager
async def freely_planned() -> AsyncIterator[None]:
    """For search and admin queries, which need their own plan each time (TIMELINES §2.3)."""
    if _dialect == "sqlite":
        yield
        return
    async with transaction():
        await execute("SET LOCAL plan_cache_mode = force_custom_plan")
        yield


def _reading() -> str:
    return "reader" if _dialect == "sqlite" and _after_commit.get() is None else "default"


def _connection() -> BaseDBAsyncClient:
    return get_connections().get(_reading())


class _current:  # noqa: N801
    """Makes a connection the one that this task's statements use."""

    def __init__(self, connection: BaseDBAsyncClient, callbacks: list[Callback]) -> None:
        self._connection = connection
        self._callbacks = callbacks

    def __enter__(self) -> None:
        self._token = _after_commit.set(self._callbacks)
        self._tortoise = get_connections().set("default", self._connection)

    def __exit__(self, *_: object) -> None:
        _after_commit.reset(self._token)
        get_connections().reset(self._tortoise)


@asynccontextmanager
async def _postgres_transaction() -> AsyncIterator[None]:
    # Tortoise's own `in_transaction` loses the pool's connection when BEGIN is cancelled or fails.
    client: Any = get_connections().get("default")
    transaction = TransactionWrapper(client)
    callbacks: list[Callback] = []
    async with client._pool.acquire() as connection, connection.transaction():
        transaction._connection = connection
        with _current(transaction, callbacks):
            yield
    if callbacks:
        schedule(callbacks, copy_context())
        await asyncio.sleep(0)


async def _open(client: BaseDBAsyncClient) -> None:
    try:
        if isinstance(client, SqliteClient):
            await asyncio.to_thread(_try_out, client.filename)
        await client.create_connection(with_db=True)
    except (OSError, DBConnectionError, asyncpg.PostgresError, sqlite3.Error) as error:
        raise Unavailable(f"The database cannot be reached: {error}") from error
    for method in ("execute_insert", "execute_many", "execute_query", "execute_query_dict"):
        setattr(client, method, _translating(getattr(client, method)))


def _try_out(path: str) -> None:
    # First without aiosqlite, which leaves a thread behind when it cannot open a file.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA schema_version")


def _translating(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What the ORM asks outside of transactions goes straight to the client, so its errors are met there."""

    @wraps(method)
    async def call(*args: Any) -> Any:
        with translated():
            return await method(*args)

    return call


def _connections(config: Config) -> dict[str, Any]:
    if _dialect == "postgres":
        return {"default": _postgres(config)}
    path = config.database_url.removeprefix("sqlite://")
    shared = {"file_path": path, "busy_timeout": 15_000, "synchronous": "FULL", "cache_size": -65_536}
    engine = "fediblog.sqlite"
    return {
        "default": {"engine": engine, "credentials": shared},
        "reader": {"engine": engine, "credentials": {**shared, "query_only": 1}},
    }


def _postgres(config: Config) -> dict[str, Any]:
    url = urlsplit(config.database_url)
    return {
        "engine": "tortoise.backends.asyncpg",
        "credentials": {
            "host": url.hostname,
            "port": url.port or 5432,
            "user": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "database": unquote(url.path[1:]),
            "ssl": url.query.removeprefix("sslmode=") or None,
            "minsize": config.database.pool_min,
            "maxsize": config.database.pool_max,
            # All hot statements are keyset look-ups: the generic plan is right for them and planning each
            # time costs more than running (TIMELINES §2).
            "server_settings": {"random_page_cost": "1.1", "plan_cache_mode": "force_generic_plan"},
        },
    }


@lru_cache(2048)
def _placeholders(speech: Dialect, sql: str) -> str:
    return re.sub(r"\$(\d+)", r"?\1", sql) if speech == "sqlite" else sql
