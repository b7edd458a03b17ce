"""Filling home timelines: one stored row for each reader and post (TIMELINES §1).

Workers write them, but for what comes from elsewhere and has few readers here: there a piece of owed work
would cost many times what the rows do.
"""

from fediblog import db
from fediblog.models import Account, Post, Visibility
from fediblog.queue import Job
from fediblog.services import notifications, timelines, work
from fediblog.services.notifications import Kind

_BATCH = 500
_FEW = 50
_KEPT = 800
_BACKFILL = 40


async def bring(post_id: int) -> None:
    """Put a post or a boost from elsewhere onto homes, inside the transaction that has stored it.

    Where more than a few follow its author here, or somebody wants to be told of it, that is owed instead.
    """
    found = await db.rows(_few(), post_id)
    if len(found) > _FEW or any(line["notify"] for line in found):
        await work.owe(Job.FAN_OUT, post_id)
    elif readers := [line["follower_id"] for line in found if line["reads"]]:
        await db.execute(_insert(), db.array(readers), post_id)


async def fan_out(post_id: int) -> None:
    """Put a post onto the homes of its author's local followers, and of those who follow a hashtag of it.

    Doing it twice is the same as once.

    Batches of 500 readers for each transaction, so that nobody who posts waits behind a celebrity.
    """
    post = await Post.get_or_none(id=post_id)
    if post is None or post.visibility == Visibility.DIRECT:
        return
    after = 0
    while readers := await db.column(_readers(), post.id, after, _BATCH):
        async with db.transaction():
            await db.execute(_insert(), db.array(readers), post.id)
        after = readers[-1]
    await _fan_out_by_tag(post)
    if post.boost_of_id is None and post.reply_to_id is None:
        await _ring(post)


async def _fan_out_by_tag(post: Post) -> None:
    """The same for those who follow one of its hashtags. Rows of hashtags have public posts only."""
    after = 0
    while readers := await db.column(f"{_BY_TAG} AND y.account_id > $2 {_IN_ORDER}", post.id, after, _BATCH):
        async with db.transaction():
            await db.execute(_insert(), db.array(readers), post.id)
        after = readers[-1]


async def backfill(follower_id: int, target_id: int) -> None:
    """Give a new follower the newest posts of the one followed, none older than a full home reaches."""
    rule = timelines.home_rule("$1")
    async with db.transaction():
        oldest = await db.value(_ENTRY_AT, follower_id, _KEPT - 1) or 0
        await db.execute(
            "INSERT INTO home_entry (account_id, post_id) SELECT CAST($1 AS BIGINT), p.id FROM post p"
            f" WHERE p.author_id = $2 AND p.visibility <= 2 AND {rule} AND p.id > $3"
            " ORDER BY p.id DESC LIMIT $4 ON CONFLICT DO NOTHING",
            follower_id,
            target_id,
            oldest,
            _BACKFILL,
        )


async def trim(account_id: int) -> None:
    """Forget what lies below the newest 800 rows of a home; older pages are looked up when somebody asks."""
    first_too_many = await db.value(_ENTRY_AT, account_id, _KEPT)
    if first_too_many is None:
        return
    async with db.transaction():
        await db.execute(_FORGET, account_id, first_too_many)


async def trim_all() -> int:
    """Trim every local home, one statement each: a single correlated one is a thousand times slower."""
    accounts = await db.column("SELECT id FROM account WHERE domain = '' ORDER BY id")
    for account_id in accounts:
        await trim(account_id)
    return len(accounts)


_FORGET = "DELETE FROM home_entry WHERE account_id = $1 AND post_id <= $2"
_ENTRY_AT = "SELECT post_id FROM home_entry WHERE account_id = $1 ORDER BY post_id DESC LIMIT 1 OFFSET $2"


# A boost of what stands among the newest rows of a home already, itself or passed on by others, adds nothing.
_SEEN_LATELY = """SELECT 1 FROM
(SELECT h.post_id FROM home_entry h WHERE h.account_id = f.follower_id ORDER BY h.post_id DESC LIMIT 40) r
JOIN post q ON q.id = r.post_id WHERE q.id = p.boost_of_id OR q.boost_of_id = p.boost_of_id"""


def _insert() -> str:
    given = db.unnest("$1")
    return (
        "INSERT INTO home_entry (account_id, post_id)"
        f" SELECT given.id, CAST($2 AS BIGINT) FROM {given} WHERE given.id > 0 ON CONFLICT DO NOTHING"
    )


def _few() -> str:
    """Local followers of who wrote the post `$1`, or of its hashtags, and whose home it is for.

    One more than a few at most.
    """
    return (
        "SELECT f.follower_id, f.notify,"
        f" CASE WHEN {timelines.taken('f')} AND {_is_for_home()} THEN 1 ELSE 0 END AS reads"
        f" {_FOLLOWING} AND p.visibility < {Visibility.DIRECT.value}"
        f" UNION ALL {_BY_TAG} LIMIT {_FEW + 1}"
    )


def _readers() -> str:
    """Those whose home gets the post."""
    return _followers(_is_for_home())


def _is_for_home() -> str:
    """The rules of replies and of boosts, for the follower `f` and the post `p`."""
    rule = timelines.home_rule("f.follower_id")
    return f"{rule} AND (p.boost_of_id IS NULL OR NOT EXISTS ({_SEEN_LATELY}))"


def _followers(rule: str) -> str:
    """Local followers after `$2`, in order, whose follow takes the post `$1`, and for whom the rule holds."""
    return (
        f"SELECT f.follower_id {_FOLLOWING} AND f.follower_id > $2 AND {timelines.taken('f')} AND {rule}"
        " ORDER BY f.follower_id LIMIT $3"
    )


_FOLLOWING = """FROM post p JOIN follow f ON f.target_id = p.author_id
JOIN account a ON a.id = f.follower_id AND a.local WHERE p.id = $1"""


# Once for each of the hashtags: a row that is there is put there once.
_BY_TAG = """SELECT y.account_id AS follower_id, FALSE AS notify, 1 AS reads
FROM post_tag x JOIN followed_tag y ON y.tag_id = x.tag_id
JOIN account a ON a.id = y.account_id AND a.local WHERE x.post_id = $1"""
_IN_ORDER = "ORDER BY y.account_id LIMIT $3"


async def _ring(post: Post) -> None:
    """Tell those who asked to hear of every new post of this author, in batches as above."""
    author = await Account.get(id=post.author_id)
    after = 0
    while listeners := await db.column(_followers("f.notify"), post.id, after, _BATCH):
        async with db.transaction():
            await notifications.tell_all(Kind.STATUS, listeners, author, post.id)
        after = listeners[-1]
