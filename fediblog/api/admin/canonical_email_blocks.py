"""Mailboxes with which nobody may sign up, under whatever spelling."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms
from fediblog.api.admin.entrance import staff
from fediblog.api.entities import Json, dump
from fediblog.models import Role
from fediblog.services import email_blocks
from fediblog.services.email_blocks import Mailbox

blueprint = Blueprint(
    "admin_canonical_email_blocks_api", __name__, url_prefix="/api/v1/admin/canonical_email_blocks"
)


@blueprint.get("")
@staff("admin:read:canonical_email_blocks", Role.ADMIN)
async def listing() -> Response:
    """GET /api/v1/admin/canonical_email_blocks."""
    page = paging.parse(request.args, 100, 200)
    found = await email_blocks.mailboxes(auth.user(), page)
    return answers.listing((dump(_entity(block)) for block in found), page, [block.id for block in found])


@blueprint.get("/<int:number>")
@staff("admin:read:canonical_email_blocks", Role.ADMIN)
async def show(number: int) -> Response:
    """GET /api/v1/admin/canonical_email_blocks/:id."""
    return answers.json(_entity(await email_blocks.mailbox(auth.user(), number)))


@blueprint.post("/test")
@staff("admin:read:canonical_email_blocks", Role.ADMIN)
async def test() -> Response:
    """POST /api/v1/admin/canonical_email_blocks/test: which of them `email` is."""
    given = await forms.parameters()
    found = await email_blocks.matching(auth.user(), forms.text(given.get("email")))
    return answers.json([_entity(block) for block in found])


@blueprint.post("")
@staff("admin:write:canonical_email_blocks", Role.ADMIN)
async def add() -> Response:
    """POST /api/v1/admin/canonical_email_blocks: `email`, or `canonical_email_hash`."""
    given = await forms.parameters()
    email, hash_ = (forms.text(given.get(name)) for name in ("email", "canonical_email_hash"))
    return answers.json(_entity(await email_blocks.add_mailbox(auth.user(), email, hash_)))


@blueprint.delete("/<int:number>")
@staff("admin:write:canonical_email_blocks", Role.ADMIN)
async def remove(number: int) -> Response:
    """DELETE /api/v1/admin/canonical_email_blocks/:id."""
    await email_blocks.remove_mailbox(auth.user(), number)
    return answers.json({})


def _entity(block: Mailbox) -> Json:
    return {"id": str(block.id), "canonical_email_hash": block.hash}
