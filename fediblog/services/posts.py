"""Posts: publishing, editing, deleting and getting them. The same verbs for a form and for an app."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fediblog import db, ids, moments, uris
from fediblog.errors import Gone, NotFound
from fediblog.models import Account, Consent, Post, Quotable, Visibility
from fediblog.queue import Job
from fediblog.services import (
    cards,
    composing,
    conversations,
    edits,
    events,
    hashtags,
    indexed,
    locks,
    media,
    notifications,
    polls,
    quotable,
    quotes,
    storing,
    streams,
    views,
    visibility,
    work,
)
from fediblog.services.composing import Composed, Draft
from fediblog.services.events import Event
from fediblog.services.notifications import Kind
from fediblog.services.views import Body, Entry


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deleted post was, for writing it again."""

    body: Body
    source: str


async def publish(author: Account, draft: Draft) -> Post:
    """Publish what somebody here has written.

    Raises Invalid with the faults of the draft, or when it may not quote what it quotes, and NotFound when
    what it answers or quotes is not there for the author. The same idempotency key gives the post of the
    first time (SECURITY R7), and raises Gone when that has been deleted.
    """
    parent, quoted = await around(author, draft)
    composed = await composing.compose(author, draft, parent, quoted)
    async with db.transaction():
        post = _new(author, composed, parent, draft.application)
        if quoted is not None:
            _quote(author, post, quoted)
        first = await claim(draft, post.id)
        if first is not None:
            return await _as_before(first)
        if parent is not None and not await locks.keep(parent.id):
            raise NotFound
        if quoted is not None:
            await quotes.keep(author, quoted)
        # Who is quoted is asked, and so may look at where.
        quoted_ones = {quoted.author_id} - {author.id} if quoted else ()
        await storing.store(author, post, composed.mentioned, quoted_ones)
        await media.attach(author, draft.media_ids, post.id)
        if draft.poll is not None:
            await polls.create(post.id, draft.poll)
        await (indexed.post(post.id) if draft.media_ids or draft.poll else indexed.plain(post))
        await cards.want(post)
        await _announce(author, post, composed.mentioned)
        await storing.count(author, post)
        await _let_others_know(Event.POST_PUBLISHED, author, post, composed)
        if quoted is not None:
            await quotes.begin(author, post, quoted)
    return post


async def edit(author: Account, post_id: int, draft: Draft) -> Post:
    """Change a post of one's own; the version before is kept. Who sees it stays as it is, and what it quotes.

    Raises NotFound for other people's posts and boosts, Invalid with the faults of the draft.
    """
    draft = replace(draft, quoted_id=(await _own(author, post_id)).quote_of_id)
    composed = await composing.compose(author, draft)
    async with db.transaction():
        # Edits take turns: each keeps the version that the one before has made.
        await locks.change(post_id)
        post = await _own(author, post_id)
        changed = await edits.keep_version(post)
        await media.replace(author, post.id, draft.media_ids)
        for media_id, words in draft.words.items():
            await media.edit(author, media_id, words.description, words.focus)
        await polls.replace(post.id, draft.poll)
        await _rewrite(post, composed, draft.quote_policy, changed)
        await indexed.post(post.id)
        await cards.want(post)
        await hashtags.replace(post, composed.hashtags)
        fresh = await storing.address_anew(post, composed.mentioned, changed)
        await notifications.tell_all(Kind.MENTION, fresh, author, post.id)
        await edits.tell_boosters(author, post)
        await quotes.tell_quoters(author, post)
        await _let_others_know(Event.POST_EDITED, author, post, composed)
        streams.edited(post.id)
    return post


async def delete(author: Account, post_id: int) -> Deleted:
    """Delete a post of one's own for good. A tombstone stays, and its files for a day, to be used again.

    Raises NotFound for other people's posts and boosts, and for one that somebody else has just deleted.
    """
    post = await _own(author, post_id)
    body = await views.body(post.id)
    if not await remove(post):
        raise NotFound
    return Deleted(body, post.source)


