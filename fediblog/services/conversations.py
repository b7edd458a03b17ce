"""Conversations: the threads of direct posts, for each account here that takes part in one.

A row says which direct post of a thread is the last one for its owner, and whether it has been read. Rows
change in the transaction of the post, whoever wrote it; whether the post may be shown is asked at reading.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import visibility


@dataclass(frozen=True, slots=True)
class Conversation:
    """One as its owner sees it. `with_ids` are the others to whom the last post is, or who wrote it."""

    id: int
    last_post_id: int
    unread: bool
    with_ids: tuple[int, ...]


# ------------------------------------------------------------------------------------------------ writing


async def add(post: Post, account_ids: Collection[int]) -> None:
    """A direct post is the last of its conversation for these accounts, as far as they live here.

    To be called in the transaction that stores or addresses it; of any other post: nothing. Who does not want
    to see its author has no conversation by it. What was found late makes nothing unread.
    """
    if post.visibility == Visibility.DIRECT and account_ids:
        sql = _ADD.format(given=db.unnest("$1"))
        await db.execute(sql, db.array(sorted(account_ids)), post.thread_id, post.id, post.author_id)


async def forget(post: Post) -> None:
    """A direct post is about to be deleted: the one before it is the last again, or there is none."""
    if post.visibility == Visibility.DIRECT:
        await db.execute(_STEP_BACK, post.id, post.thread_id)
        await db.execute(_DROP_EMPTY, post.thread_id)


async def join(thread_id: int, others: Sequence[int]) -> None:
    """These threads have become parts of another one, inside the transaction that found out."""
    given = db.unnest("$2")
    await db.execute(_JOIN.format(given=given), thread_id, db.array(others))
    await db.execute(_LEAVE.format(given=given), thread_id, db.array(others))


async def mark_read(account: Account, conversation_id: int) -> Conversation:
    """The conversation, which has been read now. Raises NotFound."""
    async with db.transaction():
        sql = "UPDATE conversation SET unread = FALSE WHERE account_id = $1 AND id = $2"
        await db.execute(sql, account.id, conversation_id)
    return await get(account, conversation_id)


async def remove(account: Account, conversation_id: int) -> None:
    """Take it off one's list; its posts stay, and the next one brings it back. Raises NotFound."""
    async with db.transaction():
        sql = "DELETE FROM conversation WHERE account_id = $1 AND id = $2 RETURNING id"
        if await db.value(sql, account.id, conversation_id) is None:
            raise NotFound


# ------------------------------------------------------------------------------------------------ reading


async def listing(account: Account, page: Page) -> list[Conversation]:
    """A page of conversations, the last post first; one pages by the ids of these posts. Two statements."""
    found = await db.rows(statement(page), page.before, page.after, account.id)
    found = sorted(found[: page.limit], key=lambda line: -line["last_post_id"])
    return await _whole(account, found)


async def get(account: Account, conversation_id: int) -> Conversation:
    """One's own conversation. Raises NotFound, also when nothing of it may be shown now."""
    found = await db.rows(f"{_shown('$1')} AND c.id = $2", account.id, conversation_id)
    if not found:
        raise NotFound
    return (await _whole(account, found))[0]


def statement(page: Page) -> str:
    """The statement of a list; public so that tests can look at its plan."""
    return (
        f"{_shown('$3')} AND c.last_post_id < $1 AND c.last_post_id > $2"
        f" ORDER BY c.last_post_id {page.order} LIMIT {page.rows}"
    )


def _shown(owner: str) -> str:
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    hidden = f"SELECT 1 FROM hidden h WHERE h.account_id = {owner} AND h.target_id = p.author_id"
    return (
        f"SELECT c.id, c.last_post_id, c.unread FROM conversation c {join} post p ON p.id = c.last_post_id"
        f" WHERE c.account_id = {owner} AND ({hidden}) IS NULL AND {visibility.clause(owner)}"
    )


async def _whole(account: Account, found: Sequence[db.Row]) -> list[Conversation]:
    posts = [line["last_post_id"] for line in found]
    taking_part: dict[int, list[int]] = {number: [] for number in posts}
    for line in await db.rows(_TAKING_PART.format(given=db.unnest("$1")), db.array(posts)) if posts else ():
        if line["account_id"] != account.id:
            taking_part[line["post_id"]].append(line["account_id"])
    return [
        Conversation(
            line["id"], line["last_post_id"], bool(line["unread"]), tuple(taking_part[line["last_post_id"]])
        )
        for line in found
    ]


# The number of a conversation is that of the post with which it came onto the list.
_ADD = """
INSERT INTO conversation (account_id, thread_id, id, last_post_id, unread)
SELECT a.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($3 AS BIGINT), a.id <> $4
FROM {given} JOIN account a ON a.id = given.id AND a.local
WHERE (SELECT 1 FROM hidden h WHERE h.account_id = a.id AND h.target_id = $4) IS NULL ORDER BY a.id
ON CONFLICT (account_id, thread_id) DO UPDATE SET
    unread = CASE WHEN excluded.last_post_id > conversation.last_post_id
        THEN excluded.unread ELSE conversation.unread END,
    last_post_id = CASE WHEN excluded.last_post_id > conversation.last_post_id
        THEN excluded.last_post_id ELSE conversation.last_post_id END
"""
_STEP_BACK = """
UPDATE conversation SET last_post_id = COALESCE((
    SELECT max(p.id) FROM post p
    WHERE p.thread_id = conversation.thread_id AND p.visibility = 3 AND p.id <> $1
      AND (p.author_id = conversation.account_id
        OR EXISTS (SELECT 1 FROM mention m WHERE m.post_id = p.id AND m.account_id = conversation.account_id))
), 0) WHERE thread_id = $2 AND last_post_id = $1
"""
_DROP_EMPTY = "DELETE FROM conversation WHERE thread_id = $1 AND last_post_id = 0"
_JOIN = """
INSERT INTO conversation (account_id, thread_id, id, last_post_id, unread)
SELECT c.account_id, CAST($1 AS BIGINT), min(c.id), max(c.last_post_id),
  max(CASE WHEN c.unread THEN 1 ELSE 0 END) = 1
FROM conversation c WHERE c.thread_id IN (SELECT given.id FROM {given}) AND c.thread_id <> $1
GROUP BY c.account_id ORDER BY c.account_id
ON CONFLICT (account_id, thread_id) DO UPDATE SET unread = conversation.unread OR excluded.unread,
    last_post_id = CASE WHEN excluded.last_post_id > conversation.last_post_id
        THEN excluded.last_post_id ELSE conversation.last_post_id END
"""
_LEAVE = "DELETE FROM conversation WHERE thread_id IN (SELECT given.id FROM {given}) AND thread_id <> $1"
_TAKING_PART = """
SELECT p.id AS post_id, a.id AS account_id FROM {given} JOIN post p ON p.id = given.id
JOIN account a ON a.id = p.author_id AND a.deleted_at IS NULL
UNION SELECT m.post_id, a.id FROM {given} JOIN mention m ON m.post_id = given.id
JOIN account a ON a.id = m.account_id AND a.deleted_at IS NULL ORDER BY 1, 2
"""
