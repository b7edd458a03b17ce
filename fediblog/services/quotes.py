"""Quotes with consent (FEP-044f): who may quote what, who is asked, and what becomes of it.

A quote is a quote when its author is the quoted one, or the quoted one has agreed: `post.quote_state` says
so, `post.quote_authorization` is the name under which the consent can be read. Between two people here it is
given at once; other servers are asked, and ask us (`activitypub.handlers.quotes`). What they say of quotes
that are not ours is in quoting.py.
"""

from fediblog import db, uris
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Consent, Post, Quotable, Visibility
from fediblog.paging import Page
from fediblog.services import acting, events, locks, notifications, quotable, streams, views, visibility
from fediblog.services.events import Event
from fediblog.services.notifications import Kind
from fediblog.services.quotable import Answer
from fediblog.services.views import Listing

_NOT_YOURS = "The author of this post does not let you quote it."


# ------------------------------------------------------------------------------------------------ writing


async def check(author: Account, quoted: Post) -> None:
    """Raises Invalid when the author may not quote a post, which the author may see."""
    if quoted.visibility == Visibility.DIRECT:
        raise Invalid("What is written to a few people only cannot be quoted.", "quoted")
    follows = await db.value(_FOLLOWS, author.id, quoted.author_id) is not None
    own = quoted.author_id == author.id
    if quotable.answer(Quotable(quoted.quote_policy), own, follows) is Answer.DENIED:
        raise Invalid(_NOT_YOURS, "quoted")


async def keep(author: Account, quoted: Post) -> None:
    """What is quoted stays until the open transaction ends.

    Raises NotFound when it is gone, Invalid when its author and the one who quotes do not get on.
    """
    try:
        await acting.check(author, quoted)
    except Forbidden:
        raise Invalid("You have blocked the author of the post that you quote.", "quoted") from None


def first_state(author: Account, quoted: Post) -> Consent:
    """How a quote by somebody here begins. Whoever lives elsewhere has to be asked."""
    if quoted.author_id == author.id or quoted.local:
        return Consent.ACCEPTED
    return Consent.PENDING


def first_authorization(post_id: int, author: Account, quoted: Post) -> str:
    """The name of the consent of somebody here; who quotes oneself needs none."""
    return uris.quote_uri(post_id) if quoted.local and quoted.author_id != author.id else ""


async def begin(author: Account, post: Post, quoted: Post) -> None:
    """Tell the one who is quoted, or ask; inside the transaction that publishes, after its event."""
    if post.quote_state is Consent.PENDING:
        await events.record(Event.QUOTE_ASKED, author, post_id=post.id, target_id=quoted.author_id)
    else:
        await notifications.tell(Kind.QUOTE, quoted.author_id, author, post.id)


async def tell_quoters(author: Account, post: Post) -> None:
    """Who quotes a text hears that it says something else now, inside the transaction that changes it."""
    for line in await db.rows(_QUOTERS, post.id, Consent.ACCEPTED.value):
        await notifications.tell(Kind.QUOTED_EDIT, line["author_id"], author, line["id"])


async def set_policy(author: Account, post: Post, wanted: Quotable) -> None:
    """Change who may quote a post of one's own. Raises NotFound for other people's posts and boosts."""
    if post.author_id != author.id or post.boost_of_id is not None:
        raise NotFound
    async with db.transaction():
        await locks.change(post.id)
        policy = quotable.effective(wanted, post.visibility)
        if await db.value(_SET_POLICY, post.id, policy.value) is not None:
            await events.record(Event.QUOTE_CHANGED, author, post_id=post.id)


# ------------------------------------------------------------------------------------------- being quoted


