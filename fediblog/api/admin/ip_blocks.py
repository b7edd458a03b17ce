"""Networks that are kept out of signing up, or of everything."""

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, forms
from fediblog.api.admin.entrance import staff
from fediblog.api.entities import Json, dump
from fediblog.models import Role
from fediblog.services import address_blocks
from fediblog.services.address_blocks import Block

blueprint = Blueprint("admin_ip_blocks_api", __name__, url_prefix="/api/v1/admin/ip_blocks")


@blueprint.get("")
@staff("admin:read:ip_blocks", Role.ADMIN)
async def listing() -> Response:
    """GET /api/v1/admin/ip_blocks."""
    page = paging.parse(request.args, 100, 200)
    found = await address_blocks.listing(auth.user(), page)
    return answers.listing((dump(_entity(block)) for block in found), page, [block.id for block in found])


@blueprint.get("/<int:number>")
@staff("admin:read:ip_blocks", Role.ADMIN)
async def show(number: int) -> Response:
    """GET /api/v1/admin/ip_blocks/:id."""
    return answers.json(_entity(await address_blocks.get(auth.user(), number)))


@blueprint.post("")
@staff("admin:write:ip_blocks", Role.ADMIN)
async def add() -> Response:
    """POST /api/v1/admin/ip_blocks: `ip`, `severity`, `comment`, `expires_in`."""
    given = await forms.parameters()
    network, severity, comment = (forms.text(given.get(name)) for name in ("ip", "severity", "comment"))
    seconds = forms.number(given.get("expires_in"))
    block = await address_blocks.add(auth.user(), network, severity, comment, seconds)
    return answers.json(_entity(block))


@blueprint.put("/<int:number>")
@staff("admin:write:ip_blocks", Role.ADMIN)
async def update(number: int) -> Response:
    """PUT /api/v1/admin/ip_blocks/:id: what is not given stays as it is."""
    given = await forms.parameters()
    old = await address_blocks.get(auth.user(), number)
    block = await address_blocks.change(
        auth.user(),
        number,
        forms.text(given.get("ip")) or old.network,
        forms.text(given.get("severity")) or old.severity.value,
        forms.text(given["comment"]) if "comment" in given else old.comment,
        forms.number(given.get("expires_in")),
    )
    return answers.json(_entity(block))


@blueprint.delete("/<int:number>")
@staff("admin:write:ip_blocks", Role.ADMIN)
async def remove(number: int) -> Response:
    """DELETE /api/v1/admin/ip_blocks/:id."""
    await address_blocks.remove(auth.user(), number)
    return answers.json({})


def _entity(block: Block) -> Json:
    return {
        "id": str(block.id),
        "ip": block.network,
        "severity": block.severity.value,
        "comment": block.comment,
        "created_at": moments.iso(block.created_at),
        "expires_at": moments.iso(block.expires_at) if block.expires_at else None,
    }
