"""What the drivers are told: every statement that reaches them, whoever sent it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import aiosqlite
import asyncpg
import pytest
from tortoise.connection import get_connections

from fediblog import db

_METHODS = {
    aiosqlite.Connection: ("execute", "execute_insert", "execute_fetchall", "executemany", "executescript"),
    asyncpg.Connection: ("execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany"),
}
# Opening and closing transactions and resetting a pooled connection are no questions about the data.
_HOUSEKEEPING = re.compile(
    r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|SET |RESET|SELECT pg_advisory_unlock_all)", re.I
)


@dataclass
class Statements:
    """What was recorded. `len()` counts; the texts are in `sql`, in order."""

    sql: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sql)

    @property
    def writes(self) -> list[str]:
        """Those that change something."""
        return [sql for sql in self.sql if re.match(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", sql, re.I)]

    @property
    def reads(self) -> list[str]:
        """Those that change nothing."""
        writes = self.writes
        return [sql for sql in self.sql if sql not in writes]


@contextmanager
def recorded() -> Iterator[Statements]:
    """Record every statement that is sent while the block runs, on either database, ORM calls included."""
    statements = Statements()
    with pytest.MonkeyPatch.context() as patch:
        for connection, methods in _METHODS.items():
            for name in methods:
                patch.setattr(connection, name, _listening(getattr(connection, name), statements))
        yield statements


def _listening(method: Any, statements: Statements) -> Any:
    @wraps(method)
    def call(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        if not _HOUSEKEEPING.match(sql):
            statements.sql.append(sql)
        return method(self, sql, *args, **options)

    return call


async def explain(sql: str, *values: Any) -> list[str]:
    """The lines of the plan with which fediblog's own connections run this statement."""
    if db.dialect() == "sqlite":
        plan = await db.rows(f"EXPLAIN QUERY PLAN {sql}", *values)
        return [line["detail"] for line in plan]
    async with get_connections().get("default")._pool.acquire() as connection:
        await connection.execute(f"PREPARE explained AS {sql}")
        try:
            given = f"({', '.join(_literal(value) for value in values)})" if values else ""
            plan = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE explained{given}")
        finally:
            await connection.execute("DEALLOCATE explained")
    return [line[0] for line in plan]


async def analyse() -> None:
    """Let the planner see what the tables hold now: plans over many rows need it."""
    if db.dialect() == "postgres":
        await db.execute("ANALYZE")
    else:
        async with db.transaction():
            await db.execute("ANALYZE")


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return _literal("{" + ",".join(str(item) for item in value) + "}")
    if isinstance(value, bytes):
        return _literal("\\x" + value.hex())
    return "'" + str(value).replace("'", "''") + "'"
