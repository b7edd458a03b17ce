"""What somebody can listen to, and what of the news each of these channels carries for whom.

A channel carries for a listener just what reading the same place would give: the timelines themselves are
asked, with bounds between which nothing but the one post lies. So blocks, mutes, suspensions and all the rest
count here as they count there, at the moment at which it is sent.
"""

from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import orjson

from fediblog import db, text
from fediblog.errors import NotFound
from fediblog.models import Account, Visibility
from fediblog.paging import Page
from fediblog.services import lists, timelines
from fediblog.services.streams import News
from fediblog.services.views import Entry

HOME = "user"
NOTICES = "user:notification"
DIRECT = "direct"
LIST = "list"
# Names to what `timelines.public` and `timelines.tag` take.
PUBLIC: dict[str, dict[str, bool]] = {
    f"public{place}{media}": {**where, **what}
    for place, where in {"": {}, ":local": {"local": True}, ":remote": {"remote": True}}.items()
    for media, what in {"": {}, ":media": {"media": True}}.items()
}
TAGS: dict[str, dict[str, bool]] = {"hashtag": {}, "hashtag:local": {"local": True}}
NAMES = frozenset((HOME, NOTICES, DIRECT, LIST, *PUBLIC, *TAGS))


class Channel(NamedTuple):
    """A place by its name, with the hashtag or the number of the list where it needs one."""

    name: str
    which: str = ""


class Facts(NamedTuple):
    """What must be known of a post to see which channels may carry it at all."""

    author_id: int
    is_public: bool
    is_main: bool
    local: bool
    tags: frozenset[str]


async def facts(post_id: int) -> Facts | None:
    """Of a post that is here; None when it is gone again."""
    line = await db.row(_FACTS, post_id)
    if line is None:
        return None
    found = line["hashtags"]
    tags = orjson.loads(found) if isinstance(found, str | bytes) else found
    return Facts(
        line["author_id"],
        line["visibility"] == Visibility.PUBLIC,
        line["boost_of_id"] is None and line["reply_to_id"] is None,
        bool(line["local"]),
        frozenset(map(text.tag_key, tags)),
    )


def facts_of(gone: News) -> Facts:
    """Of a post that was deleted: what it was besides is not known any more, and takes nothing away."""
    is_public = gone.visibility == Visibility.PUBLIC
    return Facts(gone.author_id, is_public, is_public, True, frozenset(map(text.tag_key, gone.tags)))


def place(channel: Channel) -> Channel:
    """The one spelling of a channel: a hashtag has many, and all of them are one place to read."""
    return channel._replace(which=_tag_key(channel.which)) if channel.name in TAGS else channel


def may_carry(channel: Channel, post: Facts, lists_with: Collection[int] = ()) -> bool:
    """Whether it is worth while to ask. `lists_with` are the lists that the author is on."""
    if channel.name in PUBLIC:
        there = PUBLIC[channel.name]
        here = not (there.get("local") and not post.local) and not (there.get("remote") and post.local)
        return post.is_public and post.is_main and here
    if channel.name in TAGS:
        return post.is_public and _tag_key(channel.which) in post.tags
    return channel.name == LIST and int(channel.which) in lists_with


async def read(channel: Channel, viewer: Account, post_id: int) -> Entry | None:
    """The post as it stands there for this viewer; None when it does not."""
    only = Page(1, max_id=post_id + 1, since_id=post_id - 1)
    found = None
    if channel.name == HOME:
        found = await timelines.stored_home(viewer, only)
    elif channel.name in PUBLIC:
        found = await timelines.public(viewer, only, **PUBLIC[channel.name])
    elif channel.name in TAGS:
        found = await timelines.tag(channel.which, viewer, only, **TAGS[channel.name])
    elif channel.name == LIST:
        with suppress(NotFound):  # It was deleted meanwhile.
            which = await lists.get(viewer, int(channel.which))
            found = await timelines.members(viewer, which, only)
    return next(iter(found.entries), None) if found else None


async def followers(author_id: int, account_ids: Collection[int]) -> set[int]:
    """Those of the accounts that follow the author and do not hide them, and the author."""
    sql = _FOLLOWERS.format(given=db.unnest("$2"))
    return set(await db.column(sql, author_id, db.array(list(account_ids)))) | {author_id}


async def homes_with(post_id: int, account_ids: Collection[int]) -> set[int]:
    """Those of the accounts on whose homes the post is stored."""
    sql = _HOMES_WITH.format(given=db.unnest("$2"))
    return set(await db.column(sql, post_id, db.array(list(account_ids))))


async def tag_followers(tags: Collection[str], account_ids: Collection[int]) -> set[int]:
    """Those of the accounts that follow one of the hashtags."""
    if not tags:
        return set()
    places = ", ".join(f"${number}" for number in range(2, len(tags) + 2))
    sql = _TAG_FOLLOWERS.format(given=db.unnest("$1"), places=places)
    return set(await db.column(sql, db.array(list(account_ids)), *tags))


async def lists_with(author_id: int, list_ids: Collection[int]) -> set[int]:
    """Those of the lists that the author is on."""
    if not list_ids:
        return set()
    sql = _LISTS_WITH.format(given=db.unnest("$2"))
    return set(await db.column(sql, author_id, db.array(list(list_ids))))


# The same few are asked for with every post that comes.
_tag_key = lru_cache(8_192)(text.tag_key)

_FACTS = """
SELECT author_id, visibility, boost_of_id, reply_to_id, local, hashtags FROM post WHERE id = $1
"""
_FOLLOWERS = """
SELECT f.follower_id FROM {given} JOIN follow f ON f.follower_id = given.id AND f.target_id = $1
WHERE NOT EXISTS (SELECT 1 FROM hidden h WHERE h.account_id = given.id AND h.target_id = $1)
"""
_HOMES_WITH = """
SELECT e.account_id FROM {given} JOIN home_entry e ON e.account_id = given.id AND e.post_id = $1
"""
_TAG_FOLLOWERS = """
SELECT y.account_id FROM {given} JOIN followed_tag y ON y.account_id = given.id
JOIN tag g ON g.id = y.tag_id WHERE g.key IN ({places})
"""
_LISTS_WITH = """
SELECT m.list_id FROM {given} JOIN list_member m ON m.list_id = given.id AND m.account_id = $1
"""
