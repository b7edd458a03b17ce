"""What the staff tells everybody here, who has put it away, and how people react to it."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from fediblog import db, ids, moments, text, uris
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Role, User
from fediblog.queue import Job
from fediblog.services import audit, members, streams, work

_LONGEST = 5000
_MOST_REACTIONS = 8  # Different ones, to one announcement.


class Reaction(NamedTuple):
    """An emoji by its name, or itself; `path` is its picture when it is one of this server."""

    name: str
    times: int
    mine: bool
    path: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement as one account sees it. `text` is what was typed."""

    id: int
    text: str
    starts_at: int | None
    ends_at: int | None
    all_day: bool
    published_at: int
    updated_at: int
    read: bool
    reactions: tuple[Reaction, ...] = ()

    @property
    def html(self) -> str:
        """The text, safe to show."""
        return text.render_note(self.text, {}, uris.tag_page)

    @property
    def hashtags(self) -> tuple[str, ...]:
        """The hashtags in it."""
        return text.scan(self.text).hashtags


class Kept(NamedTuple):
    """One as the staff keeps it; without `published_at` it is shown to nobody."""

    id: int
    text: str
    starts_at: int | None
    ends_at: int | None
    all_day: bool
    published_at: int | None
    updated_at: int


# ------------------------------------------------------------------------------------------------- reading


async def listing(reader: Account) -> list[Announcement]:
    """Those that are published and not over, the oldest first, also those that the reader has put away.

    In two statements.
    """
    return await _shown(reader.id, "")


async def find(number: int) -> Announcement | None:
    """One of these as somebody sees it who has done nothing about it."""
    found = await _shown(0, "AND n.id = $3", number)
    return found[0] if found else None


async def dismiss(reader: Account, announcement_id: int) -> None:
    """Put one away; twice is the same as once. Raises NotFound for what the reader is not shown."""
    async with db.transaction():
        await _require_shown(announcement_id)
        await db.execute(_DISMISS, reader.id, announcement_id)


async def react(reader: Account, announcement_id: int, name: str) -> None:
    """React with an emoji, or with one of this server by its name. Twice is the same as once.

    Raises NotFound for what the reader is not shown, Invalid for what is no emoji and for one too many.
    """
    if not text.is_emoji(name) and await db.value(_EMOJI, name) is None:
        raise Invalid("There is no such emoji here.", field="name")
    async with db.transaction():
        await _require_shown(announcement_id)
        names = await db.column(_NAMES, announcement_id)
        if name not in names and len(names) >= _MOST_REACTIONS:
            raise Invalid("There are too many different reactions to this.", field="name")
        if await db.value(_REACT, announcement_id, name, reader.id, moments.now()) is not None:
            streams.reacted(announcement_id, name)


async def unreact(reader: Account, announcement_id: int, name: str) -> None:
    """Take that back. Raises NotFound for what the reader is not shown."""
    async with db.transaction():
        await _require_shown(announcement_id)
        if await db.value(_UNREACT, announcement_id, name, reader.id) is not None:
            streams.reacted(announcement_id, name)


# -------------------------------------------------------------------------------------------- what staff does


async def kept() -> list[Kept]:
    """All of them, the newest first, for whoever runs the server."""
    found = await db.rows(f"SELECT {', '.join(Kept._fields)} FROM announcement ORDER BY id DESC")
    return [Kept(**{**line, "all_day": bool(line["all_day"])}) for line in found]


async def add(
    by: User | None,
    words: str,
    starts_at: int | None = None,
    ends_at: int | None = None,
    all_day: bool = False,
) -> int:
    """Tell everybody something, from now on, and until it ends if it does. Gives its number.

    `by` is an admin, else it raises Forbidden, or None for the command line; so with the verbs below. Raises
    Invalid.
    """
    _require_admin(by)
    words = text.tidy_block(words)
    if not words or len(words) > _LONGEST:
        raise Invalid(f"An announcement has 1 to {_LONGEST} characters.", field="text")
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise Invalid("It cannot end before it starts.", field="ends_at")
    number, now = ids.new(), moments.now()
    async with db.transaction():
        await db.execute(_ADD, number, words, starts_at, ends_at, all_day, now)
        await _note(by, "announcement.add", number)
    return number


async def publish(by: User | None, number: int) -> None:
    """Show one again that was withdrawn. Raises NotFound."""
    await _set(by, number, "announcement.publish", moments.now())


