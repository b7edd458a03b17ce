"""Boosting and unboosting: passing a post on to one's followers. A boost is a row of `post` without text."""

from fediblog import db, ids, moments, uris
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import acting, events, home, locks, notifications, people, streams, work
from fediblog.services.events import Event
from fediblog.services.notifications import Kind
from fediblog.services.people import People, Relation
from fediblog.services.visibility import clause

BOOSTED_BY = Relation("post", "boost_of_id", "author_id")

# Passes on everything that is said in it: that is no news to its author (FEDERATION §5, Announce).
_GROUP = "Group"


async def boost(
    account: Account, post: Post, visibility: Visibility | None = None, uri: str | None = None
) -> Post:
    """Pass a post on; gives the boost. There is one per account: asking again gives the first.

    Boosting a boost passes on the original. `visibility` is who sees the boost, everybody when None; of one's
    own followers-only post always the followers. `uri` is the name that another server gave its boost.
    Raises Invalid for a direct boost, Forbidden for what may not be passed on, and as `acting.check` does.
    """
    original = await acting.original(post)
    level = _level(account, original, visibility)
    async with db.transaction():
        await acting.check(account, original)
        boost_id = await _insert(account, original, level, uri)
        if boost_id is not None:
            await _announce(account, original, boost_id)
            await _count(account, original)
            await events.record(Event.BOOSTED, account, post_id=boost_id)
        made = await Post.get_or_none(author_id=account.id, boost_of_id=original.id)
    if made is None:
        raise NotFound  # It was there, and has been taken back in this moment.
    return made


async def unboost(account: Account, post: Post) -> Post:
    """Take a boost back; gives the original. Without a boost: nothing."""
    original = await acting.original(post)
    async with db.transaction():
        gone = await db.row(_DELETE, account.id, original.id) if await locks.keep(original.id) else None
        if gone is not None:
            await notifications.take_back(Kind.BOOST, original.author_id, account.id, original.id)
            await db.execute("UPDATE post SET boosts = boosts - 1 WHERE id = $1", original.id)
            await db.execute("UPDATE account SET posts_count = posts_count - 1 WHERE id = $1", account.id)
            await _record_end(account, original, gone)
            streams.taken_back(gone["id"], account.id, gone["visibility"])
    return original


async def boosted_by(post: Post, viewer: Account | None, page: Page) -> People:
    """Who boosted a post that the viewer may see; boosts for followers only are told to those alone."""
    may_see = clause("$4" if viewer else None, "r")
    return await people.listed(BOOSTED_BY, post.boost_of_id or post.id, page, viewer, may_see)


def _level(account: Account, original: Post, asked: Visibility | None) -> Visibility:
    if asked == Visibility.DIRECT:
        raise Invalid("A boost cannot be for a few people only.", "visibility")
    if original.visibility <= Visibility.UNLISTED:
        return Visibility.PUBLIC if asked is None else asked
    if original.visibility == Visibility.FOLLOWERS and original.author_id == account.id:
        return Visibility.FOLLOWERS
    raise Forbidden("This post cannot be boosted: it is not meant for everybody.")


async def _insert(account: Account, original: Post, level: Visibility, uri: str | None) -> int | None:
    """The id of the new boost, None when there was one."""
    number = ids.new()
    found: int | None = await db.value(
        _INSERT,
        number,
        uri or uris.post_uri(number),
        uris.post_page(account.username, number) if account.local else "",
        account.id,
        original.id,
        original.author_id,
        level.value,
        account.local,
        moments.now(),
    )
    return found


async def _announce(account: Account, original: Post, boost_id: int) -> None:
    streams.published(boost_id)
    if account.local:
        await db.execute(_OWN_HOME, account.id, boost_id)
        streams.brought(boost_id, [account.id])
        await work.owe(Job.FAN_OUT, boost_id)
    else:
        await home.bring(boost_id)
    if account.actor_type != _GROUP:
        await notifications.tell(Kind.BOOST, original.author_id, account, original.id)


async def _record_end(account: Account, original: Post, gone: db.Row) -> None:
    """The row is gone, so the event says what was in it."""
    detail = {"uri": gone["uri"], "visibility": gone["visibility"]}
    detail |= {"of_uri": original.uri, "of_author_id": original.author_id}
    await events.record(Event.UNBOOSTED, account, post_id=gone["id"], detail=detail)


async def _count(account: Account, original: Post) -> None:
    """Late, the post before the account as everywhere, so that nobody waits crosswise (TIMELINES §8)."""
    await db.execute("UPDATE post SET boosts = boosts + 1 WHERE id = $1", original.id)
    await db.execute(_COUNT, account.id, moments.now())


_INSERT = """
INSERT INTO post (id, uri, url, author_id, boost_of_id, boost_of_author_id, thread_id, visibility, local,
    hashtags, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $1, $7, $8, '[]', $9)
ON CONFLICT (author_id, boost_of_id) WHERE boost_of_id IS NOT NULL DO NOTHING RETURNING id
"""
_DELETE = "DELETE FROM post WHERE author_id = $1 AND boost_of_id = $2 RETURNING id, uri, visibility"
_OWN_HOME = "INSERT INTO home_entry (account_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_COUNT = "UPDATE account SET posts_count = posts_count + 1, last_post_at = $2 WHERE id = $1"