async def answer(asker: Account, post_id: int, quoted_id: int, request: str | None) -> None:
    """Say yes or no to somebody elsewhere whose post quotes one of ours.

    `request` is the name of the question. Asking again gives the same answer, and who was once refused for
    a post by hand (`revoke`) stays so. Raises NotFound when either is gone, or does not belong to the other.
    """
    async with db.transaction():
        await locks.change(post_id)
        post = await Post.get_or_none(id=post_id, author_id=asker.id, quote_of_id=quoted_id)
        quoted = await Post.get_or_none(id=quoted_id, local=True)
        if post is None or quoted is None:
            raise NotFound
        owner = await Account.get(id=quoted.author_id)
        agrees = post.quote_state is not Consent.REVOKED and await _agrees(asker, quoted)
        if agrees:
            # It was brought to the one who is quoted: to be looked at, and taken back perhaps.
            await db.execute(_SHOW, post.id, owner.id)
            await settle(post, Consent.ACCEPTED, uris.quote_uri(post.id))
            await notifications.tell(Kind.QUOTE, owner.id, asker, post.id)
        said = Event.QUOTE_ACCEPTED if agrees else Event.QUOTE_REJECTED
        detail = {"uri": request or "", "post": post.uri, "quoted": quoted.uri}
        await events.record(said, owner, post_id=post.id, target_id=asker.id, detail=detail)


async def refuse(asker: Account, post_uri: str, quoted: Post, request: str | None) -> None:
    """Say no where there is nothing to look at."""
    owner = await Account.get(id=quoted.author_id)
    detail = {"uri": request or "", "post": post_uri, "quoted": quoted.uri}
    await events.record(Event.QUOTE_REJECTED, owner, target_id=asker.id, detail=detail)


async def revoke(owner: Account, quoted_id: int, post_id: int) -> None:
    """Take one's consent back; the post stays, and what it quotes is not shown in it any more.

    Raises NotFound for what is not one's own, or not quoted there, Invalid for a quote by oneself.
    """
    async with db.transaction():
        await locks.change(post_id)
        quoted = await Post.get_or_none(id=quoted_id, author_id=owner.id)
        post = await Post.get_or_none(id=post_id, quote_of_id=quoted_id)
        if quoted is None or post is None or post.quote_state not in (Consent.ACCEPTED, Consent.REVOKED):
            raise NotFound
        if post.author_id == owner.id:
            raise Invalid("This quote is your own: delete it instead.")
        if post.quote_state is Consent.ACCEPTED:
            await settle(post, Consent.REVOKED)
            await _tell_revoked(owner, post, quoted)


async def consent(post_id: int) -> tuple[Post, Post] | None:
    """The quoting and the quoted post of a consent given here; None when there is none (any more)."""
    post = await Post.get_or_none(id=post_id, quote_state=Consent.ACCEPTED)
    if post is None or post.quote_authorization != uris.quote_uri(post_id) or post.quote_of_id is None:
        return None
    quoted = await Post.get_or_none(id=post.quote_of_id, local=True)
    return None if quoted is None else (post, quoted)


async def is_revoked(post_id: int) -> bool:
    """Whether a consent that was given here has been taken back."""
    return await db.value(_IS_REVOKED, post_id, Consent.REVOKED.value) is not None


async def listing(post: Post, viewer: Account, page: Page) -> Listing:
    """The posts that quote this one with its author's consent, as far as the viewer may see them."""
    ids_sql = (
        f"SELECT p.id, p.id AS cursor FROM post p WHERE p.quote_of_id = $4 AND p.id < $2 AND p.id > $3"
        f" AND p.quote_state = '{Consent.ACCEPTED}' AND {_NOT_HIDDEN} AND {visibility.clause('$1')}"
        f" ORDER BY p.id {page.order} LIMIT {page.rows}"
    )
    return await views.page(ids_sql, viewer, page, post.id)


# ------------------------------------------------------------------------------------------------- states


async def accepted(post: Post, authorization: str) -> None:
    """Somebody elsewhere agrees to be quoted in a post of ours, under this name."""
    async with db.transaction():
        await locks.change(post.id)
        post = await Post.get(id=post.id)
        if (post.quote_state, post.quote_authorization) != (Consent.ACCEPTED, authorization):
            await settle(post, Consent.ACCEPTED, authorization)
            await _tell_changed(post)


