"""Whole objects of several tables out of one statement, for look-ups that run on every request."""

from functools import lru_cache
from typing import TypeVar

from tortoise.models import Model

from fediblog import db

M = TypeVar("M", bound=Model)


def columns(model: type[Model], alias: str) -> str:
    """The select list for all columns of a model whose table has this alias."""
    return ", ".join(f"{alias}.{name} AS {alias}_{name}" for name in _names(model))


def build(model: type[M], alias: str, line: db.Row) -> M:
    """The object from a row that `columns` asked for."""
    return model._init_from_db(**{name: line[key] for name, key in _keys(model, alias)})


def maybe(model: type[M], alias: str, line: db.Row) -> M | None:
    """The same after a LEFT JOIN: None when the other side was missing."""
    return build(model, alias, line) if line[f"{alias}_id"] is not None else None


@lru_cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(sorted(model._meta.db_fields))


@lru_cache
def _keys(model: type[Model], alias: str) -> tuple[tuple[str, str], ...]:
    """The columns of a model with what they are called in the row."""
    return tuple((name, f"{alias}_{name}") for name in _names(model))
