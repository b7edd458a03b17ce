"""What many talk about: shown once the staff has let it pass, or at once where `trends.review` is off."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fediblog import db, moments
from fediblog.config import settings
from fediblog.errors import NotFound
from fediblog.models import Account, User
from fediblog.services import audit, tags, uses, views, visibility
from fediblog.services.tags import Tag
from fediblog.services.timelines import NOT_HIDDEN
from fediblog.services.trending import Kind
from fediblog.services.uses import Thing, Use
from fediblog.services.views import Entry, LinkView


class Link(NamedTuple):
    """A page that many link to, with the last seven days, today first."""

    card: LinkView
    uses: tuple[Use, ...]


class Standing(NamedTuple):
    """A trend as the staff sees it; `allowed` is None while nobody has looked at it."""

    id: int
    name: str
    score: float
    allowed: bool | None


async def hashtags(viewer: Account | None, limit: int, offset: int = 0) -> list[Tag]:
    """Hashtags, the best first. Three statements."""
    return await tags.several(await _ranked(Kind.TAG, limit, offset), viewer)


async def links(limit: int, offset: int = 0) -> list[Link]:
    """Pages, the best first. Three statements."""
    return await described(await _ranked(Kind.LINK, limit, offset))


async def statuses(viewer: Account | None, limit: int, offset: int = 0) -> list[Entry]:
    """Posts that the viewer may see and does not hide, the best first. Two statements."""
    viewer_id = viewer.id if viewer else 0
    rule = visibility.clause("$1" if viewer else None)
    sql = f"{_RANKED_POSTS} AND {rule} AND {NOT_HIDDEN} {_ORDER} LIMIT $4 OFFSET $5"
    found = await db.column(sql, viewer_id, Kind.POST.value, not settings().trends.review, limit, offset)
    return _in_order(found, await views.entries(found, viewer))


async def described(card_ids: Sequence[int]) -> list[Link]:
    """Pages with their last days, in the order of these ids. Two statements."""
    if not card_ids:
        return []
    found = await db.rows(_CARDS.format(given=db.unnest("$1")), db.array(card_ids))
    cards = {line["id"]: LinkView(**line) for line in found}
    days = await uses.by_day(Thing.PAGE, cards)
    return [Link(cards[number], days[number]) for number in card_ids if number in cards]


async def review(kind: Kind, subject_id: int, allowed: bool, by: User | None) -> None:
    """Let a trend pass, or keep it from being shown. `by` is None for the command line.

    Raises NotFound for what is no trend.
    """
    async with db.transaction():
        known = await db.value(_REVIEW, kind.value, subject_id, allowed, moments.now())
        if known is None:
            raise NotFound
        await audit.record(by, "trend.allow" if allowed else "trend.refuse", f"{kind.value} {subject_id}")


async def standing(kind: Kind, waiting: bool = False, limit: int = 100, offset: int = 0) -> list[Standing]:
    """All that is a trend now, the best first; with `waiting` only what nobody has looked at."""
    only = "AND allowed IS NULL" if waiting else ""
    found = await db.rows(
        f"{_STANDING.format(name=_NAMES[kind])} {only} {_ORDER} LIMIT $2 OFFSET $3", kind.value, limit, offset
    )
    return [
        Standing(line["id"], line["name"] or "", line["score"], _truth(line["allowed"])) for line in found
    ]


async def candidates(post_ids: Sequence[int], looker: Account) -> list[Entry]:
    """Posts as the staff reviews them, in the order of these ids: what everybody may see.

    Whom of the staff their authors have blocked, and whom these have muted, makes no difference.
    """
    return _in_order(post_ids, await views.entries(post_ids, looker, visibility.clause(None)))


def passes(said: bool | None) -> bool:
    """Whether a trend of which the staff has said this is shown to everybody."""
    return not settings().trends.review if said is None else said


def _in_order(post_ids: Sequence[int], found: Mapping[int, Entry]) -> list[Entry]:
    return [found[number] for number in post_ids if number in found]


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


async def _ranked(kind: Kind, limit: int, offset: int) -> list[int]:
    return await db.column(_RANKED, kind.value, not settings().trends.review, limit, offset)


_SHOWN = "t.score > 0 AND (t.allowed OR (t.allowed IS NULL AND {automatic}))"
_ORDER = "ORDER BY t.score DESC, t.subject_id DESC"
_RANKED = (
    f"SELECT t.subject_id FROM trend t WHERE t.kind = $1 AND {_SHOWN.format(automatic='$2')}"
    f" {_ORDER} LIMIT $3 OFFSET $4"
)
_RANKED_POSTS = (
    "SELECT t.subject_id FROM trend t JOIN post p ON p.id = t.subject_id"
    f" WHERE t.kind = $2 AND {_SHOWN.format(automatic='$3')}"
)
_COLUMNS = ", ".join(f"x.{name}" for name in LinkView.__dataclass_fields__)
_CARDS = f"SELECT {_COLUMNS} FROM {{given}} JOIN link_card x ON x.id = given.id WHERE x.title <> ''"
_REVIEW = """
UPDATE trend SET allowed = $3, reviewed_at = $4 WHERE kind = $1 AND subject_id = $2 RETURNING subject_id
"""
_STANDING = (
    "SELECT t.subject_id AS id, {name} AS name, t.score, t.allowed FROM trend t"
    " WHERE t.kind = $1 AND t.score > 0"
)
_NAMES = {
    Kind.TAG: "(SELECT g.name FROM tag g WHERE g.id = t.subject_id)",
    Kind.LINK: "(SELECT x.url FROM link_card x WHERE x.id = t.subject_id)",
    Kind.POST: "(SELECT p.url FROM post p WHERE p.id = t.subject_id)",
}
