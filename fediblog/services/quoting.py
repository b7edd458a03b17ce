"""Quotes in posts of other servers: what these say of them, until it is known whether it holds (FEP-044f).

Nothing is asked of anybody here: a post that names a consent waits for `activitypub.consents`, which looks at
it. A quote of one of ours is one when we have agreed (`quotes.answer`), whatever the post says.
"""

from collections.abc import Sequence

from fediblog import db, uris
from fediblog.models import Account, Consent, Post
from fediblog.queue import Job
from fediblog.services import locks, quotable, quotes, work
from fediblog.services.incoming import IncomingPost


def first_state(author: Account, quoted: Post | None, incoming: IncomingPost) -> Consent:
    """How a quote begins that has just come."""
    if not incoming.quote_uri:
        return Consent.NONE
    if quoted is not None and quoted.author_id == author.id:
        return Consent.ACCEPTED
    return Consent.PENDING if _can_be_looked_at(incoming) else Consent.NONE


async def came(post: Post) -> None:
    """Owe the look at the consent that a new post names, inside its transaction."""
    if post.quote_state is Consent.PENDING:
        await work.owe(Job.CONSENT, post.id)


async def said_again(post: Post, incoming: IncomingPost) -> None:
    """Take over what a post says of its quote and of who may quote it, inside the transaction that edits it.

    Every consent that is named is looked at again, the same one too.
    """
    policy = quotable.effective(incoming.quotable, post.visibility)
    await db.execute(_SET_POLICY, post.id, policy.value)
    if not post.quote_uri or incoming.quote_uri != post.quote_uri or await _needs_none(post):
        return
    if _can_be_looked_at(incoming):
        named = incoming.quote_authorization
        if post.quote_state is not Consent.ACCEPTED or named != post.quote_authorization:
            await quotes.settle(post, Consent.PENDING, named)
        await work.owe(Job.CONSENT, post.id)
    elif post.quote_state in _OPEN:
        await quotes.settle(post, Consent.NONE)


async def quotes_another(author: Account, post: Post, quoted: Post | None, incoming: IncomingPost) -> None:
    """An edit quotes something else than before, or nothing any more."""
    if post.quote_state is not Consent.NONE:
        await quotes.settle(post, Consent.NONE)
    post.quote_of_id, post.quote_uri = quoted.id if quoted else None, incoming.quote_uri
    await db.execute(_TIE, post.id, post.quote_of_id, post.quote_uri)
    state = first_state(author, quoted, incoming)
    if state is not Consent.NONE:
        await quotes.settle(post, state, incoming.quote_authorization)
        await came(post)


async def adopt(quoted: Post) -> None:
    """Take in the quotes of a post that were here before it, in steps of their own: there may be many."""
    while waiting := await db.column(_ORPHANS, quoted.uri, quoted.id, _BATCH):
        async with db.transaction():
            if not await locks.keep(quoted.id):
                return
            await _tie_all(quoted, waiting)


async def held(post_id: int, authorization: str) -> None:
    """The consent was looked at, and holds."""
    await _conclude(post_id, authorization, Consent.ACCEPTED, authorization)


async def does_not_hold(post_id: int, authorization: str) -> None:
    """The consent was looked at, and does not hold: the quote is a link, or was one and is taken back."""
    await _conclude(post_id, authorization, Consent.NONE, "")


async def is_buried(authorization: str, author_id: int) -> bool:
    """Whether somebody has taken back a consent before it was seen here."""
    return await db.value(_IS_BURIED, authorization, author_id) is not None


async def _conclude(post_id: int, authorization: str, state: Consent, name: str) -> None:
    """Of what names another consent by now, or has none: nothing."""
    async with db.transaction():
        if not await locks.change(post_id):
            return
        post = await Post.get(id=post_id)
        if post.quote_authorization != authorization or post.quote_state not in _OPEN:
            return
        if state is Consent.NONE and post.quote_state is Consent.ACCEPTED:
            state = Consent.REVOKED
        await quotes.settle(post, state, name)


async def _tie_all(quoted: Post, post_ids: Sequence[int]) -> None:
    given = db.array(list(post_ids))
    await db.execute(_TIE_ALL.format(given=db.unnest("$2")), quoted.id, given)
    own = await db.rows(_OWN.format(given=db.unnest("$1")), given, quoted.author_id, Consent.ACCEPTED.value)
    await quotes.count(quoted.id, len(own))
    for post_id in await db.column(_WAITING.format(given=db.unnest("$1")), given, Consent.PENDING.value):
        await work.owe(Job.CONSENT, post_id)


def _can_be_looked_at(incoming: IncomingPost) -> bool:
    """What we have consented to is known here."""
    return bool(incoming.quote_authorization) and not any(
        map(uris.is_local, (incoming.quote_authorization, incoming.quote_uri))
    )


async def _needs_none(post: Post) -> bool:
    """Whether it quotes its own author, or one of ours, who are not asked by looking at what it says."""
    return await db.value(_NEEDS_NONE, post.quote_of_id or 0, post.author_id) is not None


_BATCH = 200
_OPEN = (Consent.PENDING, Consent.ACCEPTED)
_SET_POLICY = """
UPDATE post SET quote_policy = $2, version = version + 1 WHERE id = $1 AND quote_policy <> $2
"""
_TIE = "UPDATE post SET quote_of_id = $2, quote_uri = $3, version = version + 1 WHERE id = $1"
_ORPHANS = """
SELECT id FROM post
WHERE quote_uri = $1 AND quote_uri <> '' AND quote_of_id IS NULL AND id <> $2 ORDER BY id LIMIT $3
"""
_TIE_ALL = """
UPDATE post SET quote_of_id = $1, version = version + 1
WHERE id IN (SELECT given.id FROM {given}) AND quote_of_id IS NULL
"""
_OWN = """
UPDATE post SET quote_state = $3 WHERE id IN (SELECT given.id FROM {given}) AND author_id = $2
  AND quote_state <> $3 RETURNING id
"""
_WAITING = "SELECT p.id FROM {given} JOIN post p ON p.id = given.id WHERE p.quote_state = $2"
_IS_BURIED = "SELECT 1 FROM tombstone WHERE uri = $1 AND account_id = $2"
_NEEDS_NONE = "SELECT 1 FROM post WHERE id = $1 AND (local OR author_id = $2)"
