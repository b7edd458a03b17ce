"""A type of entities/ or kinds as JSON Schema 2020-12, and as a word for people."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from fediblog.description.kinds import Kind

Json = dict[str, Any]

REFERENCE = "#/components/schemas/"

_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentMediaType": "application/octet-stream"},
    NoneType: {"type": "null"},
    Any: {},
}
_WORDS = {str: "text", int: "number", float: "number", bool: "true or false", NoneType: "null"}


def schema(kind: Any) -> Json:
    """A type as a schema. Entities are referred to by their names."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if is_typeddict(kind):
        return {"$ref": REFERENCE + kind.__name__}
    if origin is Annotated:
        return _marked(schema(parts[0]), parts[1:])
    if origin in (NotRequired, Required):
        return schema(parts[0])
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": schema(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema(parts[1])}
    if origin in (Union, UnionType):
        return _one_of([schema(part) for part in parts])
    raise TypeError(f"{kind} has no schema")


def entity(kind: Any) -> Json:
    """An entity with all its fields: no others are allowed.

    A TypedDict that is not total is a group of a form.
    """
    hints = fields(kind)
    if not kind.__total__:
        return {**form(hints), "description": doc(kind)}
    return {
        "type": "object",
        "description": doc(kind),
        "properties": {name: schema(hint) for name, hint in hints.items()},
        "required": [name for name, hint in hints.items() if not may_be_absent(hint)],
        "additionalProperties": False,
    }


def fields(kind: Any) -> dict[str, Any]:
    """The fields of an entity or a group, with their types."""
    return get_type_hints(kind, include_extras=True)


def form(given: Mapping[str, Any]) -> Json:
    """What a form may have in it. What is not known is ignored (CLIENT-API §3.5)."""
    made: Json = {"type": "object", "properties": {name: schema(kind) for name, kind in given.items()}}
    if needed := [name for name, kind in given.items() if is_required(kind)]:
        made["required"] = needed
    return made


def entities_in(kind: Any) -> list[Any]:
    """The entities that a type names, with those that these name, each once."""
    found: dict[Any, None] = {}
    _gather(kind, found)
    return list(found)


def is_required(kind: Any) -> bool:
    """Whether a field of a form must be there."""
    return get_origin(kind) is Required


def doc(kind: Any) -> str:
    """What an entity is."""
    return " ".join((kind.__doc__ or "").split())


def told(kind: Any) -> str:
    """The sentence that stands beside a field; empty without one."""
    while get_origin(kind) in (NotRequired, Required):
        (kind,) = get_args(kind)
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, str)), "")


def words(kind: Any) -> list[tuple[str, str]]:
    """A type for people: pieces of text, each with the name of the entity it leads to or nothing."""
    origin, parts = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        return [(kind.__name__, kind.__name__)]
    if origin is Annotated:
        named = next((mark.name for mark in reversed(parts[1:]) if isinstance(mark, Kind)), "")
        return [(named, "")] if named else words(parts[0])
    if origin in (NotRequired, Required):
        return words(parts[0])
    if origin is Literal:
        return [(" · ".join(parts), "")]
    if origin is list:
        return [("list of ", ""), *words(parts[0])]
    if origin is dict:
        return [("names to ", ""), *words(parts[1])]
    if origin in (Union, UnionType):
        pieces = [piece for part in parts for piece in [(" or ", ""), *words(part)]]
        return pieces[1:]
    return [(_WORDS.get(kind, "anything"), "")]


def may_be_absent(kind: Any) -> bool:
    """Whether a field of an entity is there only where it applies."""
    return get_origin(kind) is NotRequired


def _marked(made: Json, marks: tuple[Any, ...]) -> Json:
    for mark in marks:
        made |= dict(mark.schema) if isinstance(mark, Kind) else {"description": mark}
    return made


def _one_of(parts: list[Json]) -> Json:
    """Null is a type beside another one; with what is more than a type it is an alternative."""
    others = [part for part in parts if part != {"type": "null"}]
    if len(others) == 1 and len(others) < len(parts) and "enum" not in others[0] and "type" in others[0]:
        return {**others[0], "type": [others[0]["type"], "null"]}
    return {"anyOf": parts}


def _gather(kind: Any, found: dict[Any, None]) -> None:
    if is_typeddict(kind):
        if kind not in found:
            found[kind] = None
            for hint in fields(kind).values():
                _gather(hint, found)
        return
    for part in get_args(kind):
        if get_origin(kind) is not Literal:
            _gather(part, found)
