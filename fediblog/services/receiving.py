"""Taking in what other servers publish: posts, their edits and their end, and votes.

Several copies of one post come at once (to the shared inbox and to a personal one, as a boost, as an answer),
edits and deletions come before what they are about, and answers before what they answer. So everything about
one address takes turns, and each of these functions may be called again at any time.
"""

from collections.abc import Collection
from typing import NamedTuple

from fediblog import db, ids, moments, text, uris
from fediblog.errors import Forbidden, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import (
    attachments,
    boosts,
    cards,
    conversations,
    edits,
    hashtags,
    home,
    indexed,
    locks,
    notifications,
    polls,
    posts,
    quotable,
    quotes,
    quoting,
    storing,
    streams,
    visibility,
)
from fediblog.services.incoming import Emoji, IncomingPost, IncomingVote
from fediblog.services.notifications import Kind

# What we looked up, and is older than the longest that anybody keeps trying to deliver, is no news: it stands
# where it belongs, but nobody is told of it and no home is filled with it.
_NEWS = 7 * moments.DAY
# 2000-01-01: no post of the fediverse is older, and clocks that say so are wrong (SECURITY §9 R11).
_EARLIEST = 946_684_800_000

_NOT_THEIRS = "This belongs to somebody else."
_BATCH = 200
# As many as a text can name (SECURITY §4).
_MOST_TOLD = 50


async def receive(author: Account, incoming: IncomingPost, sent: bool = True) -> Post | None:
    """Take in a post of another server; None when its author deleted it before it came.

    The same post twice, also twice at once, is the same as once. `sent` says that it came by itself, and was
    not looked up by us. Raises Forbidden when it is not the author's.
    """
    _check_owner(author, incoming)
    async with db.transaction():
        await _take_turns(incoming)
        place = await _place(author, incoming)
        if place.buried:
            return None
        if place.taken_by is None:
            post = await _take_in(author, incoming, place.number, sent)
        else:
            post = await Post.get(id=place.taken_by)
            if post.author_id != author.id:
                raise Forbidden(_NOT_THEIRS)
    if place.awaited:
        await _adopt(post)
    return post


async def edit(author: Account, post: Post, incoming: IncomingPost) -> Post:
    """Bring a post in line with what its author says now; gives it as it is afterwards.

    Only what says that it is newer is an edit; otherwise nothing is taken over but the numbers of its poll,
    and what is said of quotes, which changes without an edit. Who sees it stays as it is. Raises Forbidden
    when it is not the author's, NotFound when it is gone.
    """
    _check_owner(author, incoming)
    if post.author_id != author.id or post.uri != incoming.uri:
        raise Forbidden(_NOT_THEIRS)
    async with db.transaction():
        await _take_turns(incoming)
        if not await locks.change(post.id):
            raise NotFound
        post = await Post.get(id=post.id)
        if _is_newer(incoming, post):
            await _rewrite(author, post, incoming)
        elif incoming.question is not None:
            await attachments.take_tallies(post, incoming.question)
        if not _is_older(incoming, post):
            await quoting.said_again(post, incoming)
    return post


async def delete(author: Account, uri: str) -> None:
    """Delete a post or a boost of the author's. One that we do not have is remembered, should it come late.

    Raises Forbidden when it is somebody else's.
    """
    async with db.transaction():
        await locks.hold(uri)
        post = await Post.get_or_none(uri=uri)
        if post is None:
            await db.execute(_BURY_UNSEEN, uri, author.id, moments.now())
        elif post.author_id != author.id:
            raise Forbidden(_NOT_THEIRS)
        elif post.boost_of_id is not None:
            await boosts.unboost(author, post)
        else:
            await posts.remove(post)


async def vote(account: Account, incoming: IncomingVote) -> None:
    """Count a vote from elsewhere in a poll of ours. Several choices come one by one.

    Raises NotFound when there is no such poll for the account, Invalid as `polls.vote` does.
    """
    found = uris.local(incoming.poll_uri)
    if found is None or found[0] != "posts":
        raise NotFound
    post = await posts.get(found[1], account)
    await polls.choose(account, post, text.tidy(incoming.option))


# ------------------------------------------------------------------------------------------- taking it in


class _Place(NamedTuple):
    """Where a post goes: the id that is free for it, unless it is here, or its author has deleted it.

    A neighbour who says that it is deleted has no word in it (SECURITY §2). `awaited`: others that are here
    answer or quote it.
    """

    number: int
    taken_by: int | None
    buried: bool
    awaited: bool


async def _place(author: Account, incoming: IncomingPost) -> _Place:
    """Whole archives were written in the same millisecond, or say so: each gets an id of its own.

    Raises Forbidden for the address of an account.
    """
    moment = _sane(incoming.created_at)
    while True:
        number = ids.at(moment)
        found = await db.row(_PLACE, incoming.uri, author.id, number)
        assert found is not None
        if found["a_person"]:
            # A neighbour's, or one's own: whoever looks for them would find a post in their place.
            raise Forbidden(_NOT_THEIRS)
        if not found["full"]:
            return _Place(number, found["taken_by"], bool(found["buried"]), bool(found["awaited"]))
        moment += 1


