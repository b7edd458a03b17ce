"""What a list shows, read without ORM objects (PERFORMANCE, TIMELINES §4-§5).

A list is one statement: the ids of the page and one shared tail that adds versions, counters and the viewer's
flags to each: an `Entry`. What does not change between two versions of a post is its `Body`, of an account its
`Card`; doors render these once per (id, version) and keep the result, so a warm page costs one query and a cold
one three, whatever it holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from fediblog import db
from fediblog.models import Account, Visibility
from fediblog.paging import Page


class Counts(NamedTuple):
    """An account's counters, which change without a new version."""

    posts: int
    following: int
    followers: int
    last_post_at: int | None


class Ballot(NamedTuple):
    """How a poll stands and what the viewer chose."""

    votes: list[int]
    voters: int
    closed: bool
    choices: list[int] | None  # Positions; None when the viewer has not voted.


class Entry(NamedTuple):
    """One line of a list. When `id` is a boost, `post_*` and all flags and counters are of the original."""

    id: int
    version: int
    author_id: int
    author_version: int
    author_counts: Counts
    post_id: int
    post_version: int
    post_author_id: int
    post_author_version: int
    post_author_counts: Counts
    likes: int
    boosts: int
    replies: int
    liked: bool
    boosted: bool
    bookmarked: bool
    muted: bool
    pinned: bool
    ballot: Ballot | None

    @property
    def is_boost(self) -> bool:
        """Whether this line passes on another post."""
        return self.id != self.post_id


class Listing(NamedTuple):
    """A page of entries, newest first, and the cursors for the links to its neighbours."""

    entries: list[Entry]
    cursors: list[int]


@dataclass(frozen=True, slots=True)
class MediaView:
    """A file on a post. `file` and `small_file` are storage keys, empty while it is not ready."""

    id: int
    kind: str
    state: str
    mime: str
    file: str
    small_file: str
    remote_url: str
    description: str
    focus_x: float | None
    focus_y: float | None
    width: int | None
    height: int | None
    small_width: int | None
    small_height: int | None
    duration: float | None
    frame_rate: float | None
    bitrate: int | None
    blurhash: str


@dataclass(frozen=True, slots=True)
class MentionView:
    """An account that a post mentions."""

    id: int
    username: str
    domain: str
    url: str


@dataclass(frozen=True, slots=True)
class PollView:
    """The question on a post, without its tallies."""

    multiple: bool
    hide_totals: bool
    expires_at: int | None
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A post without counters and flags: the same for everyone who may see it."""

    id: int
    version: int
    uri: str
    url: str
    author_id: int
    boost_of_id: int | None
    reply_to_id: int | None
    reply_to_author_id: int | None
    thread_id: int
    visibility: Visibility
    local: bool
    sensitive: bool
    summary: str
    content: str
    language: str
    hashtags: tuple[str, ...]
    application: str
    created_at: int
    edited_at: int | None
    media: tuple[MediaView, ...]
    mentions: tuple[MentionView, ...]
    poll: PollView | None


@dataclass(frozen=True, slots=True)
class Card:
    """An account without its counters. `fields` are {name, source, value, verified_at}."""

    id: int
    version: int
    username: str
    domain: str
    local: bool
    actor_type: str
    uri: str
    url: str
    display_name: str
    note: str
    fields: tuple[dict[str, Any], ...]
    avatar: str
    header: str
    locked: bool
    discoverable: bool
    indexable: bool
    hide_collections: bool
    created_at: int
    suspended: bool
    silenced: bool
    moved_to_id: int | None

    @property
    def handle(self) -> str:
        """`name` here, `name@host` elsewhere."""
        return f"{self.username}@{self.domain}" if self.domain else self.username

    @property
    def name(self) -> str:
        """What stands in front: the display name, or the user name without one."""
        return self.display_name or self.username


# ---------------------------------------------------------------------------------------------- entries


async def page(ids_sql: str, viewer: Account | None, page: Page, *values: Any) -> Listing:
    """Run the ids part of a list and the shared tail in one statement.

    `ids_sql` selects `id` (and `cursor` when the order is that of a relation) with its own LIMIT; `$1` is the
    viewer's id and `values` are the parameters from `$2` on.
    """
    found = await db.rows(statement(ids_sql), viewer.id if viewer else 0, *values)
    found.sort(key=lambda line: -line["cursor"])
    return Listing([_entry(line) for line in found], [line["cursor"] for line in found])


async def entries(post_ids: Sequence[int], viewer: Account | None) -> dict[int, Entry]:
    """Entries for posts that are known by id and allowed already. Ids that are gone are left out."""
    if not post_ids:
        return {}
    sql = f"SELECT id, id AS cursor FROM {db.unnest('$2')}"
    found = await db.rows(statement(sql), viewer.id if viewer else 0, db.array(post_ids))
    return {line["id"]: _entry(line) for line in found}


@lru_cache(256)
def _statement(dialect: db.Dialect, ids_sql: str) -> str:
    # SQLite must not reorder the tables (TIMELINES §2.1); PostgreSQL knows no CROSS JOIN with ON.
    join = "CROSS JOIN" if dialect == "sqlite" else "JOIN"
    votes = "SELECT votes FROM poll_option WHERE poll_id = o.id ORDER BY position"
    votes_list = (
        f"(SELECT json_group_array(votes) FROM ({votes}))"
        if dialect == "sqlite"
        else f"CAST(array_to_json(ARRAY({votes})) AS TEXT)"
    )
    counts = ", ".join(
        f"{a}.posts_count AS {a}_posts, {a}.following_count AS {a}_following,"
        f" {a}.followers_count AS {a}_followers, {a}.last_post_at AS {a}_last"
        for a in ("wa", "oa")
    )
    return f"""WITH page AS ({ids_sql})
