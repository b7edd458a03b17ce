"""Whole objects of several tables out of one statement, for look-ups that run on every request."""

from functools import lru_cache
from typing import Any, TypeVar

from tortoise.fields import JSONField
from tortoise.models import Model

from fediblog import db

M = TypeVar("M", bound=Model)


def columns(model: type[Model], alias: str) -> str:
    """The select list for all columns of a model whose table has this alias."""
    return ", ".join(f"{alias}.{name} AS {alias}_{name}" for name in _names(model))


def build(model: type[M], alias: str, line: db.Row) -> M:
    """The object from a row that `columns` asked for."""
    made: M = _made(model, tuple([line[key] for key in _keys(model, alias)]))
    return _twin(made)


def maybe(model: type[M], alias: str, line: db.Row) -> M | None:
    """The same after a LEFT JOIN: None when the other side was missing."""
    return build(model, alias, line) if line[f"{alias}_id"] is not None else None


@lru_cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(sorted(model._meta.db_fields))


@lru_cache
def _keys(model: type[Model], alias: str) -> tuple[str, ...]:
    """What the columns of a model are called in the row."""
    return tuple(f"{alias}_{name}" for name in _names(model))


@lru_cache(1_024)
def _made(model: type[M], values: tuple[Any, ...]) -> M:
    """The object of these very values, which nobody may have. Who asks again has mostly not changed."""
    return model._init_from_db(**dict(zip(_names(model), values, strict=True)))


def _twin(made: M) -> M:
    """An object of one's own to change and to save: a fifth of what making it anew costs."""
    twin = made.__new__(type(made))
    twin.__dict__.update(made.__dict__, _await_when_save={})
    for name in _lists(type(made)):
        twin.__dict__[name] = list(made.__dict__[name])
    return twin


@lru_cache
def _lists(model: type[Model]) -> tuple[str, ...]:
    return tuple(name for name, field in model._meta.fields_map.items() if isinstance(field, JSONField))
