"""Collections as other servers read them (FEDERATION §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fediblog.activitypub.documents.parts import Document


@dataclass(frozen=True, slots=True)
class Stretch:
    """One page of a list, newest first: ids or documents, and the cursors that lead on from it."""

    items: Sequence[Any]
    older: int | None = None
    newer: int | None = None


def collection(uri: str, number: int | None, *, open: bool = True) -> Document:
    """A list by its number and the way to its first page; closed: nobody is told the members."""
    made: Document = {"id": uri, "type": "OrderedCollection"}
    if number is not None:
        made["totalItems"] = number
    return made | {"first": f"{uri}?page=true"} if open else made


def counted(uri: str, items: Sequence[Any]) -> Document:
    """A short list with all that is in it."""
    return {"id": uri, "type": "OrderedCollection", "totalItems": len(items), "orderedItems": list(items)}


def page(uri: str, query: str, stretch: Stretch) -> Document:
    """A page of a list; `query` is what it was asked for with, so that its id leads to it."""
    made: Document = {"id": f"{uri}?{query}", "type": "OrderedCollectionPage", "partOf": uri}
    return made | _neighbours(uri, stretch) | {"orderedItems": list(stretch.items)}


def unordered(uri: str, number: int) -> Document:
    """A list that is no chronicle."""
    return {"id": uri, "type": "Collection", "totalItems": number, "first": f"{uri}?page=true"}


def replies_page(uri: str, query: str, stretch: Stretch, others: bool) -> Document:
    """A page of answers. Behind the author's own, `next` leads on to those of others."""
    which = "&others=true" if others else ""
    made: Document = {"id": f"{uri}?{query}{which}", "type": "CollectionPage", "partOf": uri}
    made |= {name: link + which for name, link in _neighbours(uri, stretch).items()}
    if not others and "next" not in made:
        made["next"] = f"{uri}?page=true&others=true"
    return made | {"items": list(stretch.items)}


def _neighbours(uri: str, stretch: Stretch) -> Document:
    links = {"next": ("max_id", stretch.older), "prev": ("min_id", stretch.newer)}
    return {
        name: f"{uri}?page=true&{parameter}={cursor}"
        for name, (parameter, cursor) in links.items()
        if cursor is not None
    }