async def _take_in(author: Account, incoming: IncomingPost, number: int, sent: bool) -> Post:
    """A post that is here for the first time, with all that hangs on it."""
    addressed = await _addressed(author, incoming)
    parent = await _related(author, incoming.reply_to_uri)
    quoted = await _related(author, incoming.quote_uri)
    post = _new(author, incoming, number, parent, quoted)
    await storing.store(author, post, addressed.named, addressed.silent)
    await attachments.put_files(post, incoming.attachments)
    if incoming.question is not None:
        await attachments.put_poll(post, incoming.question)
    more = incoming.attachments or incoming.question
    await (indexed.post(post.id) if more else indexed.plain(post))
    await cards.want(post, {file.url for file in incoming.attachments})
    if sent or post.created_at > moments.now() - _NEWS:
        await notifications.tell_all(Kind.MENTION, addressed.told(post), author, post.id)
        await home.bring(post.id)
        streams.published(post.id)
    await quoting.came(post)
    await storing.count(author, post)
    return post


def _new(
    author: Account, incoming: IncomingPost, number: int, parent: Post | None, quoted: Post | None
) -> Post:
    return Post(
        id=number,
        uri=incoming.uri,
        url=incoming.url,
        author_id=author.id,
        reply_to_id=parent.id if parent else None,
        reply_to_author_id=parent.author_id if parent else None,
        reply_to_uri=incoming.reply_to_uri,
        quote_of_id=quoted.id if quoted else None,
        quote_uri=incoming.quote_uri,
        quote_state=quoting.first_state(author, quoted, incoming),
        quote_authorization=incoming.quote_authorization,
        quote_policy=quotable.effective(incoming.quotable, incoming.visibility).value,
        conversation=incoming.conversation,
        thread_id=parent.thread_id if parent else number,
        visibility=incoming.visibility,
        local=False,
        sensitive=incoming.sensitive,
        summary=incoming.summary,
        source=incoming.source,
        content=incoming.content,
        language=incoming.language,
        hashtags=list(incoming.hashtags),
        emojis=_emojis(incoming.emojis),
        created_at=_sane(incoming.created_at),
        edited_at=None if incoming.edited_at is None else _sane(incoming.edited_at),
    )


async def _rewrite(author: Account, post: Post, incoming: IncomingPost) -> None:
    """The version before is kept. Who is newly named hears of it, and who has passed the post on."""
    await edits.keep_version(post)
    addressed = await _addressed(author, incoming)
    edited_at = _sane(incoming.edited_at or 0)
    await storing.rewrite(
        post,
        url=incoming.url,
        source=incoming.source,
        content=incoming.content,
        summary=incoming.summary,
        sensitive=incoming.sensitive,
        language=incoming.language or post.language,
        hashtags=list(incoming.hashtags),
        emojis=_emojis(incoming.emojis),
        edited_at=edited_at,
    )
    if incoming.quote_uri != post.quote_uri:
        quoted = await _related(author, incoming.quote_uri)
        await quoting.quotes_another(author, post, quoted, incoming)
    await attachments.replace_files(post, incoming.attachments)
    await attachments.replace_poll(post, incoming.question)
    await indexed.post(post.id)
    await cards.want(post, {file.url for file in incoming.attachments})
    await hashtags.replace(post, incoming.hashtags)
    fresh = await storing.address_anew(post, addressed.named, edited_at, addressed.silent)
    await notifications.tell_all(Kind.MENTION, fresh, author, post.id)
    await edits.tell_boosters(author, post)
    await quotes.tell_quoters(author, post)
    streams.edited(post.id)


# ------------------------------------------------------------------------------------- whom it is sent to


class _Addressed(NamedTuple):
    """The known accounts that a post is sent to: those that its text names, and the others."""

    named: list[int]
    silent: list[int]

    def told(self, post: Post) -> list[int]:
        """Who hears of it. A direct post is for all that it is sent to: some write no names into those."""
        if post.visibility != Visibility.DIRECT:
            return self.named
        return [*self.named, *self.silent][:_MOST_TOLD]


async def _addressed(author: Account, incoming: IncomingPost) -> _Addressed:
    """Nobody is fetched for being addressed (SECURITY §4)."""
    known = await _accounts(incoming.named)
    tagged = {known[uri] for uri in incoming.tagged if uri in known}
    everybody = sorted(set(known.values()) - {author.id})
    return _Addressed(
        [number for number in everybody if number in tagged],
        [number for number in everybody if number not in tagged],
    )


async def _accounts(addresses: Collection[str]) -> dict[str, int]:
    if not addresses:
        return {}
    places = ", ".join(f"${number}" for number in range(1, len(addresses) + 1))
    sql = f"SELECT id, uri FROM account WHERE uri IN ({places}) AND deleted_at IS NULL"
    return {line["uri"]: line["id"] for line in await db.rows(sql, *addresses)}


