"""Who quotes a post, and taking one's consent back."""

from quart import Blueprint, Response

from fediblog.services import posts, quotes
from fediblog.web import answers, lines, pages, who

blueprint = Blueprint("quotes", __name__)


@blueprint.get("/@<handle:name>/<int:post_id>/quotes")
async def listing(name: str, post_id: int) -> Response:
    """The posts that quote it, as far as the reader may see them."""
    account = who.member().account
    post = await posts.original(post_id, account)
    page = pages.asked()
    found = await quotes.listing(post, account, page)
    return await answers.page(
        "quotes.html",
        quoted=await lines.of(post.id, account),
        lines=await lines.lines(found.entries, account),
        pages=pages.around(page, found.cursors),
    )


@blueprint.post("/@<handle:name>/<int:post_id>/quotes/<int:quoting_id>/revoke")
async def revoke(name: str, post_id: int, quoting_id: int) -> Response:
    """One's post is not shown any more in the other one."""
    account = who.member().account
    await posts.get(quoting_id, account)
    await quotes.revoke(account, post_id, quoting_id)
    return answers.back()
