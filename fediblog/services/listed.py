"""What other servers may list here: answers, likes and boosts of a post, its thread, and who has gone.

Lists show what a stranger may see (visibility.py), whoever asks, and page by id like all others.
"""

from typing import NamedTuple

from fediblog import db
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services.visibility import clause


class Listed(NamedTuple):
    """A page of ids of other servers' kind, newest first, and the numbers to page by."""

    uris: list[str]
    cursors: list[int]


class Liked(NamedTuple):
    """A like: `uri` is what its own server named it, None for one of ours, which is named by its number."""

    id: int
    uri: str | None
    by: str


class Buried(NamedTuple):
    """What was here, and since when it is not, as far as that is known."""

    uri: str
    deleted_at: int | None


class Followed(NamedTuple):
    """Who follows and who is followed."""

    follower: str
    target: str
    target_id: int


class Letter(NamedTuple):
    """An activity that was sent, and whether the post that it is about is still there."""

    body: bytes
    is_current: bool


async def replies(post: Post, page: Page, own: bool) -> Listed:
    """Answers to a post: the author's own, or everybody else's."""
    return await _posts(OWN_REPLIES if own else OTHER_REPLIES, page, post.id, post.author_id)


async def thread(post: Post, page: Page) -> Listed:
    """All posts of a thread that began with this post, itself included."""
    return await _posts(THREAD, page, post.thread_id)


async def boosts(post: Post, page: Page) -> Listed:
    """The boosts of a post."""
    return await _posts(BOOSTS, page, post.id)


async def likes(post: Post, page: Page) -> tuple[list[Liked], list[int]]:
    """The likes of a post that have a name, as far as those who like may be seen; and the cursors."""
    found = await db.rows(_likes(page), page.before, page.after, post.id)
    found = sorted(found[: page.limit], key=lambda line: -line["id"])
    return [Liked(**line) for line in found], [line["id"] for line in found]


async def account_uris(account_ids: list[int]) -> list[str]:
    """The ids of accounts as other servers know them, in the same order; those that are gone are left out."""
    sql = f"SELECT a.id, a.uri FROM {db.unnest('$1')} JOIN account a ON a.id = given.id"
    known = {line["id"]: line["uri"] for line in await db.rows(sql, db.array(account_ids))}
    return [known[number] for number in account_ids if number in known]


async def account_uri(account_id: int | None) -> str:
    """The same for one; empty for none."""
    return "" if account_id is None else next(iter(await account_uris([account_id])), "")


async def post_uris(post_ids: list[int]) -> list[str]:
    """The same for posts."""
    sql = f"SELECT p.id, p.uri FROM {db.unnest('$1')} JOIN post p ON p.id = given.id"
    known = {line["id"]: line["uri"] for line in await db.rows(sql, db.array(post_ids))}
    return [known[number] for number in post_ids if number in known]


async def featured_tags(account: Account) -> list[str]:
    """The hashtags that stand on somebody's page, the oldest first."""
    return await db.column(_FEATURED_TAGS, account.id)


async def buried_account(account_id: int) -> Buried | None:
    """An account of ours that has been deleted."""
    found = await db.row(_BURIED_ACCOUNT, account_id)
    return Buried(**found) if found else None


async def buried_post(post_id: int) -> Buried | None:
    """A post of ours that everybody could see, deleted or about to be, with its author."""
    found = await db.row(_BURIED_POST, post_id)
    return Buried(**found) if found else None


async def letter(uri: str) -> Letter | None:
    """An activity of ours by its id. Nothing of those who are suspended or have left."""
    found = await db.row(_LETTER, uri)
    return Letter(bytes(found["body"]), bool(found["is_current"])) if found else None


async def follow(uri: str) -> Followed | None:
    """A follow of somebody here by its id, agreed or asked for."""
    found = await db.row(_FOLLOW, uri)
    return Followed(**found) if found else None


async def _posts(which: str, page: Page, *values: int) -> Listed:
    found = await db.rows(statement(which, page), page.before, page.after, *values)
    found = sorted(found[: page.limit], key=lambda line: -line["id"])
    return Listed([line["uri"] for line in found], [line["id"] for line in found])


def statement(which: str, page: Page) -> str:
    """The statement of a list of posts; public so that tests can look at its plan."""
    return (
        f"SELECT p.uri, p.id FROM post p WHERE p.id < $1 AND p.id > $2 AND {which} AND {clause(None)}"
        f" ORDER BY p.id {page.order} LIMIT {page.rows}"
    )


# The sign keeps SQLite from reading all that the author ever wrote instead of the answers.
OWN_REPLIES = "p.reply_to_id = $3 AND +p.author_id = $4"
OTHER_REPLIES = "p.reply_to_id = $3 AND +p.author_id <> $4"
THREAD = "p.thread_id = $3 AND p.boost_of_id IS NULL"
BOOSTS = "p.boost_of_id = $3"


def _likes(page: Page) -> str:
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return (
        f"SELECT l.id, l.uri, a.uri AS by FROM post_like l {join} account a ON a.id = l.account_id"
        " WHERE l.post_id = $3 AND l.id < $1 AND l.id > $2 AND (a.local OR l.uri IS NOT NULL)"
        " AND a.suspended_at IS NULL AND a.deleted_at IS NULL"
        f" ORDER BY l.id {page.order} LIMIT {page.rows}"
    )


_FEATURED_TAGS = """
SELECT g.name FROM featured_tag t JOIN tag g ON g.id = t.tag_id WHERE t.account_id = $1 ORDER BY t.id
"""
_BURIED_ACCOUNT = "SELECT uri, deleted_at FROM account WHERE id = $1 AND local AND deleted_at IS NOT NULL"
_BURIED_POST = """
SELECT t.uri, t.deleted_at FROM tombstone t JOIN account a ON a.id = t.account_id AND a.local WHERE t.id = $1
UNION ALL
SELECT p.uri, a.deleted_at FROM post p JOIN account a ON a.id = p.author_id
WHERE p.id = $1 AND p.local AND p.visibility <= 1 AND a.deleted_at IS NOT NULL LIMIT 1
"""
_LETTER = """
SELECT x.body, x.post_id IS NULL OR EXISTS (SELECT 1 FROM post p WHERE p.id = x.post_id) AS is_current
FROM activity x LEFT JOIN account a ON a.id = x.account_id WHERE x.uri = $1 AND a.suspended_at IS NULL
"""
_FOLLOW = """
SELECT a.uri AS follower, t.uri AS target, f.target_id
FROM (SELECT follower_id, target_id FROM follow WHERE uri = $1
      UNION ALL SELECT follower_id, target_id FROM follow_request WHERE uri = $1) f
JOIN account a ON a.id = f.follower_id AND a.local JOIN account t ON t.id = f.target_id
"""
