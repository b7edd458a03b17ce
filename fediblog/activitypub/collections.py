"""Collections: what somebody has posted, who follows whom, what hangs on a post (FEDERATION §6).

A collection is a number and a first page; pages go by key, so that they stay put while things are added.
Whoever asks, they hold what a stranger may see.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fediblog import uris
from fediblog.activitypub import documents
from fediblog.activitypub.documents import Document, Stretch
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services import follows, listed, timelines, written
from fediblog.services.people import People

# Whole activities, and ids only.
_WHOLE, _IDS = 20, 80

Read = Callable[[Page], Awaitable[tuple[Sequence[Any], Sequence[int]]]]


async def outbox(owner: Account, page: Page | None) -> Document:
    """What somebody has published and passed on, for everybody to see: Create and Announce."""

    async def read(page: Page) -> tuple[list[Document], list[int]]:
        listing = await timelines.account(owner, None, page)
        posts = await written.load_many(entry.id for entry in listing.entries if not entry.is_boost)
        boosts = await written.boosts(entry.id for entry in listing.entries if entry.is_boost)
        acts = {number: documents.create(post) for number, post in posts.items()}
        acts |= {number: documents.boost(boost) for number, boost in boosts.items()}
        return [acts[entry.id] for entry in listing.entries if entry.id in acts], listing.cursors

    return await _chronicle(owner.outbox, owner.posts_count, read, page, _WHOLE)


async def followers(owner: Account, page: Page | None) -> Document:
    """Who follows somebody; only how many when the owner keeps that to themselves."""
    return await _people(owner, owner.followers_uri, owner.followers_count, follows.followers, page)


async def following(owner: Account, page: Page | None) -> Document:
    """Whom somebody follows; only how many when the owner keeps that to themselves."""
    return await _people(owner, owner.following_uri, owner.following_count, follows.following, page)


async def featured(owner: Account) -> Document:
    """The posts that somebody has pinned, as ids: they are few."""
    listing = await timelines.pinned(owner, None)
    pinned = await listed.post_uris([entry.id for entry in listing.entries])
    return documents.counted(owner.featured_uri, pinned)


async def featured_tags(owner: Account) -> Document:
    """The hashtags that somebody shows on their page."""
    names = await listed.featured_tags(owner)
    return documents.counted(documents.featured_tags_uri(owner), [documents.hashtag(name) for name in names])


async def replies(post: Post, page: Page | None, others: bool) -> Document:
    """Answers: the author's own first, for these are the rest of what is said, then everybody else's."""
    uri = f"{post.uri}/replies"
    if page is None:
        return documents.unordered(uri, post.replies)
    page = _of(page, _IDS)
    found = await listed.replies(post, page, own=not others)
    stretch = _stretch(page, found.uris, found.cursors)
    return documents.replies_page(uri, _query(page), stretch, others)


async def thread(root: Post, page: Page | None) -> Document:
    """The conversation that began with a post here (FEP-7888, FEP-f228)."""

    async def read(page: Page) -> tuple[list[str], list[int]]:
        return await listed.thread(root, page)

    return await _chronicle(f"{root.uri}/context", None, read, page, _IDS)


async def likes(post: Post, page: Page | None) -> Document:
    """The likes: those of other servers by their ids, ours as a whole."""

    async def read(page: Page) -> tuple[list[str | Document], list[int]]:
        found, cursors = await listed.likes(post, page)
        author = await listed.account_uri(post.author_id)
        return [
            like.uri or documents.like(uris.like_uri(like.id), like.by, post.uri, author) for like in found
        ], cursors

    return await _chronicle(f"{post.uri}/likes", post.likes, read, page, _IDS)


async def shares(post: Post, page: Page | None) -> Document:
    """The boosts, by their ids."""

    async def read(page: Page) -> tuple[list[str], list[int]]:
        return await listed.boosts(post, page)

    return await _chronicle(f"{post.uri}/shares", post.boosts, read, page, _IDS)


# ---------------------------------------------------------------------------------------------------- steps


async def _people(
    owner: Account,
    uri: str,
    number: int,
    find: Callable[[Account, Account | None, Page], Awaitable[People]],
    page: Page | None,
) -> Document:
    async def read(page: Page) -> tuple[list[str], list[int]]:
        found = await find(owner, None, page)
        return await listed.account_uris(found.ids), found.cursors

    if owner.hide_collections:
        return documents.collection(uri, number, open=False)
    return await _chronicle(uri, number, read, page, _IDS)


async def _chronicle(uri: str, number: int | None, read: Read, page: Page | None, size: int) -> Document:
    if page is None:
        return documents.collection(uri, number)
    page = _of(page, size)
    items, cursors = await read(page)
    return documents.collection_page(uri, _query(page), _stretch(page, items, cursors))


def _of(page: Page, size: int) -> Page:
    return Page(size, page.max_id, page.since_id, page.min_id)


def _stretch(page: Page, items: Sequence[Any], cursors: Sequence[int]) -> Stretch:
    """A page that is not full ends the list on its side; before the first one there is nothing either."""
    is_full = len(cursors) >= page.limit
    older = cursors[-1] if cursors and (is_full or page.upward) else None
    newer = cursors[0] if cursors and (page.max_id is not None or (page.upward and is_full)) else None
    return Stretch(items, older, newer)


def _query(page: Page) -> str:
    bounds = {"max_id": page.max_id, "min_id": page.min_id}
    return "&".join(
        ["page=true", *(f"{name}={value}" for name, value in bounds.items() if value is not None)]
    )