SELECT page.cursor, w.id, w.version, w.author_id, wa.version AS author_version,
  o.id AS post_id, o.version AS post_version, o.author_id AS post_author_id,
  oa.version AS post_author_version, {counts}, o.likes, o.boosts, o.replies,
  EXISTS (SELECT 1 FROM post_like x WHERE x.account_id = $1 AND x.post_id = o.id) AS liked,
  EXISTS (SELECT 1 FROM post x WHERE x.author_id = $1 AND x.boost_of_id = o.id) AS boosted,
  EXISTS (SELECT 1 FROM bookmark x WHERE x.account_id = $1 AND x.post_id = o.id) AS bookmarked,
  EXISTS (SELECT 1 FROM thread_mute x WHERE x.account_id = $1 AND x.thread_id = o.thread_id) AS muted,
  EXISTS (SELECT 1 FROM pin x WHERE x.account_id = o.author_id AND x.post_id = o.id) AS pinned,
  q.voters, q.closed_at, {votes_list} AS votes,
  (SELECT x.choices FROM poll_ballot x WHERE x.poll_id = o.id AND x.account_id = $1) AS choices
FROM page
{join} post w ON w.id = page.id
{join} post o ON o.id = COALESCE(w.boost_of_id, w.id)
{join} account wa ON wa.id = w.author_id AND wa.suspended_at IS NULL
{join} account oa ON oa.id = o.author_id AND oa.suspended_at IS NULL
LEFT JOIN poll q ON q.id = o.id"""


def statement(ids_sql: str) -> str:
    """The whole statement of a list; public so that tests can look at its plan."""
    return _statement(db.dialect(), ids_sql)


def _entry(line: db.Row) -> Entry:
    return Entry(
        line["id"],
        line["version"],
        line["author_id"],
        line["author_version"],
        _counts(line, "wa"),
        line["post_id"],
        line["post_version"],
        line["post_author_id"],
        line["post_author_version"],
        _counts(line, "oa"),
        line["likes"],
        line["boosts"],
        line["replies"],
        bool(line["liked"]),
        bool(line["boosted"]),
        bool(line["bookmarked"]),
        bool(line["muted"]),
        bool(line["pinned"]),
        _ballot(line) if line["voters"] is not None else None,
    )


def _counts(line: db.Row, alias: str) -> Counts:
    return Counts(
        line[f"{alias}_posts"], line[f"{alias}_following"], line[f"{alias}_followers"], line[f"{alias}_last"]
    )


def _ballot(line: db.Row) -> Ballot:
    bits = line["choices"]
    chosen = None if bits is None else [place for place in range(63) if bits >> place & 1]
    return Ballot(orjson.loads(line["votes"]), line["voters"], line["closed_at"] is not None, chosen)


# --------------------------------------------------------------------------------------- bodies and cards


async def bodies(post_ids: Iterable[int]) -> dict[int, Body]:
    """The bodies of posts, in one statement with their media, mentions and polls."""
    wanted = list(set(post_ids))
    if not wanted:
        return {}
    found = await db.rows(_bodies_sql(db.dialect()), db.array(wanted))
    return {line["id"]: _body(line) for line in found}


async def cards(account_ids: Iterable[int]) -> dict[int, Card]:
    """The cards of accounts, in one statement."""
    wanted = list(set(account_ids))
    if not wanted:
        return {}
    sql = f"SELECT a.* FROM {db.unnest('$1')} JOIN account a ON a.id = given.id"
    return {line["id"]: card(line) for line in await db.rows(sql, db.array(wanted))}


async def counts(account_ids: Iterable[int]) -> dict[int, Counts]:
    """The counters of accounts."""
    sql = (
        "SELECT a.id, a.posts_count AS a_posts, a.following_count AS a_following, a.followers_count AS a_followers,"
        f" a.last_post_at AS a_last FROM {db.unnest('$1')} JOIN account a ON a.id = given.id"
    )
    return {line["id"]: _counts(line, "a") for line in await db.rows(sql, db.array(list(set(account_ids))))}


def card(line: db.Row) -> Card:
    """A card from a row of `account`."""
    return Card(
        id=line["id"],
        version=line["version"],
        username=line["username"],
        domain=line["domain"],
        local=bool(line["local"]),
        actor_type=line["actor_type"],
        uri=line["uri"],
        url=line["url"],
        display_name=line["display_name"],
        note=line["note"],
        fields=tuple(orjson.loads(line["fields"])),
        avatar=line["avatar"],
        header=line["header"],
        locked=bool(line["locked"]),
        discoverable=bool(line["discoverable"]),
        indexable=bool(line["indexable"]),
        hide_collections=bool(line["hide_collections"]),
        created_at=line["created_at"],
        suspended=line["suspended_at"] is not None,
        silenced=line["silenced_at"] is not None,
        moved_to_id=line["moved_to_id"],
    )


_MEDIA = (
    "id kind state mime file small_file remote_url description focus_x focus_y width height small_width"
    " small_height duration frame_rate bitrate blurhash"
).split()


@lru_cache(2)
def _bodies_sql(dialect: db.Dialect) -> str:
    json_list = "json_group_array" if dialect == "sqlite" else "json_agg"
    json_object = "json_object" if dialect == "sqlite" else "json_build_object"
    media = ", ".join(f"'{name}', x.{name}" for name in _MEDIA)
    return f"""
