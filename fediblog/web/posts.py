"""A post: in its thread, who liked and boosted it, how it was before; and what may be done with it."""

from quart import Blueprint, Response, request

from fediblog.activitypub import resolver
from fediblog.errors import Invalid
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services import (
    accounts,
    bookmarks,
    boosts,
    edits,
    likes,
    pins,
    polls,
    posts,
    thread_mutes,
    threads,
)
from fediblog.services.people import People
from fediblog.web import answers, compose, drafts, faces, lines, pages, submitted, who
from fediblog.web import threads as layout
from fediblog.web.marks import even_when_full

blueprint = Blueprint("posts", __name__)


@blueprint.get("/@<handle:name>/<int:post_id>")
async def show(name: str, post_id: int) -> Response:
    """A post and its conversation. A boost leads to what it passes on, an old name to the new one."""
    viewer = who.viewer()
    post = await posts.original(post_id, viewer)
    if viewer is None and not post.local:
        return answers.elsewhere(post.url or post.uri)
    line = await lines.of(post.id, viewer)
    if line.href != request.path:
        return answers.see_other(line.href)
    fetching = viewer is not None and await resolver.look_around(post)
    context = await threads.context(post, viewer)
    author = await accounts.get(post.author_id)
    session = who.session()
    writing = await compose.reply_to(session, post) if session else None
    if writing is not None:
        writing.return_to = line.href
    return await answers.page(
        "post.html",
        shows=line.body.uri if post.local else "",
        line=line,
        above=await layout.above(context, viewer),
        below=await layout.below(context, post.id, viewer),
        writing=writing,
        indexable=author.indexable,
        fetching=fetching,
    )


@blueprint.get("/@<handle:name>/<int:post_id>/favourites")
async def favourites(name: str, post_id: int) -> Response:
    """Who liked it."""
    post = await posts.original(post_id, who.viewer())
    page = pages.asked(40, 80)
    found = await likes.liked_by(post, who.viewer(), page)
    return await _people(post, "Favourited by", found, page, "Nobody has favourited this post yet.")


@blueprint.get("/@<handle:name>/<int:post_id>/reblogs")
async def reblogs(name: str, post_id: int) -> Response:
    """Who boosted it."""
    post = await posts.original(post_id, who.viewer())
    page = pages.asked(40, 80)
    found = await boosts.boosted_by(post, who.viewer(), page)
    return await _people(post, "Boosted by", found, page, "Nobody has boosted this post yet.")


@blueprint.get("/@<handle:name>/<int:post_id>/history")
async def history(name: str, post_id: int) -> Response:
    """How it was before, the newest version first."""
    post = await posts.original(post_id, who.viewer())
    line = await lines.of(post.id, who.viewer())
    versions = await edits.history(post, who.viewer())
    return await answers.page("history.html", line=line, versions=versions[::-1])


# --------------------------------------------------------------------------------------------------- acts


@blueprint.post("/@<handle:name>/<int:post_id>/favourite")
async def favourite(name: str, post_id: int) -> Response:
    """Like it."""
    await likes.like(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/unfavourite")
async def unfavourite(name: str, post_id: int) -> Response:
    """Like it no longer."""
    await likes.unlike(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/reblog")
async def reblog(name: str, post_id: int) -> Response:
    """Pass it on."""
    await boosts.boost(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/unreblog")
async def unreblog(name: str, post_id: int) -> Response:
    """Take that back."""
    await boosts.unboost(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/bookmark")
async def bookmark(name: str, post_id: int) -> Response:
    """Keep it."""
    await bookmarks.bookmark(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/unbookmark")
async def unbookmark(name: str, post_id: int) -> Response:
    """Keep it no longer."""
    await bookmarks.unbookmark(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/pin")
async def pin(name: str, post_id: int) -> Response:
    """Put it at the top of one's page."""
    await pins.pin(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/unpin")
async def unpin(name: str, post_id: int) -> Response:
    """Take it from there."""
    await pins.unpin(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/mute")
async def mute(name: str, post_id: int) -> Response:
    """Hear no more of its conversation."""
    await thread_mutes.mute(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/unmute")
async def unmute(name: str, post_id: int) -> Response:
    """Hear of it again."""
    await thread_mutes.unmute(*await _act(post_id))
    return answers.back()


@blueprint.post("/@<handle:name>/<int:post_id>/vote")
async def vote(name: str, post_id: int) -> Response:
    """Vote in its poll."""
    account, post = await _act(post_id)
    choices = [submitted.whole(choice) for choice in submitted.form().all("choice")]
    if None in choices:
        raise Invalid("There is no such option.")
    await polls.vote(account, post, [choice for choice in choices if choice is not None])
    return answers.back()


@blueprint.get("/@<handle:name>/<int:post_id>/delete")
async def ask_to_delete(name: str, post_id: int) -> Response:
    """Whether one is sure."""
    account, post = await _act(post_id)
    if post.author_id != account.id:
        return answers.see_other(request.path.removesuffix("/delete"))
    line = await lines.of(post.id, account)
    return await answers.page("delete.html", line=line)


@blueprint.post("/@<handle:name>/<int:post_id>/delete")
@even_when_full
async def delete(name: str, post_id: int) -> Response:
    """Delete it for good; with `redraft` its text comes back in the form."""
    session = who.member()
    deleted = await posts.delete(session.account, post_id)
    if not submitted.form().flag("redraft"):
        return answers.see_other("/home", done="deleted")
    return await compose.show(drafts.again(None, deleted.body, deleted.source), session)


async def _act(post_id: int) -> tuple[Account, Post]:
    """Who acts, and on what: something that may be seen, or it does not exist."""
    account = who.member().account
    return account, await posts.get(post_id, account)


async def _people(post: Post, title: str, found: People, page: Page, empty: str) -> Response:
    line = await lines.of(post.id, who.viewer())
    return await answers.page(
        "people.html",
        title=title,
        back=line.href,
        faces=await faces.faces(found.ids),
        pages=pages.around(page, found.cursors, "people"),
        empty=empty,
        tabs=(),
        relations={},
        original="",
    )
