"""The OpenAPI 3.1 document: the book as programs read it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin, is_typeddict

from fediblog.description import book, schemas
from fediblog.description.book import Area
from fediblog.description.route import Needs, Route
from fediblog.description.schemas import Json

_SCHEME = "oauth"
_FORM, _MULTIPART, _JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"
_TOPS = {
    "read": "See everything that the person sees.",
    "write": "Write, change and delete everything for them.",
    "follow": "See and change whom they follow, block and mute.",
    "push": "Receive their notifications.",
    "profile": "See their name and picture.",
    "admin:read": "See what the staff sees.",
    "admin:write": "Act as the staff does.",
}
_ABOUT = (
    "The Mastodon-compatible API of this server. Forms may come as JSON, urlencoded or multipart, with"
    " brackets as Rails has them; what is not known in them is ignored. All ids are texts."
)
_LINK = "The neighbouring pages: `next` is older, `prev` is newer. Cursors are to be taken from here alone."


def document(address: str, version: str, scopes: Iterable[str]) -> Json:
    """The document of the server at an address, whose tokens may have these scopes."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "fediblog", "version": version, "description": _ABOUT},
        "servers": [{"url": address}],
        "tags": [{"name": area.title} for area in book.AREAS],
        "paths": _paths(),
        "components": {
            "schemas": {name: schemas.entity(kind) for name, kind in book.entities().items()},
            "responses": _faults(),
            "securitySchemes": {_SCHEME: _security(address, scopes)},
        },
    }


def _paths() -> Json:
    paths: Json = {}
    for area in book.AREAS:
        for route in area.routes:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, area)
    return paths


def _operation(route: Route, area: Area) -> Json:
    made: Json = {
        "operationId": route.name,
        "summary": route.words,
        "tags": [area.title],
        "parameters": _parameters(route),
        "responses": _answers(route),
        "security": _who(route),
    }
    if route.form:
        made["requestBody"] = _body(route)
    return made


def _who(route: Route) -> list[Json]:
    holds: list[Json] = [{_SCHEME: [route.scope] if route.scope else []}]
    match route.needs:
        case Needs.NOTHING:
            return []
        case Needs.READS:
            return [{}, *holds]
        case _:
            return holds


def _parameters(route: Route) -> list[Json]:
    in_path = {name: route.kind_in_path(name) for name in route.names_in_path}
    return [
        *(_parameter("path", name, kind, True) for name, kind in in_path.items()),
        *(_parameter("query", name, kind) for name, kind in route.parameters.items()),
        *(_parameter("header", name, kind) for name, kind in route.headers.items()),
    ]


def _parameter(place: str, name: str, kind: Any, needed: bool = False) -> Json:
    schema = schemas.schema(kind)
    words = schema.pop("description", "")
    made: Json = {
        "name": name,
        "in": place,
        "required": needed or schemas.is_required(kind),
        "schema": schema,
        **({"description": words} if words else {}),
    }
    if schema.get("type") == "array":
        made |= {"style": "form", "explode": True}
    return made


def _body(route: Route) -> Json:
    """The form in all encodings that can carry it."""
    needed = [kind for kind in route.form.values() if schemas.is_required(kind)]
    files = {name for name, kind in route.form.items() if _is_file(kind)}
    content: Json = {_MULTIPART: {"schema": schemas.form(flat(route.form))}}
    if not any(_is_file(kind) for kind in needed):
        rest = {name: kind for name, kind in route.form.items() if name not in files}
        content[_JSON] = {"schema": schemas.form(rest)}
        content[_FORM] = {"schema": schemas.form(flat(rest))}
    return {"required": bool(needed), "content": dict(sorted(content.items()))}


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The names of a form with brackets, as Rails has them: `poll[options][]`."""
    return dict(_flat(fields))


def _flat(fields: Mapping[str, Any], before: str = "", inside: bool = False) -> Iterable[tuple[str, Any]]:
    for name, kind in fields.items():
        whole = f"{before}[{name}]" if before else name
        plain = _bare(kind)
        item = get_args(plain)[0] if get_origin(plain) is list else None
        if is_typeddict(plain):
            yield from _flat(schemas.fields(plain), whole, True)
        elif is_typeddict(item):
            yield from _flat(schemas.fields(item), f"{whole}[]", True)
        else:
            # Within a group what is needed is needed only when there is the group.
            bracketed = f"{whole}[]" if item is not None else whole
            yield bracketed, _unneeded(kind) if inside else kind


def _unneeded(kind: Any) -> Any:
    return get_args(kind)[0] if schemas.is_required(kind) else kind


def _bare(kind: Any) -> Any:
    """A type without what is said about it."""
    kind = _unneeded(kind)
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _is_file(kind: Any) -> bool:
    return _bare(kind) is bytes


def _answers(route: Route) -> Json:
    made = {"200": _answer(route, route.answer, "As asked.")}
    if route.paged and not route.paged.by_offset:
        made["200"]["headers"] = {"Link": {"description": _LINK, "schema": {"type": "string"}}}
    for status, kind in route.also.items():
        made[str(status)] = _answer(route, kind, "Not yet complete.")
    for status in sorted(route.faults):
        if book.answer_of(route, status) is route.fault and route.fault:
            made[str(status)] = _answer(route, route.fault, book.FAULTS[status], _JSON)
        else:
            made[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return made


def _answer(route: Route, kind: Any, words: str, media: str = "") -> Json:
    return {"description": words, "content": {media or route.media: {"schema": schemas.schema(kind)}}}


def _faults() -> Json:
    error = {"schema": {"$ref": f"{schemas.REFERENCE}Error"}}
    return {
        str(status): {"description": words, "content": {_JSON: error}}
        for status, words in book.FAULTS.items()
    }


def _security(address: str, scopes: Iterable[str]) -> Json:
    words = {scope: _TOPS.get(scope) or _part(scope) for scope in sorted(scopes)}
    token = f"{address}/oauth/token"
    code = {"authorizationUrl": f"{address}/oauth/authorize", "tokenUrl": token, "scopes": words}
    return {
        "type": "oauth2",
        "flows": {"authorizationCode": code, "clientCredentials": {"tokenUrl": token, "scopes": words}},
    }


def _part(scope: str) -> str:
    whole, _, noun = scope.rpartition(":")
    return f"The part of {whole} that is about {noun.replace('_', ' ')}."
