"""Domains of e-mail with whose addresses nobody may sign up, or not without approval."""

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, forms
from fediblog.api.admin.entrance import staff
from fediblog.api.entities import Json, dump
from fediblog.models import Role
from fediblog.services import email_blocks
from fediblog.services.email_blocks import DomainBlock

blueprint = Blueprint(
    "admin_email_domain_blocks_api", __name__, url_prefix="/api/v1/admin/email_domain_blocks"
)


@blueprint.get("")
@staff("admin:read:email_domain_blocks", Role.ADMIN)
async def listing() -> Response:
    """GET /api/v1/admin/email_domain_blocks."""
    page = paging.parse(request.args, 100, 200)
    found = await email_blocks.listing(auth.user(), page)
    return answers.listing((dump(_entity(block)) for block in found), page, [block.id for block in found])


@blueprint.get("/<int:number>")
@staff("admin:read:email_domain_blocks", Role.ADMIN)
async def show(number: int) -> Response:
    """GET /api/v1/admin/email_domain_blocks/:id."""
    return answers.json(_entity(await email_blocks.get(auth.user(), number)))


@blueprint.post("")
@staff("admin:write:email_domain_blocks", Role.ADMIN)
async def add() -> Response:
    """POST /api/v1/admin/email_domain_blocks: `domain`, `allow_with_approval`."""
    given = await forms.parameters()
    waits = forms.boolean(given.get("allow_with_approval"))
    block = await email_blocks.add(auth.user(), forms.text(given.get("domain")), waits)
    return answers.json(_entity(block))


@blueprint.delete("/<int:number>")
@staff("admin:write:email_domain_blocks", Role.ADMIN)
async def remove(number: int) -> Response:
    """DELETE /api/v1/admin/email_domain_blocks/:id."""
    await email_blocks.remove(auth.user(), number)
    return answers.json({})


def _entity(block: DomainBlock) -> Json:
    """An Admin::EmailDomainBlock. Who tried to sign up is not counted, so its history is empty."""
    return {
        "id": str(block.id),
        "domain": block.domain,
        "created_at": moments.iso(block.created_at),
        "history": [],
        "allow_with_approval": block.allow_with_approval,
    }
