"""Rows by the values of their columns, as objects: what nearly every request and activity begins with.

Tortoise builds a query anew each time, which costs several times what SQLite takes to answer it. The text of
a look-up depends on its columns alone, so here it is made once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self

from tortoise.exceptions import DoesNotExist
from tortoise.models import Model

from fediblog import db


class Table(Model):
    """A model that finds its rows by equal values; whatever else is asked goes Tortoise's own way."""

    class Meta:
        abstract = True

    @classmethod
    async def get_or_none(cls, **wanted: Any) -> Self | None:  # type: ignore[override]
        """The row in which each of these columns has this value; None when there is none."""
        found = await db.row(*_statement(cls, "", wanted))
        return None if found is None else cls._init_from_db(**found)

    @classmethod
    async def get(cls, **wanted: Any) -> Self:  # type: ignore[override]
        """The same. Raises DoesNotExist, which `db.transaction` turns into NotFound."""
        found = await cls.get_or_none(**wanted)
        if found is None:
            raise DoesNotExist(cls)
        return found

    @classmethod
    async def exists(cls, **wanted: Any) -> bool:  # type: ignore[override]
        """Whether there is such a row."""
        return await db.value(*_statement(cls, "1", wanted)) is not None


def _statement(model: type[Model], columns: str, wanted: Mapping[str, Any]) -> tuple[Any, ...]:
    """The statement and its values. NULL is no value that anything equals."""
    given = {name: value for name, value in wanted.items() if value is not None}
    sql = _select(model, columns, tuple(given), tuple(name for name in wanted if name not in given))
    fields = model._meta.fields_map
    return sql, *(fields[name].to_db_value(value, model) for name, value in given.items())


@lru_cache(256)
def _select(model: type[Model], columns: str, given: tuple[str, ...], null: tuple[str, ...]) -> str:
    named = model._meta.fields_db_projection
    where = [f"{named[name]} = ${number}" for number, name in enumerate(given, 1)]
    where += [f"{named[name]} IS NULL" for name in null]
    columns = columns or ", ".join(named.values())
    condition = " AND ".join(where) or "TRUE"
    return f"SELECT {columns} FROM {model._meta.db_table} WHERE {condition} LIMIT 1"
