"""Statuses as bytes: rendered once for each version of a post or account, joined for each answer.

What changes without a new version (counters, the viewer's flags, the tallies of polls) is spliced in and
never kept, so a like costs no rendering and invalidates nothing (TIMELINES §5). So are the viewer's filters:
of each version of a post its words are kept for them. A line whose counters and flags are what they were
when it was last joined is the line of that time. What a post quotes is a line of its own in it, one level
deep, read for the same viewer. The caches belong to the process and need no messages from
others: a new version is a new key.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from fediblog import moments
from fediblog.api import entities
from fediblog.models import Account, Visibility
from fediblog.remembering import Shelf
from fediblog.services import matching, posts, views
from fediblog.services.matching import Hit, Matcher, Writing
from fediblog.services.views import Entry, PollView

_BUDGET = 16 * 1024 * 1024
_OVERHEAD = 200  # What a Python object and its place in the table cost besides the bytes.


class Piece(NamedTuple):
    """A JSON object without its last brace; for a post also what the changing parts of it depend on."""

    open: bytes
    poll: PollView | None = None
    direct: bool = False


class _Reader(NamedTuple):
    """Who looks, when, and with which filters."""

    viewer: Account | None
    now: int
    matcher: Matcher | None


Bodies = Mapping[int, Piece]
Entries = Mapping[int, Entry]


async def statuses(entries: Sequence[Entry], viewer: Account | None) -> list[bytes]:
    """One JSON object for each entry, in order, but for posts that were deleted after the entry was read."""
    return list((await by_id(entries, viewer)).values())


async def by_id(entries: Sequence[Entry], viewer: Account | None) -> dict[int, bytes]:
    """The same by the id of the entry.

    Reads at most two statements more than the entries took, and one for what they quote; one to look whether
    the viewer has changed filters, some seconds after the last such look, and one to read these.
    """
    reader = _Reader(viewer, moments.now(), await matching.matcher(viewer) if entries else None)
    quoted = await _quoted(entries, viewer)
    lines = {entry.id: _lines.get(_key(entry, quoted, reader)) for entry in entries}
    missing = [entry for entry in entries if lines[entry.id] is None]
    lines |= await _made(missing, quoted, reader) if missing else {}
    return {number: line for number, line in lines.items() if line is not None}


async def accounts(account_ids: Sequence[int]) -> dict[int, bytes]:
    """Accounts with their counters, as JSON objects by id. Ids that are not there are left out."""
    return {
        number: _open(entities.account(card)) + _rest(entities.counters(counts))
        for number, (card, counts) in (await views.people(account_ids)).items()
    }


def listing(objects: Iterable[bytes]) -> bytes:
    """A JSON list of objects that are rendered already."""
    return b"[" + b",".join(objects) + b"]"


async def _quoted(entries: Sequence[Entry], viewer: Account | None) -> Entries:
    """What the entries quote, as far as the viewer may see it."""
    wanted = {number for entry in entries if entry.quoting and (number := entry.quoting.shown_id)}
    return await posts.entries(sorted(wanted), viewer) if wanted else {}


def _quote_of(entry: Entry, quoted: Entries) -> Entry | None:
    return quoted.get(entry.quoting.shown_id or 0) if entry.quoting else None


def _key(entry: Entry, quoted: Entries, reader: _Reader) -> Hashable:
    """All that a line is made of, None for one that time or the viewer's filters may change."""
    inner = _quote_of(entry, quoted)
    if reader.matcher is not None or entry.ballot is not None or (inner and inner.ballot):
        return None
    return entry, inner, (_is_own(entry, reader), inner and _is_own(inner, reader)) if reader.viewer else None


async def _made(entries: Sequence[Entry], quoted: Entries, reader: _Reader) -> dict[int, bytes]:
    everything = [*entries, *filter(None, (_quote_of(entry, quoted) for entry in entries))]
    bodies, cards = await _bodies(everything), await _cards(everything)
    made = {}
    for entry in entries:
        if entry.id in bodies and entry.post_id in bodies:
            inner = _quote_of(entry, quoted)
            quote = _quote(entry, inner if inner and inner.id in bodies else None, bodies, cards, reader)
            line = made[entry.id] = _line(entry, quote, bodies, cards, reader)
            if (key := _key(entry, quoted, reader)) is not None:
                _lines.put(key, line, len(line) + _OVERHEAD)
    return made


async def _bodies(entries: Sequence[Entry]) -> dict[int, Piece]:
    wanted = {(e.id, e.version) for e in entries} | {(e.post_id, e.post_version) for e in entries}
    found = _statuses.find(wanted)
    for body in (await views.bodies(number for number, _ in wanted if number not in found)).values():
        is_direct = body.visibility == Visibility.DIRECT
        found[body.id] = Piece(_open(entities.status(body)), body.poll, is_direct)
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


