"""The API for people who write programs: what can be asked and what comes back, made from its description."""

from functools import lru_cache
from typing import Any, NamedTuple

from quart import Blueprint, Response

from fediblog.description import book, schemas
from fediblog.description.route import Needs, Route
from fediblog.web import answers, templating

blueprint = Blueprint("documentation", __name__)

Words = list[tuple[str, str]]
"""Pieces of text, each with the name of the entity that it leads to, or nothing."""


class Line(NamedTuple):
    """A parameter or a field."""

    name: str
    words: Words
    remark: str
    told: str


class Group(NamedTuple):
    """Parameters that are sent in the same place."""

    title: str
    lines: list[Line]


@blueprint.get("/docs/api")
async def show() -> Response:
    """All of it on one page, with an anchor for each route and each entity."""
    return await answers.page("docs/api.html", contents=_contents())


@lru_cache(1)
def _contents() -> str:
    """What is the same for everybody, until there is another version of us."""
    return templating.render(
        "docs/contents.html",
        areas=book.AREAS,
        entities=book.entities(),
        groups=_groups,
        fields=_fields,
        doc=schemas.doc,
        words=schemas.words,
        token=_token,
        faults=book.FAULTS,
    )


def _groups(route: Route) -> list[Group]:
    """What may be sent, by where it stands."""
    found = (
        ("Address", {name: route.kind_in_path(name) for name in route.names_in_path}),
        ("Query", route.parameters),
        ("Header", route.headers),
        ("Form", route.form),
    )
    return [
        Group(
            title,
            [_line(name, kind, "needed" if schemas.is_required(kind) else "") for name, kind in of.items()],
        )
        for title, of in found
        if of
    ]


def _fields(kind: Any) -> list[Line]:
    """What an entity has in it; of a group of a form, what must be there."""
    return [
        _line(name, hint, "needed" if schemas.is_required(hint) else _only(hint))
        for name, hint in schemas.fields(kind).items()
    ]


def _only(hint: Any) -> str:
    return "where it applies" if schemas.may_be_absent(hint) else ""


def _line(name: str, kind: Any, remark: str) -> Line:
    return Line(name, schemas.words(kind), remark, schemas.told(kind))


def _token(route: Route) -> str:
    """Whose token it wants, in a sentence."""
    match route.needs:
        case Needs.NOTHING:
            return "Needs no token."
        case Needs.READS:
            return "Needs no token; one that is shown must have the scope"
        case Needs.BEARER:
            return "Needs any token."
        case _:
            return "Needs a token of a person with the scope"