# ------------------------------------------------------------------------------------- what it belongs to


async def _related(author: Account, uri: str) -> Post | None:
    """What is answered or quoted; it stays until the transaction ends. A boost stands for its original.

    One of ours that the author may not see is as if it were not there (SECURITY §6).
    """
    post = await Post.get_or_none(uri=uri) if uri else None
    if post is not None and post.boost_of_id is not None:
        post = await Post.get_or_none(id=post.boost_of_id)
    if post is None or (post.local and not await visibility.may_see(author, post)):
        return None
    return post if await locks.keep(post.id) else None


async def _adopt(post: Post) -> None:
    """Take in the answers that came before the post, and what was quoted before it was here.

    In steps of their own, since there may be many; whoever calls `receive` again goes on where this ended.
    """
    while orphans := await db.column(_ORPHANS, post.uri, post.thread_id, _BATCH):
        async with db.transaction():
            if not await locks.keep(post.id):
                return
            seen = await db.column(
                _ADOPT.format(given=db.unnest("$4")),
                *(post.id, post.author_id, post.thread_id, db.array(orphans)),
            )
            await db.execute(_MOVE_THREADS.format(given=db.unnest("$2")), post.thread_id, db.array(orphans))
            await conversations.join(post.thread_id, orphans)
            answers = sum(level <= Visibility.UNLISTED for level in seen)
            await db.execute("UPDATE post SET replies = replies + $2 WHERE id = $1", post.id, answers)
    await quoting.adopt(post)


# ------------------------------------------------------------------------------------------------- checks


def _check_owner(author: Account, incoming: IncomingPost) -> None:
    if author.local or incoming.author_uri != author.uri or uris.is_local(incoming.uri):
        raise Forbidden(_NOT_THEIRS)


async def _take_turns(incoming: IncomingPost) -> None:
    """Be alone with this post, and with those whose arrival or end would change where it belongs.

    An answer and what it answers that came at once would otherwise each not see the other.
    """
    for uri in sorted({incoming.uri, incoming.reply_to_uri, incoming.quote_uri} - {""}):
        await locks.hold(uri)


def _is_newer(incoming: IncomingPost, post: Post) -> bool:
    """An edit says when it was made; tallies come without (FEDERATION §5). What is late changes nothing.

    Many name whole seconds only: there the same moment with other words is an edit, too.
    """
    if incoming.edited_at is None:
        return False
    known: int = post.edited_at or post.created_at
    edited_at = _sane(incoming.edited_at)
    if edited_at == known and edited_at % moments.SECOND == 0:
        return _words(incoming) != _words(post)
    return edited_at > known


def _is_older(incoming: IncomingPost, post: Post) -> bool:
    """What was overtaken by an edit."""
    known: int = post.edited_at or post.created_at
    return _sane(incoming.edited_at or incoming.created_at) < known


def _words(written: IncomingPost | Post) -> tuple[str, str, bool]:
    return written.content, written.summary, written.sensitive


def _sane(moment: int) -> int:
    return max(_EARLIEST, min(moment, moments.now()))


def _emojis(emojis: Collection[Emoji]) -> list[dict[str, str]]:
    return [{"shortcode": each.shortcode, "url": each.url} for each in emojis]


_PLACE = """
SELECT (SELECT p.id FROM post p WHERE p.uri = $1) AS taken_by,
  EXISTS (SELECT 1 FROM account a WHERE a.uri = $1) AS a_person,
  EXISTS (SELECT 1 FROM tombstone t WHERE t.uri = $1 AND t.account_id = $2) AS buried,
  EXISTS (SELECT 1 FROM post p WHERE p.id = $3) AS full,
  EXISTS (
    SELECT 1 FROM post p WHERE p.reply_to_uri = $1 AND p.reply_to_uri <> '' AND p.reply_to_id IS NULL
  ) OR EXISTS (
    SELECT 1 FROM post p WHERE p.quote_uri = $1 AND p.quote_uri <> '' AND p.quote_of_id IS NULL
  ) AS awaited
"""
_BURY_UNSEEN = """
INSERT INTO tombstone (uri, id, account_id, deleted_at) VALUES ($1, 0, $2, $3) ON CONFLICT DO NOTHING
"""
# Of its own thread is what the post answers itself: who answers each other in a circle stays as it is.
_ORPHANS = """
SELECT id FROM post
WHERE reply_to_uri = $1 AND reply_to_uri <> '' AND reply_to_id IS NULL AND thread_id <> $2
ORDER BY id LIMIT $3
"""
_ADOPT = """
UPDATE post SET reply_to_id = $1, reply_to_author_id = $2, thread_id = $3, version = version + 1
WHERE id IN (SELECT given.id FROM {given}) AND reply_to_id IS NULL RETURNING visibility
"""
# What hangs on an orphan has the thread of the orphan.
_MOVE_THREADS = "UPDATE post SET thread_id = $1 WHERE thread_id IN (SELECT given.id FROM {given})"