SELECT p.*,
  (SELECT {json_list}({json_object}({media})) FROM
    (SELECT * FROM media WHERE post_id = p.id ORDER BY position) x) AS media,
  (SELECT {json_list}({json_object}('id', a.id, 'username', a.username, 'domain', a.domain, 'url', a.url))
    FROM mention m JOIN account a ON a.id = m.account_id WHERE m.post_id = p.id) AS mentions,
  (SELECT {json_list}(x.title) FROM
    (SELECT title FROM poll_option WHERE poll_id = p.id ORDER BY position) x) AS options,
  q.multiple, q.hide_totals, q.expires_at
FROM {db.unnest("$1")} JOIN post p ON p.id = given.id LEFT JOIN poll q ON q.id = p.id"""


def _body(line: db.Row) -> Body:
    return Body(
        id=line["id"],
        version=line["version"],
        uri=line["uri"],
        url=line["url"],
        author_id=line["author_id"],
        boost_of_id=line["boost_of_id"],
        reply_to_id=line["reply_to_id"],
        reply_to_author_id=line["reply_to_author_id"],
        thread_id=line["thread_id"],
        visibility=Visibility(line["visibility"]),
        local=bool(line["local"]),
        sensitive=bool(line["sensitive"]),
        summary=line["summary"],
        content=line["content"],
        language=line["language"],
        hashtags=tuple(orjson.loads(line["hashtags"])),
        application=line["application"],
        created_at=line["created_at"],
        edited_at=line["edited_at"],
        media=tuple(MediaView(**found) for found in _list(line["media"])),
        mentions=tuple(MentionView(**found) for found in _list(line["mentions"])),
        poll=_poll(line) if line["multiple"] is not None else None,
    )


def _poll(line: db.Row) -> PollView:
    return PollView(
        multiple=bool(line["multiple"]),
        hide_totals=bool(line["hide_totals"]),
        expires_at=line["expires_at"],
        options=tuple(_list(line["options"])),
    )


def _list(text: str | None) -> list[Any]:
    """A JSON list from a sub-select; PostgreSQL gives NULL where nothing was found."""
    return orjson.loads(text) if text else []
