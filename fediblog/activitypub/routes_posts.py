"""Posts and what hangs on them (FEDERATION §3, §6).

What not everybody may see is there for those who sign and may see it; for all others it does not exist, and
nobody can tell it from what never was (FEDERATION §7.5, SECURITY §1.3).
"""

from collections.abc import Awaitable, Callable

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.activitypub import askers, collections, documents, serving
from fediblog.activitypub.documents import Document
from fediblog.activitypub.routes_actors import asked
from fediblog.errors import NotFound
from fediblog.models import Post
from fediblog.paging import Page
from fediblog.services import listed, posts, quotes, written
from fediblog.services.listed import Buried

blueprint = Blueprint("posts", __name__)

_kept = serving.Kept()
# Pages find a post by its number and mend the name.
_SOMEBODY = "_"


@blueprint.get("/ap/posts/<int:post_id>")
async def show(post_id: int) -> Response:
    """A post or a boost: its document, or the way to its page. The page decides who may see it."""
    if not serving.wanted():
        return await serving.page(uris.post_path(_SOMEBODY, post_id))
    return await as_document(post_id)


async def as_document(post_id: int) -> Response:
    """The document of a post or boost; the tombstone when it is deleted. Raises NotFound."""
    try:
        post = await _seen(post_id)
    except NotFound:
        buried = await listed.buried_post(post_id)
        if buried is None:
            raise
        return await serving.gone(buried)
    return await (_note(post) if post.boost_of_id is None else _boost(post))


@blueprint.get("/ap/posts/<int:post_id>/create")
async def create(post_id: int) -> Response:
    """The activity that published it."""
    post = await _original(post_id)
    return await serving.made(documents.create(await _written(post)))


@blueprint.get("/ap/posts/<int:post_id>/replies")
async def replies(post_id: int) -> Response:
    """The answers, the author's own first."""
    post = await _original(post_id)
    return await serving.made(await collections.replies(post, asked(), "others" in request.args))


@blueprint.get("/ap/posts/<int:post_id>/likes")
async def likes(post_id: int) -> Response:
    """The likes."""
    return await _collection(post_id, collections.likes)


@blueprint.get("/ap/posts/<int:post_id>/shares")
async def shares(post_id: int) -> Response:
    """The boosts."""
    return await _collection(post_id, collections.shares)


@blueprint.get("/ap/posts/<int:post_id>/context")
async def context(post_id: int) -> Response:
    """The conversation that began with it."""
    post = await _original(post_id)
    if post.thread_id != post.id:
        raise NotFound
    return await serving.made(await collections.thread(post, asked()))


@blueprint.get("/ap/quotes/<int:number>")
async def consent(number: int) -> Response:
    """Somebody's consent to be quoted in the post of this number, for whoever may see what is quoted."""
    found = await quotes.consent(number)
    if found is None:
        if await quotes.is_revoked(number):
            return await serving.gone(Buried(uris.quote_uri(number), None))
        raise NotFound
    quote, quoted = found
    quoted = await _seen(quoted.id)
    author = await listed.account_uri(quoted.author_id)
    return await serving.made(
        documents.quote_authorization(quote.quote_authorization, author, quote.uri, quoted.uri)
    )


async def _collection(post_id: int, collect: Callable[[Post, Page | None], Awaitable[Document]]) -> Response:
    return await serving.made(await collect(await _original(post_id), asked()))


async def _seen(post_id: int) -> Post:
    """A post of ours that the one who asks may see. Raises NotFound.

    The stranger's view first: most posts are for everybody, and then nobody's signature is looked at.
    """
    try:
        post = await posts.get(post_id, askers.known())
    except NotFound:
        if askers.is_looked_at() or (asker := await askers.viewer()) is None:
            raise
        post = await posts.get(post_id, asker)
    if not post.local:
        raise NotFound
    return post


async def _original(post_id: int) -> Post:
    """The same, but no boost: on these nothing hangs."""
    post = await _seen(post_id)
    if post.boost_of_id is not None:
        raise NotFound
    return post


async def _note(post: Post) -> Response:
    """Kept as long as neither the post nor its numbers change. Votes change without either: polls are not."""
    key = (post.id, post.version, post.likes, post.boosts, post.replies)
    body = _kept.get(*key)
    if body is None:
        found = await _written(post)
        made = documents.note(found)
        if post.replies:
            # GoToSocial reads on from an embedded page only.
            made["replies"]["first"] = await collections.replies(post, Page(), others=False)
        body = documents.with_context(made)
        if found.tally is None:
            _kept.put(body, *key)
    return await serving.document(body)


async def _boost(post: Post) -> Response:
    found = await written.boosts([post.id])
    if post.id not in found:
        raise NotFound  # Taken back in this moment.
    return await serving.made(documents.boost(found[post.id]))


async def _written(post: Post) -> documents.Written:
    found = await documents.load(post.id)
    if found is None:
        raise NotFound
    return found
