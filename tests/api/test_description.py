"""The description of the API: nothing is left out of it, and nothing in it is not there."""

import re
from pathlib import Path

import jsonschema_rs
import pytest
from quart import Quart

from fediblog import api
from fediblog.api import auth
from fediblog.description import book, openapi, schemas
from fediblog.description.route import Needs, Route
from fediblog.services import tokens
from tests.api.conftest import AppOf
from tests.harness import described

_DESCRIBED = re.compile(
    r"/(api|nodeinfo)/|/oauth/(token|revoke|userinfo)|/\.well-known/(oauth|webfinger|host-meta|nodeinfo)"
)
_PART = re.compile(r"<(?:[^<>]*:)?(\w+)>")


def _routes_of(app: Quart) -> dict[tuple[str, str], str]:
    """Method and path of each route of the API, with the name of its view."""
    return {
        (method, _PART.sub(r"{\1}", rule.rule)): rule.endpoint
        for rule in app.url_map.iter_rules()
        if _DESCRIBED.match(rule.rule) and not rule.websocket
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


async def test_each_route_is_described_and_each_described_route_is_there(app: Quart) -> None:
    there = set(_routes_of(app))
    told = [(route.method, route.path) for route in book.ROUTES]

    assert len(told) == len(set(told)), "a route is described twice"
    for method, path in sorted(there - set(told)):
        print(f'    {method.lower()}("{path}", "…", …, scope="…"),')
    assert there - set(told) == set(), (
        "not described; the calls above belong into fediblog/description/routes"
    )
    assert set(told) - there == set(), "described, but not there"


async def test_each_route_asks_for_the_scope_that_its_description_names(app: Quart) -> None:
    views = _routes_of(app)
    wrong = {}
    for route in book.ROUTES:
        view = app.view_functions[views[route.method, route.path]]
        asked = (getattr(view, auth.NEEDS, ""), getattr(view, auth.READS, ""))
        if asked != _scopes_told(route):
            wrong[route.name] = asked

    assert wrong == {}
    assert {route.scope for route in book.ROUTES} - {"", *tokens.SCOPES} == set()


def _scopes_told(route: Route) -> tuple[str, str]:
    if route.needs is Needs.PERSON:
        return route.scope, ""
    return "", route.scope if route.needs is Needs.READS else ""


def test_what_is_read_from_requests_is_described() -> None:
    read = {
        name
        for path in Path(api.__file__).parent.rglob("*.py")
        for names in _READ.findall(path.read_text(encoding="utf-8"))
        for name in names
        if name
    }
    told = {name for route in book.ROUTES for name in _names_told(route)}

    assert len(read) > 50, "the pattern finds nothing any more"
    assert read - told == set(), "read from a request, but in no description"


_READ = re.compile(
    r'(?:given|args|source|row|place|change)(?:\.get\(|\[)"(\w+)"|(?:asked|receive)\("(\w+)"'
    r'|_(?:words|text)\((?:given|source), "(\w+)"'
)


def _names_told(route: Route) -> set[str]:
    """All that a route may be sent, each part of a name with brackets too."""
    flat = [*route.parameters, *openapi.flat(route.form)]
    return {part for name in flat for part in name.replace("]", "").split("[")}


def test_each_entity_and_each_status_has_its_sentence() -> None:
    assert [name for name, kind in book.entities().items() if not schemas.doc(kind)] == []
    assert {status for route in book.ROUTES for status in route.faults} <= set(book.FAULTS)


async def test_an_answer_that_is_not_as_described_is_heard(app: Quart) -> None:
    cases = {
        "a field too much": ("/api/v1/lists/1", 200, b'{"id":"1","title":"","replies_policy":"list","x":1}'),
        "a field too few": ("/api/v1/lists", 200, b'[{"id":"1","title":"a","exclusive":false}]'),
        "a number for an id": ("/api/v1/filters/1", 200, b'{"id":1}'),
        "a status of no kind": ("/api/v1/lists", 418, b'{"error":"I am a teapot"}'),
        "a path of no kind": ("/api/v1/teapots", 200, b"{}"),
        "a fault without words": ("/api/v1/lists", 401, b"{}"),
    }
    for path, status, body in cases.values():
        described.heard("GET", path, status, "application/json", body)

    found = described.take()
    assert len(found) == len(cases), found


async def test_programs_get_the_whole_description(app_of: AppOf) -> None:
    answer = await (await app_of()).send("GET", "/openapi.json")
    document = await answer.get_json()

    jsonschema_rs.Draft202012Validator({"$ref": "#/d", "d": document["components"]["schemas"]["Error"]})
    assert document["openapi"].startswith("3.1")
    assert sum(len(methods) for methods in document["paths"].values()) == len(book.ROUTES)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert _dead_references(document, document) == []


def _dead_references(value: object, document: dict[str, object]) -> list[str]:
    """What is referred to in the document and is not in it."""
    if isinstance(value, list):
        return [dead for one in value for dead in _dead_references(one, document)]
    if not isinstance(value, dict):
        return []
    found = [dead for one in value.values() for dead in _dead_references(one, document)]
    if isinstance(reference := value.get("$ref"), str):
        place: object = document
        for name in reference.removeprefix("#/").split("/"):
            place = place.get(name) if isinstance(place, dict) else None
        found += [reference] if place is None else []
    return found


async def test_the_document_is_sent_once_and_then_found_the_same(app_of: AppOf) -> None:
    nobody = await app_of()
    tag = (await nobody.send("GET", "/openapi.json")).headers["ETag"]

    again = await nobody.send("GET", "/openapi.json", headers={"If-None-Match": tag})

    assert (again.status_code, await again.get_data()) == (304, b"")


async def test_the_metadata_of_oauth_lead_to_the_page(app_of: AppOf) -> None:
    found = await (await app_of()).get("/.well-known/oauth-authorization-server")

    assert found["service_documentation"] == "http://localhost:8000/docs/api"


@pytest.mark.parametrize("path", ["/api/v1/teapots", "/oauth/token"])
async def test_what_is_not_there_is_told_in_the_same_shape(app_of: AppOf, path: str) -> None:
    answer = await (await app_of()).send("GET", path)

    assert answer.status_code in (404, 405)
    assert set(await answer.get_json()) == {"error"}