async def unpublish(by: User | None, number: int) -> None:
    """Show it to nobody, but keep it. Raises NotFound."""
    await _set(by, number, "announcement.unpublish", None)


async def remove(by: User | None, number: int) -> None:
    """Delete it for good, with the reactions to it. Raises NotFound."""
    _require_admin(by)
    async with db.transaction():
        if await db.value("DELETE FROM announcement WHERE id = $1 RETURNING id", number) is None:
            raise NotFound("There is no such announcement.")
        await _note(by, "announcement.remove", number)


async def tell(number: int) -> None:
    """Tell those who listen that it is there now, or gone: owed with each change, since it may be made by a
    command, in a process that nobody listens to.
    """
    if await find(number) is None:
        streams.withdrawn(number)
    else:
        streams.announced(number)


# ------------------------------------------------------------------------------------------------- helpers


async def _shown(reader_id: int, condition: str, *values: int) -> list[Announcement]:
    found = await db.rows(_LISTING.format(condition=condition), reader_id, moments.now(), *values)
    reactions = await _reactions(reader_id, [line["id"] for line in found]) if found else {}
    return [
        Announcement(
            **{**line, "all_day": bool(line["all_day"]), "read": bool(line["read"])},
            reactions=tuple(reactions.get(line["id"], ())),
        )
        for line in found
    ]


async def _reactions(reader_id: int, numbers: list[int]) -> dict[int, list[Reaction]]:
    found: defaultdict[int, list[Reaction]] = defaultdict(list)
    for line in await db.rows(_REACTIONS.format(given=db.unnest("$2")), reader_id, db.array(numbers)):
        path = uris.media_path(line["file"]) if line["file"] else ""
        reaction = Reaction(line["name"], line["number"], bool(line["mine"]), path)
        found[line["announcement_id"]].append(reaction)
    return found


async def _require_shown(announcement_id: int) -> None:
    if await db.value(_THERE, announcement_id, moments.now()) is None:
        raise NotFound


async def _set(by: User | None, number: int, action: str, published_at: int | None) -> None:
    _require_admin(by)
    sql = "UPDATE announcement SET published_at = $2, updated_at = $3 WHERE id = $1 RETURNING id"
    async with db.transaction():
        if await db.value(sql, number, published_at, moments.now()) is None:
            raise NotFound("There is no such announcement.")
        await _note(by, action, number)


async def _note(by: User | None, action: str, number: int) -> None:
    await audit.record(by, action, str(number))
    await work.owe(Job.ANNOUNCE, number)


def _require_admin(by: User | None) -> None:
    if by is not None:
        members.require_staff(by, Role.ADMIN)


_SHOWN = "n.published_at <= $2 AND (n.ends_at IS NULL OR n.ends_at > $2)"
_LISTING = f"""
SELECT n.id, n.text, n.starts_at, n.ends_at, n.all_day, n.published_at, n.updated_at,
  EXISTS (SELECT 1 FROM announcement_read r WHERE r.account_id = $1 AND r.announcement_id = n.id) AS read
FROM announcement n WHERE {_SHOWN} {{condition}} ORDER BY n.published_at, n.id
"""
_THERE = f"SELECT n.id FROM announcement n WHERE n.id = $1 AND {_SHOWN}"
_DISMISS = """
INSERT INTO announcement_read (account_id, announcement_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_ADD = """
INSERT INTO announcement (id, text, starts_at, ends_at, all_day, published_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
"""
_EMOJI = "SELECT id FROM emoji WHERE shortcode = $1 AND domain = '' AND NOT disabled AND file <> ''"
_NAMES = "SELECT DISTINCT name FROM announcement_reaction WHERE announcement_id = $1"
_REACT = """
INSERT INTO announcement_reaction (announcement_id, name, account_id, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING account_id
"""
_UNREACT = """
DELETE FROM announcement_reaction WHERE announcement_id = $1 AND name = $2 AND account_id = $3
RETURNING account_id
"""
_REACTIONS = """
SELECT x.announcement_id, x.name, count(*) AS number,
  max(CASE WHEN x.account_id = $1 THEN 1 ELSE 0 END) AS mine, min(x.created_at) AS first, max(e.file) AS file
FROM {given} JOIN announcement_reaction x ON x.announcement_id = given.id
JOIN account a ON a.id = x.account_id AND a.suspended_at IS NULL
LEFT JOIN emoji e ON e.shortcode = x.name AND e.domain = '' AND NOT e.disabled
GROUP BY x.announcement_id, x.name ORDER BY x.announcement_id, first, x.name
"""