async def get(post_id: int, viewer: Account | None) -> Post:
    """The post, if it is there for this viewer. Raises NotFound, whatever the reason."""
    post = await visibility.find(post_id, viewer)
    if post is None:
        raise NotFound
    return post


async def original(post_id: int, viewer: Account | None) -> Post:
    """The same, but instead of a boost what it passes on: acting on a boost is acting on its original."""
    post = await get(post_id, viewer)
    return post if post.boost_of_id is None else await get(post.boost_of_id, viewer)


async def around(author: Account, draft: Draft) -> tuple[Post | None, Post | None]:
    """What a draft answers, and what it quotes.

    Raises NotFound for what is not there for the author, Invalid for what the author may not quote.
    """
    parent = None if draft.reply_to_id is None else await original(draft.reply_to_id, author)
    quoted = None if draft.quoted_id is None else await original(draft.quoted_id, author)
    if quoted is not None:
        await quotes.check(author, quoted)
    return parent, quoted


async def entries(post_ids: Sequence[int], viewer: Account | None) -> dict[int, Entry]:
    """Those of the posts that the viewer may see, as lists show them."""
    return await views.entries(post_ids, viewer, visibility.whole_clause("$1" if viewer else None))


async def name_people(post_id: int) -> None:
    """Link and address those whom a post of ours names and who have become known since it was written."""
    async with db.transaction():
        await locks.change(post_id)
        post = await Post.get_or_none(id=post_id, local=True, boost_of_id=None)
        if post is None:
            return
        rendered = await composing.render(await Account.get(id=post.author_id), post.source)
        if rendered.content != post.content:
            await storing.rewrite(post, content=rendered.content)
            await indexed.post(post.id)
            await storing.address_anew(post, rendered.mentioned, post.edited_at or 0)


async def remove(post: Post) -> bool:
    """Take a post out with all that hangs on it, whoever decided so. False when it was gone already."""
    async with db.transaction():
        if not await locks.remove(post.id):
            return False
        boosts = await db.rows("SELECT id, author_id FROM post WHERE boost_of_id = $1", post.id)
        remains = await _remains(post, boosts) if post.local else None
        await streams.deleted(post, boosts)
        # Of what not everybody could see strangers do not learn that it was there: no number leads to it.
        number = post.id if post.visibility <= Visibility.UNLISTED else 0
        await db.execute(_BURY, post.uri, number, post.author_id, moments.now())
        # Unattached files live for a day from now: long enough to delete and write again.
        await db.execute(_LET_FILES_GO, post.id, moments.now())
        await conversations.forget(post)
        await db.execute("DELETE FROM post WHERE id = $1", post.id)
        await _uncount(post, [boost["author_id"] for boost in boosts])
        if remains is not None:
            author = await Account.get(id=post.author_id)
            await events.record(Event.POST_DELETED, author, post_id=post.id, detail=remains)
    return True


async def claim(draft: Draft, post_id: int) -> int | None:
    """Take the draft's idempotency key, inside a transaction. The id of the earlier post if it was taken."""
    if not draft.idempotency_key:
        return None
    owner, key = draft.idempotency_owner, draft.idempotency_key
    if await db.value(_TAKE_KEY, owner, key, post_id, moments.now()):
        return None
    found = await db.value("SELECT post_id FROM idempotency WHERE owner = $1 AND key = $2", owner, key)
    return int(found)


# ------------------------------------------------------------------------------------------- publishing


def _new(author: Account, composed: Composed, parent: Post | None, application: str) -> Post:
    number = ids.new()
    return Post(
        id=number,
        uri=uris.post_uri(number),
        url=uris.post_page(author.username, number),
        author_id=author.id,
        reply_to_id=parent.id if parent else None,
        reply_to_author_id=parent.author_id if parent else None,
        reply_to_uri=parent.uri if parent else "",
        thread_id=parent.thread_id if parent else number,
        visibility=composed.visibility,
        local=True,
        sensitive=composed.sensitive,
        summary=composed.summary,
        source=composed.source,
        content=composed.content,
        language=composed.language,
        quote_policy=composed.quote_policy.value,
        hashtags=list(composed.hashtags),
        application=application,
        created_at=ids.moment_of(number),
    )


