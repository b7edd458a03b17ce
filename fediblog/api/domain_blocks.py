"""Servers that one does not want to see anything of."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms
from fediblog.api.auth import scope
from fediblog.services import hidden_domains

blueprint = Blueprint("domain_blocks_api", __name__, url_prefix="/api/v1/domain_blocks")


@blueprint.get("")
@scope("read:blocks")
async def listing() -> Response:
    """GET /api/v1/domain_blocks: the names alone."""
    page = paging.parse(request.args, 100, 200)
    found = await hidden_domains.listing(auth.account(), page)
    return answers.listing((b'"%b"' % name.encode() for name in found.names), page, found.cursors)


@blueprint.post("")
@scope("write:blocks")
async def hide() -> Response:
    """POST /api/v1/domain_blocks: `domain`."""
    given = await forms.parameters()
    await hidden_domains.hide(auth.account(), forms.text(given.get("domain")))
    return answers.json({})


@blueprint.delete("")
@scope("write:blocks")
async def show() -> Response:
    """DELETE /api/v1/domain_blocks: `domain`, in the query or the body."""
    given = await forms.parameters()
    await hidden_domains.show(auth.account(), forms.text(given.get("domain")))
    return answers.json({})
