"""Every answer of the API is held against its description, whichever test has asked for it.

The application of the tests tells `heard` of each answer, and so do the apps that speak to real processes. A
test during which one came that is not as described fails at its end, by the hook in conftest.py.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import orjson
import requests
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from fediblog.description import book, schemas
from fediblog.description.entities.faults import Error, OAuthError
from fediblog.description.route import Route

_OURS = (
    *("/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/nodeinfo/"),
    *(
        f"/.well-known/{name}"
        for name in ("oauth-authorization-server", "webfinger", "host-meta", "nodeinfo")
    ),
)
# Of paths and methods that there are not, and of faults of ours, which tests make on purpose.
_ANYWHERE = (404, 405, 500)

breaches: list[str] = []
"""What was found since the last test began."""


def listen(app: Quart) -> Quart:
    """Hold the answers of an application against the description from now on."""

    @app.after_request
    async def hear(answer: Response) -> Response:
        # What is sent for long, such as a stream, has no body that could be read here.
        body = await answer.get_data() if answer.mimetype.endswith("json") else b""
        heard(request.method, request.path, answer.status_code, answer.mimetype, body)
        return answer

    return app


def heard(method: str, path: str, status: int, media: str, body: bytes | str) -> None:
    """Note what is wrong with an answer, when it is one of the API."""
    if not path.startswith(_OURS) or method in ("HEAD", "OPTIONS"):
        return
    if fault := _fault(method, path, status, media, body):
        breaches.append(f"{method} {path} answered {status}: {fault}")


def session() -> requests.Session:
    """A session for programs that others wrote, whose answers are heard too."""
    made = requests.Session()
    made.hooks["response"].append(_hear_theirs)
    return made


def _hear_theirs(answer: requests.Response, **_: object) -> None:
    media = answer.headers.get("Content-Type", "").partition(";")[0]
    if media.endswith("json"):
        path = unquote(urlsplit(answer.request.url or "").path)
        heard(answer.request.method or "", path, answer.status_code, media, answer.content)


def take() -> list[str]:
    """What was found, and forget it."""
    found = breaches[:]
    breaches.clear()
    return found


def _fault(method: str, path: str, status: int, media: str, body: bytes | str) -> str:
    route = _route(method, path)
    if status in _ANYWHERE and (route is None or status not in route.faults):
        return _wrong(Error, body)
    if route is None:
        return "" if status == 308 else "no such route is described"
    if status == 304:
        return ""
    try:
        kind = book.answer_of(route, status)
    except KeyError:
        return f"this status is not described. {_text(body)[:200]}"
    if not media.endswith("json"):
        return "" if media == route.media and status == 200 else f"the type is {media}"
    return _wrong(kind, body)


def _text(body: bytes | str) -> str:
    return body if isinstance(body, str) else body.decode(errors="replace")


def _wrong(kind: object, body: bytes | str) -> str:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "that is no JSON"
    checked = _validator(kind)
    if checked.is_valid(found):
        return ""
    return "; ".join(_leaves(checked.iter_errors(found)))


def _leaves(faults: Iterable[jsonschema_rs.ValidationError], place: str = "") -> Iterator[str]:
    """What is really wrong: of several ways that something may look like, in the one that is nearest."""
    for fault in faults:
        here = ".".join([place, *map(str, fault.instance_path)]).strip(".")
        ways = getattr(fault.kind, "context", None)
        if ways:
            yield from _leaves(min(ways, key=_distance), here)
        else:
            yield f"{here}: {fault.message}"


def _distance(faults: list[jsonschema_rs.ValidationError]) -> tuple[bool, int]:
    return any(fault.kind.name == "type" for fault in faults), len(faults)


@lru_cache(512)
def _validator(kind: object) -> jsonschema_rs.Draft202012Validator:
    schema = {**schemas.schema(kind), "components": {"schemas": _entities()}}
    return jsonschema_rs.Draft202012Validator(schema, mask="that")


@lru_cache(1)
def _entities() -> schemas.Json:
    kinds = {**book.entities(), "Error": Error, "OAuthError": OAuthError}
    return {name: schemas.entity(kind) for name, kind in kinds.items()}


@lru_cache(1)
def _map() -> Map:
    rules = [
        Rule(route.path.translate(_BRACKETS), methods=[route.method], endpoint=route, merge_slashes=False)
        for route in book.ROUTES
    ]
    return Map(rules, strict_slashes=False)


_BRACKETS = str.maketrans("{}", "<>")


def _route(method: str, path: str) -> Route | None:
    if path.startswith("/api/v1/streaming/") and not path.endswith("/health"):
        path = "/api/v1/streaming/place"
    try:
        found, _ = _map().bind("").match(path, method)
    except HTTPException:
        return None
    assert isinstance(found, Route)
    return found