async def rejected(post: Post) -> None:
    """Somebody elsewhere does not agree, or not any more, to be quoted in a post of ours."""
    async with db.transaction():
        await locks.change(post.id)
        post = await Post.get(id=post.id)
        if post.quote_state in (Consent.PENDING, Consent.ACCEPTED):
            is_taken_back = post.quote_state is Consent.ACCEPTED
            await settle(post, Consent.REVOKED if is_taken_back else Consent.REJECTED)
            await _tell_changed(post)


async def withdrawn(author: Account, authorization: str) -> bool:
    """The author takes back a consent, for a post from here or from elsewhere. False when there is none."""
    found = await db.column(_UNDER, authorization, author.id)
    for post_id in found:
        async with db.transaction():
            await locks.change(post_id)
            post = await Post.get_or_none(id=post_id, quote_authorization=authorization)
            if post is not None:
                await settle(post, Consent.REVOKED)
                await _tell_changed(post)
    return bool(found)


async def settle(post: Post, state: Consent, authorization: str = "") -> None:
    """Note how a quote stands, inside a transaction that holds the post (`locks.change`)."""
    was, post.quote_state = post.quote_state, state
    if (was, post.quote_authorization) == (state, authorization):
        return
    post.quote_authorization = authorization
    await db.execute(_SETTLE, post.id, state.value, authorization)
    await count(post.quote_of_id, (state is Consent.ACCEPTED) - (was is Consent.ACCEPTED))
    streams.edited(post.id)


async def count(quoted_id: int | None, by: int) -> None:
    """So many quotes of a post more, or fewer."""
    if quoted_id is not None and by:
        await db.execute("UPDATE post SET quotes = quotes + $2 WHERE id = $1", quoted_id, by)


async def _agrees(asker: Account, quoted: Post) -> bool:
    if quoted.visibility > Visibility.UNLISTED or await db.value(_AT_ODDS, asker.id, quoted.author_id):
        return False
    follows = await db.value(_FOLLOWS, asker.id, quoted.author_id) is not None
    return quotable.answer(Quotable(quoted.quote_policy), False, follows) is Answer.AUTOMATIC


async def _tell_revoked(owner: Account, post: Post, quoted: Post) -> None:
    detail = {"uri": uris.quote_uri(post.id), "quoted_id": quoted.id, "visibility": quoted.visibility}
    target_id = post.author_id
    await events.record(Event.QUOTE_REVOKED, owner, post_id=post.id, target_id=target_id, detail=detail)
    await _tell_changed(post)


async def _tell_changed(post: Post) -> None:
    """Others who have a post of ours hear how its quote stands now."""
    if post.local:
        author = await Account.get(id=post.author_id)
        await events.record(Event.QUOTE_CHANGED, author, post_id=post.id)


_FOLLOWS = "SELECT 1 FROM follow WHERE follower_id = $1 AND target_id = $2"
_NOT_HIDDEN = "(SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = p.author_id) IS NULL"
_QUOTERS = """
SELECT p.id, p.author_id FROM post p WHERE p.quote_of_id = $1 AND p.quote_state = $2 AND p.local ORDER BY p.id
"""
_SET_POLICY = """
UPDATE post SET quote_policy = $2, version = version + 1 WHERE id = $1 AND quote_policy <> $2 RETURNING id
"""
_SHOW = "INSERT INTO mention (post_id, account_id, named) VALUES ($1, $2, FALSE) ON CONFLICT DO NOTHING"
_IS_REVOKED = """
SELECT 1 FROM post p JOIN post q ON q.id = p.quote_of_id AND q.local WHERE p.id = $1 AND p.quote_state = $2
"""
_UNDER = """
SELECT p.id FROM post p JOIN post q ON q.id = p.quote_of_id
WHERE p.quote_authorization = $1 AND p.quote_authorization <> '' AND q.author_id = $2 ORDER BY p.id
"""
_SETTLE = """
UPDATE post SET quote_state = $2, quote_authorization = $3, version = version + 1 WHERE id = $1
"""
_AT_ODDS = """
SELECT 1 FROM block WHERE (account_id = $1 AND target_id = $2) OR (account_id = $2 AND target_id = $1)
"""