def _quote(author: Account, post: Post, quoted: Post) -> None:
    post.quote_of_id, post.quote_uri = quoted.id, quoted.uri
    post.quote_state = quotes.first_state(author, quoted)
    post.quote_authorization = quotes.first_authorization(post.id, author, quoted)


async def _as_before(post_id: int) -> Post:
    post = await Post.get_or_none(id=post_id)
    if post is None:
        raise Gone
    return post


async def _announce(author: Account, post: Post, mentioned: tuple[int, ...]) -> None:
    """Tell those mentioned and those who listen, and owe the rest to the workers."""
    streams.published(post.id)
    await notifications.tell_all(Kind.MENTION, mentioned, author, post.id)
    if post.visibility < Visibility.DIRECT:
        await work.owe(Job.FAN_OUT, post.id)


async def _let_others_know(event: Event, author: Account, post: Post, composed: Composed) -> None:
    """Other servers hear of it, when those whom the text names and nobody knows yet have been looked for."""
    await events.record(event, author, post_id=post.id, detail={"unknown": composed.unknown})


async def _remains(post: Post, boosts: list[dict[str, Any]]) -> dict[str, Any]:
    """What tells who elsewhere may have a copy: it goes with the post."""
    return {
        "uri": post.uri,
        "visibility": post.visibility,
        "addressed": await db.column("SELECT account_id FROM mention WHERE post_id = $1", post.id),
        "boosters": [boost["author_id"] for boost in boosts],
        "boosts": [boost["id"] for boost in boosts],
        "reply_to_author_id": post.reply_to_author_id,
    }


async def _uncount(post: Post, boosters: list[int]) -> None:
    if post.reply_to_id is not None and post.visibility <= Visibility.UNLISTED:
        await db.execute(_UNCOUNT_REPLY, post.reply_to_id)
    if post.quote_state is Consent.ACCEPTED:
        await quotes.count(post.quote_of_id, -1)
    authors = [post.author_id] if post.visibility < Visibility.DIRECT else []
    await locks.accounts([*authors, *boosters])
    for account_ids in filter(None, (authors, boosters)):
        await db.execute(_UNCOUNT_POST.format(given=db.unnest("$1")), db.array(account_ids))


# ------------------------------------------------------------------------------------ what hangs on posts


async def _own(author: Account, post_id: int) -> Post:
    post = await Post.get_or_none(id=post_id, author_id=author.id, boost_of_id=None)
    if post is None:
        raise NotFound
    return post


async def _rewrite(post: Post, composed: Composed, wanted: Quotable | None, edited_at: int) -> None:
    policy = Quotable(post.quote_policy) if wanted is None else wanted
    await storing.rewrite(
        post,
        source=composed.source,
        content=composed.content,
        summary=composed.summary,
        sensitive=composed.sensitive,
        language=composed.language or post.language,
        quote_policy=quotable.effective(policy, post.visibility).value,
        hashtags=list(composed.hashtags),
        edited_at=edited_at,
    )


_TAKE_KEY = """INSERT INTO idempotency (owner, key, post_id, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING post_id"""
_UNCOUNT_POST = """UPDATE account SET posts_count = posts_count - 1
WHERE id IN (SELECT given.id FROM {given}) AND posts_count > 0"""
_UNCOUNT_REPLY = "UPDATE post SET replies = replies - 1 WHERE id = $1 AND replies > 0"
_LET_FILES_GO = "UPDATE media SET post_id = NULL, created_at = $2 WHERE post_id = $1"
# Somebody elsewhere may have buried the name before it was known whose it is (receiving.delete).
_BURY = """INSERT INTO tombstone (uri, id, account_id, deleted_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (uri) DO UPDATE SET id = excluded.id, account_id = excluded.account_id,
    deleted_at = excluded.deleted_at"""
