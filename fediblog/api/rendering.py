"""Statuses as bytes: rendered once for each version of a post or account, joined for each answer.

What changes without a new version (counters, the viewer's flags, the tallies of polls) is spliced in and
never kept, so a like costs no rendering and invalidates nothing (TIMELINES §5). The cache belongs to the
process and needs no messages from others: a new version is a new key.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from fediblog import moments
from fediblog.api import entities
from fediblog.models import Account
from fediblog.remembering import Shelf
from fediblog.services import views
from fediblog.services.views import Entry, PollView

_BUDGET = 64 * 1024 * 1024
_OVERHEAD = 200  # What a Python object and its place in the table cost besides the bytes.


class Piece(NamedTuple):
    """A JSON object without its last brace; for a post also the question on it, whose tallies change."""

    open: bytes
    poll: PollView | None = None


Bodies = Mapping[int, Piece]


async def statuses(entries: Sequence[Entry], viewer: Account | None) -> list[bytes]:
    """One JSON object for each entry, in order, but for posts that were deleted after the entry was read."""
    return list((await by_id(entries, viewer)).values())


async def by_id(entries: Sequence[Entry], viewer: Account | None) -> dict[int, bytes]:
    """The same by the id of the entry. Reads at most two statements more than the entries took."""
    bodies, cards = await _bodies(entries), await _cards(entries)
    now = moments.now()
    return {
        entry.id: _line(entry, bodies, cards, viewer, now)
        for entry in entries
        if entry.id in bodies and entry.post_id in bodies
    }


async def accounts(account_ids: Sequence[int]) -> dict[int, bytes]:
    """Accounts with their counters, as JSON objects by id. Ids that are not there are left out."""
    return {
        number: _open(entities.account(card)) + _rest(entities.counters(counts))
        for number, (card, counts) in (await views.people(account_ids)).items()
    }


def listing(objects: Iterable[bytes]) -> bytes:
    """A JSON list of objects that are rendered already."""
    return b"[" + b",".join(objects) + b"]"


async def _bodies(entries: Sequence[Entry]) -> dict[int, Piece]:
    wanted = {(e.id, e.version) for e in entries} | {(e.post_id, e.post_version) for e in entries}
    found = _statuses.find(wanted)
    for body in (await views.bodies(number for number, _ in wanted if number not in found)).values():
        found[body.id] = Piece(_open(entities.status(body)), body.poll)
        _statuses.put((body.id, body.version), found[body.id], len(found[body.id].open) + _OVERHEAD)
    return found


async def _cards(entries: Sequence[Entry]) -> dict[int, Piece]:
    wanted = {(e.author_id, e.author_version) for e in entries}
    wanted |= {(e.post_author_id, e.post_author_version) for e in entries}
    found = _accounts.find(wanted)
    for card in (await views.cards(number for number, _ in wanted if number not in found)).values():
        found[card.id] = Piece(_open(entities.account(card)))
        _accounts.put((card.id, card.version), found[card.id], len(found[card.id].open) + _OVERHEAD)
    return found


def _line(entry: Entry, bodies: Bodies, cards: Bodies, viewer: Account | None, now: int) -> bytes:
    original = _whole(entry, bodies[entry.post_id], cards, viewer, now)
    if not entry.is_boost:
        return original
    shell = bodies[entry.id].open
    author = cards[entry.author_id].open + _rest(entities.counters(entry.author_counts))
    flags = _flags(entry, viewer, own_pin=False)
    return shell + b',"account":' + author + b',"reblog":' + original + b',"poll":null' + _rest(flags)


def _whole(entry: Entry, piece: Piece, cards: Bodies, viewer: Account | None, now: int) -> bytes:
    author = cards[entry.post_author_id].open + _rest(entities.counters(entry.post_author_counts))
    own = viewer is not None and viewer.id == entry.post_author_id
    return (
        piece.open
        + b',"account":'
        + author
        + b',"reblog":null,"poll":'
        + _poll(entry, piece, viewer, now)
        + _rest(_flags(entry, viewer, own_pin=own))
    )


def _flags(entry: Entry, viewer: Account | None, own_pin: bool) -> entities.Json:
    flags: entities.Json = {
        "replies_count": entry.replies,
        "reblogs_count": entry.boosts,
        "favourites_count": entry.likes,
        "quotes_count": 0,
    }
    if viewer is not None:
        flags |= {
            "favourited": entry.liked,
            "reblogged": entry.boosted,
            "bookmarked": entry.bookmarked,
            "muted": entry.muted,
            "filtered": [],
        }
        if own_pin:
            flags["pinned"] = entry.pinned
    return flags


def _poll(entry: Entry, piece: Piece, viewer: Account | None, now: int) -> bytes:
    if piece.poll is None or entry.ballot is None:
        return b"null"
    return orjson.dumps(entities.poll(entry.post_id, piece.poll, entry.ballot, now, viewer is not None))


def _open(entity: entities.Json) -> bytes:
    """A JSON object without its last brace, so that more can follow."""
    return orjson.dumps(entity)[:-1]


def _rest(entity: entities.Json) -> bytes:
    """The end of an object that was opened before."""
    return b"," + orjson.dumps(entity)[1:]


_statuses: Shelf[Piece] = Shelf(_BUDGET)
_accounts: Shelf[Piece] = Shelf(_BUDGET // 2)
