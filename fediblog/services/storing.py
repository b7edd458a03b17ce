"""The rows of a post, ours or from elsewhere: itself, its hashtags, whom it addresses, what is counted.

What `posts.publish` and `receiving.receive` have in common, inside the transaction of the one or the other.
"""

from collections.abc import Collection
from typing import Any

from fediblog import db
from fediblog.models import Account, Consent, Post, Visibility
from fediblog.services import conversations, hashtags, quotes, streams


async def store(author: Account, post: Post, named: Collection[int], silent: Collection[int] = ()) -> None:
    """Write a new post, tie it to its hashtags, address people, and put it onto its author's own home.

    A direct one goes to the conversations of those addressed instead.

    `named` are the accounts that its text names; `silent` those that it is sent to without a word of them.
    """
    await post.save(force_create=True)
    await hashtags.add(post, post.hashtags)
    await _address(post, named, 0, True)
    await _address(post, silent, 0, False)
    await conversations.add(post, {author.id, *named, *silent})
    if author.local and post.visibility < Visibility.DIRECT:
        await db.execute(_OWN_HOME, author.id, post.id)
        streams.brought(post.id, [author.id])


async def address_anew(
    post: Post, named: Collection[int], since: int, silent: Collection[int] = ()
) -> list[int]:
    """Address people after an edit of the moment `since`; gives those of `named` who had not been before.

    Who was once addressed keeps seeing the post, named or not.
    """
    await db.execute("UPDATE mention SET named = FALSE WHERE post_id = $1 AND named", post.id)
    fresh = await _address(post, named, since, True)
    fresh_silent = await _address(post, silent, since, False)
    await conversations.add(post, {*fresh, *fresh_silent})
    return fresh


async def rewrite(post: Post, **columns: Any) -> None:
    """Change columns of a post and count a new version of it."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
    values = [db.json(value) if isinstance(value, list) else value for value in columns.values()]
    await db.execute(f"UPDATE post SET {sets}, version = version + 1 WHERE id = $1", post.id, *values)
    post.update_from_dict(columns)


async def count(author: Account, post: Post) -> None:
    """Counters come last in a transaction, so that a hot row is locked for as short as possible."""
    if post.reply_to_id is not None and post.visibility <= Visibility.UNLISTED:
        await db.execute("UPDATE post SET replies = replies + 1 WHERE id = $1", post.reply_to_id)
    if post.quote_state is Consent.ACCEPTED:
        await quotes.count(post.quote_of_id, 1)
    if post.visibility < Visibility.DIRECT:
        await db.execute(_COUNT_POST, author.id, post.created_at)


async def _address(post: Post, account_ids: Collection[int], since: int, named: bool) -> list[int]:
    """Gives those who had not been addressed before."""
    if not account_ids:
        return []
    sql = _ADDRESS.format(given=db.unnest("$2"))
    found = await db.rows(sql, post.id, db.array(list(account_ids)), since, named)
    return [line["account_id"] for line in found if line["since"] == since]


_OWN_HOME = "INSERT INTO home_entry (account_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ADDRESS = """INSERT INTO mention (post_id, account_id, since, named)
SELECT CAST($1 AS BIGINT), given.id, CAST($3 AS BIGINT), CAST($4 AS BOOLEAN) FROM {given} WHERE given.id > 0
ON CONFLICT (post_id, account_id) DO UPDATE SET named = mention.named OR excluded.named
RETURNING account_id, since"""
# What is found years later does not make its author's last post older.
_COUNT_POST = """UPDATE account SET posts_count = posts_count + 1,
last_post_at = CASE WHEN last_post_at > $2 THEN last_post_at ELSE $2 END WHERE id = $1"""
