"""Addresses in every shape: a text, an object with an id, a Link, or a list of these (FEDERATION §2, §3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fediblog.activitypub import ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import LONGEST_ID, as_list, id_of

# `url` may be a list of Links of lists of Links (PeerTube nests its films so); deeper is nobody's.
_DEEPEST = 3
_MEDIA_TYPE = re.compile(r"[a-z0-9.+_-]{1,50}/[a-z0-9.+_-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """One address among several, with its media type in lower case and without parameters."""

    href: str
    kind: str
    node: Node


def identity(value: Any) -> str:
    """The id behind a value, if it is an address of the web; else ""."""
    found = id_of(value)
    return found if found is not None and _is_web(found) else ""


def beside(owner: str, value: Any) -> str:
    """The id behind a value, if it is of the same origin as `owner`; else ""."""
    found = identity(value)
    return found if found and ownership.same_origin(owner, found) else ""


def page(owner: str, value: Any) -> str:
    """Where `url` shows `owner` to people: on the same host, the HTML if there is a choice, else the id.

    Elsewhere it might be a page that pretends (SECURITY §2, link spoof).
    """
    there = [link for link in links(value) if ownership.same_authority(owner, link.href)]
    pages = [link for link in there if link.kind == "text/html"] or [link for link in there if not link.kind]
    return (pages or there)[0].href if there else owner


def links(value: Any, depth: int = 0) -> Iterator[Link]:
    """All the addresses in a `url` or `href`, each with what is said about it."""
    if depth == _DEEPEST:
        return
    for each in as_list(value):
        if isinstance(each, str):
            if href := _href(each):
                yield Link(href, "", {})
        elif isinstance(each, dict):
            for name in ("href", "url"):
                for link in links(each.get(name), depth + 1):
                    yield Link(link.href, link.kind or media_type(each), link.node or each)


def picture(value: Any) -> str:
    """The picture of an `icon` or `image`: an object, an address, or a list of them; else "".

    The widest of several (PeerTube), or the first if nothing is said of their size.
    """
    pictures = (
        link
        for link in links(value)
        if link.kind in ("", "application/octet-stream") or link.kind.startswith("image/")
    )
    widest = max(pictures, key=_width, default=None)
    return widest.href if widest else ""


def media_type(node: Node) -> str:
    """The media type of a thing, without parameters; else ""."""
    given = node.get("mediaType")
    kind = given.partition(";")[0].strip().lower() if isinstance(given, str) else ""
    return kind if _MEDIA_TYPE.fullmatch(kind) else ""


def ending(url: str) -> str:
    """The ending of the name in an address, in lower case: `jpg`."""
    name = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _width(link: Link) -> float:
    width = link.node.get("width")
    return width if isinstance(width, int | float) else 0


def _href(given: str) -> str:
    """An address to open or fetch. Some forget to escape blanks, WordPress escapes `&` as in HTML."""
    address = given.strip().replace(" ", "%20").replace("&#038;", "&").replace("&amp;", "&")
    return address if _is_web(address) else ""


def _is_web(address: str) -> bool:
    try:
        ownership.origin(address)
    except ownership.Forged:
        return False
    return len(address.encode()) <= LONGEST_ID
