"""Quotes of a status: who quotes it, who may, and taking one's consent back."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms, rendering
from fediblog.api.auth import scope
from fediblog.errors import Invalid, NotFound
from fediblog.services import posts, quotes

blueprint = Blueprint("quotes_api", __name__, url_prefix="/api/v1/statuses/<int:post_id>")


@blueprint.get("/quotes")
@scope("read:statuses")
async def listing(post_id: int) -> Response:
    """GET /api/v1/statuses/:id/quotes: those that are accepted, as far as the viewer may see them."""
    page = paging.parse(request.args)
    post = await posts.original(post_id, auth.account())
    return await answers.statuses(await quotes.listing(post, auth.account(), page), page)


@blueprint.post("/quotes/<int:quoting_id>/revoke")
@scope("write:statuses")
async def revoke(post_id: int, quoting_id: int) -> Response:
    """POST /api/v1/statuses/:id/quotes/:quoting_status_id/revoke: gives the status that quotes."""
    await posts.get(quoting_id, auth.account())
    await quotes.revoke(auth.account(), post_id, quoting_id)
    return await _shown(quoting_id)


@blueprint.put("/interaction_policy")
@scope("write:statuses")
async def set_policy(post_id: int) -> Response:
    """PUT /api/v1/statuses/:id/interaction_policy: `quote_approval_policy`."""
    policy = forms.quote_policy((await forms.parameters()).get("quote_approval_policy"))
    if policy is None:
        raise Invalid("Choose public, followers or nobody.", "quote_approval_policy")
    post = await posts.get(post_id, auth.account())
    await quotes.set_policy(auth.account(), post, policy)
    return await _shown(post_id)


async def _shown(post_id: int) -> Response:
    found = await posts.entries([post_id], auth.account())
    rendered = await rendering.statuses(list(found.values()), auth.account())
    if not rendered:
        raise NotFound
    return answers.json(rendered[0])