def _line(entry: Entry, quote: bytes, bodies: Bodies, cards: Bodies, reader: _Reader) -> bytes:
    hits = _hits(entry, bodies[entry.post_id], reader)
    original = _whole(entry, bodies[entry.post_id], quote, cards, reader, hits)
    if not entry.is_boost:
        return original
    shell = bodies[entry.id].open
    author = cards[entry.author_id].open + _rest(entities.counters(entry.author_counts))
    flags = _flags(entry, bodies[entry.post_id], reader, hits, own_pin=False)
    return shell + b',"account":' + author + b',"reblog":' + original + _NOTHING_IN_A_BOOST + _rest(flags)


def _quote(entry: Entry, inner: Entry | None, bodies: Bodies, cards: Bodies, reader: _Reader) -> bytes:
    """The Quote in an entry; what is quoted in that in its turn is named only."""
    if entry.quoting is None:
        return b"null"
    state = entities.quote_state(entry.quoting)
    if inner is None:
        # What could be seen when the entries were read, and not a moment later, is deleted.
        state = "deleted" if entry.quoting.shown_id else state
        return orjson.dumps({"state": state, "quoted_status": None})
    piece = bodies[inner.post_id]
    shallow = orjson.dumps(entities.shallow_quote(inner.quoting))
    shown = _whole(inner, piece, shallow, cards, reader, _hits(inner, piece, reader))
    return b'{"state":' + orjson.dumps(state) + b',"quoted_status":' + shown + b"}"


def _whole(
    entry: Entry, piece: Piece, quote: bytes, cards: Bodies, reader: _Reader, hits: Sequence[Hit]
) -> bytes:
    author = cards[entry.post_author_id].open + _rest(entities.counters(entry.post_author_counts))
    return (
        piece.open
        + b',"account":'
        + author
        + b',"reblog":null,"quote":'
        + quote
        + b',"poll":'
        + _poll(entry, piece, reader)
        + _rest(_flags(entry, piece, reader, hits, own_pin=_is_own(entry, reader)))
    )


def _is_own(entry: Entry, reader: _Reader) -> bool:
    return reader.viewer is not None and reader.viewer.id == entry.post_author_id


def _hits(entry: Entry, piece: Piece, reader: _Reader) -> Sequence[Hit]:
    """The viewer's filters that match, for a boost those of what it passes on; on one's own posts none."""
    if reader.matcher is None or _is_own(entry, reader):
        return ()
    words = matching.words_of(entry.post_id, entry.post_version, lambda: _writing(piece))
    return reader.matcher.hits(words, tuple({entry.id, entry.post_id}), reader.now)


def _writing(piece: Piece) -> Writing:
    """The texts of a post out of its JSON: only who has filters needs them, and once for each version."""
    entity = orjson.loads(piece.open + b"}")
    descriptions = (file["description"] or "" for file in entity["media_attachments"])
    options = piece.poll.options if piece.poll else ()
    return Writing(entity["content"], entity["spoiler_text"], options, descriptions)


def _flags(entry: Entry, piece: Piece, reader: _Reader, hits: Sequence[Hit], own_pin: bool) -> entities.Json:
    may_quote_own = _is_own(entry, reader) and not piece.direct
    flags: entities.Json = {
        "replies_count": entry.replies,
        "reblogs_count": entry.boosts,
        "favourites_count": entry.likes,
        "quotes_count": entry.quotes,
        "quote_approval": entities.quote_approval(entry.quotable, may_quote_own, entry.follows),
    }
    if reader.viewer is not None:
        flags |= {
            "favourited": entry.liked,
            "reblogged": entry.boosted,
            "bookmarked": entry.bookmarked,
            "muted": entry.muted,
            "filtered": [entities.filter_result(hit) for hit in hits],
        }
        if own_pin:
            flags["pinned"] = entry.pinned
    return flags


def _poll(entry: Entry, piece: Piece, reader: _Reader) -> bytes:
    if piece.poll is None or entry.ballot is None:
        return b"null"
    with_viewer = reader.viewer is not None
    return orjson.dumps(entities.poll(entry.post_id, piece.poll, entry.ballot, reader.now, with_viewer))


def _open(entity: entities.Json) -> bytes:
    """A JSON object without its last brace, so that more can follow."""
    return orjson.dumps(entity)[:-1]


def _rest(entity: entities.Json) -> bytes:
    """The end of an object that was opened before."""
    return b"," + orjson.dumps(entity)[1:]


_NOTHING_IN_A_BOOST = b',"quote":null,"poll":null'
_lines: Shelf[bytes] = Shelf(2 * _BUDGET)
_statuses: Shelf[Piece] = Shelf(2 * _BUDGET)
_accounts: Shelf[Piece] = Shelf(_BUDGET)
