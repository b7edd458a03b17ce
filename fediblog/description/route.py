"""What a route says about itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fediblog.description.kinds import Id, between

Fields = Mapping[str, Any]
"""Names to types. Those in `Required[…]` must be sent."""


class Needs(StrEnum):
    """Whose token a route wants."""

    NOTHING = "nothing"
    READS = "reads"  # None; but one that is shown must have the scope.
    PERSON = "person"
    BEARER = "any"  # One of an app alone, too.


@dataclass(frozen=True, slots=True)
class Paged:
    """A list in pages: how many there are on one, and at most. By cursors, or by counting."""

    usual: int = 20
    most: int = 40
    by_offset: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A route. `answer` is a type of entities/, a list of one, or a text of another type in `media`."""

    method: str
    path: str
    words: str
    answer: Any
    needs: Needs = Needs.NOTHING
    scope: str = ""
    query: Fields = field(default_factory=dict)
    form: Fields = field(default_factory=dict)
    headers: Fields = field(default_factory=dict)
    path_kinds: Fields = field(default_factory=dict)
    paged: Paged | None = None
    also: Mapping[int, Any] = field(default_factory=dict)
    faults: frozenset[int] = frozenset()
    fault: Any = None
    media: str = "application/json"

    @property
    def name(self) -> str:
        """Its name among all: the method and the path without signs."""
        return f"{self.method.lower()}-{'-'.join(self.path.translate(_SIGNS).split())}"

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything that may stand in the query."""
        return {**self.query, **(_pages(self.paged) if self.paged else {})}

    @property
    def names_in_path(self) -> list[str]:
        """What the address itself names."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def kind_in_path(self, name: str) -> Any:
        """What it is: an id, unless something else was said."""
        return self.path_kinds.get(name, Id)


_SIGNS = str.maketrans(dict.fromkeys("/{}._-", " "))

# What every answer can be besides what was asked for: unreadable, from a network that is kept out, too often,
# no database.
_ALWAYS = (400, 403, 429, 503)
# Somebody was first; bodies too large or of no known type; no space to write them down.
_WRITING = (409, 413, 415, 507)


def _route(
    method: str,
    path: str,
    words: str,
    answer: Any,
    *,
    scope: str = "",
    reads: str = "",
    token: bool = False,
    faults: tuple[int, ...] = (),
    **more: Any,
) -> Route:
    """A route. `scope` and `reads` are those of its decorator; `token` is for any token that holds.

    `faults` are the statuses that it can end with besides those that follow from the rest.
    """
    needs = Needs.PERSON if scope else Needs.READS if reads else Needs.BEARER if token else Needs.NOTHING
    ends = frozenset([*_ends(method, path, needs), *faults])
    if 404 in ends:
        ends |= {410}  # What is not there may have been there.
    return Route(method, path, words, answer, needs, scope or reads, faults=ends, **more)


def _ends(method: str, path: str, needs: Needs) -> Iterator[int]:
    """The statuses that follow from what is known of a route anyway."""
    yield from _ALWAYS
    if path.startswith("/api/") or needs is not Needs.NOTHING:
        yield 401
    if needs is Needs.PERSON:
        yield from (403, 422)  # 422 for the token of an app alone.
    if needs is Needs.READS:
        yield 403
    if "{" in path:
        yield 404
    if method != "GET":
        yield from _WRITING


get = partial(_route, "GET")
post = partial(_route, "POST")
put = partial(_route, "PUT")
patch = partial(_route, "PATCH")
delete = partial(_route, "DELETE")


def _pages(paged: Paged) -> dict[str, Any]:
    limit = Annotated[int, between(1, paged.most, paged.usual), "How many; more than the most is the most."]
    if paged.by_offset:
        return {"limit": limit, "offset": Annotated[int, between(0, 10_000, 0), "After how many others."]}
    return {
        "limit": limit,
        "max_id": Annotated[Id, "Older than this, as in the Link header."],
        "since_id": Annotated[Id, "Newer than this, and the newest of them."],
        "min_id": Annotated[Id, "Newer than this, and those right next to it."],
    }
