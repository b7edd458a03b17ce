"""All that the database holds, to see whether something has changed."""

from collections.abc import Collection
from typing import Any

from fediblog import db

Contents = dict[str, list[tuple[Any, ...]]]


async def contents(beside: Collection[str] = (), columns: Collection[str] = ()) -> Contents:
    """Every row of every table, but for tables and columns (`name` or `table.name`) that may change."""
    names = await db.column(_TABLES[db.dialect()])
    return {name: await _rows(name, columns) for name in sorted(set(names) - set(beside))}


async def _rows(table: str, columns: Collection[str]) -> list[tuple[Any, ...]]:
    found = await db.rows(f"SELECT * FROM {table}")
    kept = [name for name in found[0] if not {name, f"{table}.{name}"} & set(columns)] if found else []
    return sorted((tuple(line[name] for name in kept) for line in found), key=repr)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
