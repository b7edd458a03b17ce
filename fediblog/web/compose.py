"""Writing: new posts, replies, edits."""

from urllib.parse import urlsplit

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.errors import FediblogError, NotFound
from fediblog.models import Account, Post
from fediblog.services import posts, views
from fediblog.services.sessions import Session
from fediblog.services.views import Body
from fediblog.web import answers, drafts, lines, submitted, who
from fediblog.web.drafts import Writing
from fediblog.web.marks import takes_files

blueprint = Blueprint("compose", __name__)


@blueprint.get("/publish")
async def write() -> Response:
    """An empty form, or one that answers or quotes a post."""
    session = who.member()
    parent = submitted.whole(request.args.get("in_reply_to", ""))
    quoted = submitted.whole(request.args.get("quote", ""))
    if quoted is not None:
        post = await posts.original(quoted, session.account)
        return await show(drafts.quote(session, await views.body(post.id)), session)
    if parent is None:
        return await show(drafts.fresh(session.user), session)
    post = await posts.original(parent, session.account)
    return await show(await reply_to(session, post), session)


@blueprint.post("/publish")
@takes_files
async def publish() -> Response:
    """Publish what was written. Whatever is wrong with it, the form comes back with all of it."""
    session = who.member()
    writing = drafts.fresh(session.user)
    writing = await drafts.received(submitted.form(), session.account, writing)
    if writing.faults or writing.message:
        return await show(writing, session)
    try:
        post = await posts.publish(session.account, writing.draft(session.account))
    except FediblogError as error:
        return await show(_refused(writing, error), session)
    return _on_to(post, session.account, writing)


@blueprint.get("/@<handle:name>/<int:post_id>/edit")
async def edit_form(name: str, post_id: int) -> Response:
    """A post of one's own, to be changed."""
    session = who.member()
    post, body = await _own(session, post_id)
    return await show(_editing(post, body), session)


@blueprint.post("/@<handle:name>/<int:post_id>/edit")
@takes_files
async def edit(name: str, post_id: int) -> Response:
    """Change a post. The version before stays in its history."""
    session = who.member()
    post, body = await _own(session, post_id)
    writing = _editing(post, body)
    writing = await drafts.received(submitted.form(), session.account, writing)
    if writing.faults or writing.message:
        return await show(writing, session)
    try:
        await posts.edit(session.account, post.id, writing.draft(session.account))
    except FediblogError as error:
        return await show(_refused(writing, error), session)
    return answers.see_other(uris.post_path(session.account.username, post.id))


async def show(writing: Writing, session: Session) -> Response:
    """The page with the form, above it what it answers, and below it what it quotes."""
    wanted = [] if writing.edits is not None else [writing.reply_to_id, writing.quoted_id]
    seen = [each for number in wanted if number for each in await _visible(number, session.account)]
    found = await lines.by_post(seen, session.account) if seen else {}
    above, quoted = (found.get(number or 0) for number in (writing.reply_to_id, writing.quoted_id))
    return await answers.form("publish.html", writing, writing=writing, above=above, quoted=quoted)


async def reply_to(session: Session, post: Post) -> Writing:
    """The form that answers a post: to its author and everybody it mentions."""
    body = await views.body(post.id)
    author = (await views.cards([post.author_id]))[post.author_id]
    mentioned = [f"{one.username}@{one.domain}" if one.domain else one.username for one in body.mentions]
    return drafts.reply(session, body, [author.handle, *mentioned])


async def _visible(post_id: int, viewer: Account) -> list[int]:
    try:
        return [(await posts.original(post_id, viewer)).id]
    except NotFound:
        return []


async def _own(session: Session, post_id: int) -> tuple[Post, Body]:
    post = await posts.get(post_id, session.account)
    if post.author_id != session.account.id or post.boost_of_id is not None:
        raise NotFound
    return post, await views.body(post.id)


def _editing(post: Post, body: Body) -> Writing:
    writing = drafts.again(post, body, post.source)
    writing.action = f"{urlsplit(post.url).path}/edit"
    return writing


def _refused(writing: Writing, error: FediblogError) -> Writing:
    writing.refuse(error)
    if isinstance(error, NotFound):
        writing.message = "The post that you answer or quote is not there any more. Your text is kept below."
    return writing


def _on_to(post: Post, author: Account, writing: Writing) -> Response:
    back = answers.local(writing.return_to).partition("#")[0]
    if not back:
        return answers.see_other(uris.post_path(author.username, post.id))
    return answers.see_other(f"{back}#p{post.id}")
