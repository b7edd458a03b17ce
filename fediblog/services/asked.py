"""What somebody typed to find posts: words, "phrases", -unwanted ones, and operators as Mastodon has them.

    from:me from:@user@host    has:media has:image has:video has:audio has:poll    is:reply is:sensitive
    before:2026-03-01 after:2026-03-01 during:2026-03-01    language:de    in:library

A minus before any of them turns it round. Whatever is none of these is a word: nothing that people type is
an error.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from fediblog import ids, moments, text
from fediblog.paging import BIGGEST
from fediblog.text import Phrase

_MOST = 40
# Each is looked up.
_MOST_HANDLES = 5
_PIECE = re.compile(r'(?P<not>-?)(?:(?P<name>[A-Za-z]{2,8}):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}", re.IGNORECASE)

# SQL on the post `p`.
_MEDIA = "EXISTS (SELECT 1 FROM media y WHERE y.post_id = p.id{})"
_KINDS = {
    ("has", "media"): _MEDIA.format(""),
    ("has", "image"): _MEDIA.format(" AND y.kind = 'image'"),
    ("has", "video"): _MEDIA.format(" AND y.kind IN ('video', 'gifv')"),
    ("has", "audio"): _MEDIA.format(" AND y.kind = 'audio'"),
    ("has", "poll"): "EXISTS (SELECT 1 FROM poll y WHERE y.id = p.id)",
    ("is", "reply"): "p.reply_to_uri <> ''",
    ("is", "sensitive"): "p.sensitive",
}


@dataclass(slots=True)
class Asked:
    """What is to be found. `authors` are handles, `me` for oneself; ids lie between `after` and `before`.

    `conditions` are pieces of SQL of our own, on the post `p`.
    """

    wanted: list[Phrase] = field(default_factory=list)
    unwanted: list[Phrase] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    language: str = ""
    after: int = 0
    before: int = BIGGEST
    library: bool = False


def read(typed: str) -> Asked:
    """What was typed, piece by piece."""
    asked = Asked()
    for piece in _PIECE.finditer(typed):
        name, refused = (piece["name"] or "").lower(), bool(piece["not"])
        given = piece["quoted"] if piece["plain"] is None else piece["plain"]
        if not (name and _operator(asked, name, given, refused)):
            words = f"{piece['name']}:{given}" if name else given
            _words(asked, words, piece["plain"] is None, refused)
    return asked


def _words(asked: Asked, words: str, whole: bool, refused: bool) -> None:
    into = asked.unwanted if refused else asked.wanted
    into += text.phrases(words, whole or refused)[: _MOST - len(into)]


def _operator(asked: Asked, name: str, given: str, refused: bool) -> bool:
    """Take an operator in; False for what is none, or has a value that means nothing."""
    if condition := _KINDS.get((name, given.lower())):
        asked.conditions.append(f"NOT ({condition})" if refused else condition)
        return True
    match name:
        case "from" if given.strip("@"):
            into = asked.others if refused else asked.authors
            into += [given] if len(into) < _MOST_HANDLES else []
        case "language" if _LANGUAGE.fullmatch(given) and not refused:
            asked.language = given.lower()
        case "in" if given.lower() in ("library", "public", "all") and not refused:
            asked.library |= given.lower() == "library"
        case "before" | "after" | "during" if not refused:
            return _days(asked, name, given)
        case _:
            return False
    return True


def _days(asked: Asked, name: str, given: str) -> bool:
    """`after` a day begins when it has ended, `before` it ends when it begins, as Mastodon has it."""
    try:
        if not _DAY.fullmatch(given):
            return False
        day = date.fromisoformat(given)
        begins, ends = _begins(day), _begins(day + timedelta(days=1))
    except (ValueError, OverflowError):
        return False
    if name in ("after", "during"):
        asked.after = max(asked.after, (ends if name == "after" else begins) - 1)
    if name in ("before", "during"):
        asked.before = min(asked.before, begins if name == "before" else ends)
    return True


def _begins(day: date) -> int:
    moment = moments.of(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return min(max(ids.floor(max(moment, 0)), 1), BIGGEST)
