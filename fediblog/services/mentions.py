"""Whom a text names: the one place where handles become accounts, for posts and for profiles."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from fediblog import db
from fediblog.config import settings
from fediblog.services import names
from fediblog.text import Handle, Person

# So many of one text are asked for at their servers (SECURITY §4).
MOST_UNKNOWN = 10


class Named(NamedTuple):
    """An account that a text names, and what stands in the text for it."""

    id: int
    shown: Person


async def find(handles: Iterable[Handle]) -> dict[Handle, Named]:
    """The accounts that handles name, here and elsewhere, as far as we know them; in one statement."""
    wanted = {handle: (names.key(handle.username), _domain(handle)) for handle in handles}
    if not wanted:
        return {}
    values = [part for pair in wanted.values() for part in pair]
    places = ", ".join(f"(${number}, ${number + 1})" for number in range(1, len(values), 2))
    found = await db.rows(_FIND.format(places=places), *values)
    known = {(line["username_key"], line["domain"]): _named(line) for line in found}
    return {handle: known[pair] for handle, pair in wanted.items() if pair in known}


def ours(handle: Handle) -> bool:
    """Whether a handle can only mean somebody of this server."""
    return not _domain(handle)


def people(found: dict[Handle, Named]) -> dict[Handle, Person]:
    """What `text.render` wants to know."""
    return {handle: named.shown for handle, named in found.items()}


def unknown(handles: Iterable[Handle], found: dict[Handle, Named]) -> tuple[str, ...]:
    """Those handles of other servers that nobody here knows yet, as `name@domain`; the first ten."""
    missing = (handle for handle in handles if handle not in found and not ours(handle))
    return tuple(f"{handle.username}@{handle.domain}" for handle in islice(missing, MOST_UNKNOWN))


def _named(line: db.Row) -> Named:
    return Named(line["id"], Person(line["username"], line["url"] or line["uri"]))


def _domain(handle: Handle) -> str:
    return "" if handle.domain in (None, settings().domain) else handle.domain or ""


_FIND = """
SELECT id, username, username_key, domain, url, uri FROM account
WHERE (username_key, domain) IN (VALUES {places}) AND suspended_at IS NULL AND deleted_at IS NULL
"""
