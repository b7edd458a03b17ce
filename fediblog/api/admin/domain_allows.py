"""Servers that may speak with us whatever else holds: those of the allow-list, when it is on."""

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, forms
from fediblog.api.admin.entrance import staff
from fediblog.api.entities import Json, dump
from fediblog.errors import Invalid, NotFound
from fediblog.models import Role
from fediblog.services import domain_rules
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level

blueprint = Blueprint("admin_domain_allows_api", __name__, url_prefix="/api/v1/admin/domain_allows")


@blueprint.get("")
@staff("admin:read:domain_allows", Role.ADMIN)
async def listing() -> Response:
    """GET /api/v1/admin/domain_allows."""
    page = paging.parse(request.args, 100, 200)
    found = await domain_rules.page(auth.user(), page, allows=True)
    return answers.listing((dump(_entity(rule)) for rule in found), page, [rule.id for rule in found])


@blueprint.get("/<int:number>")
@staff("admin:read:domain_allows", Role.ADMIN)
async def show(number: int) -> Response:
    """GET /api/v1/admin/domain_allows/:id."""
    return answers.json(_entity(await _rule(number)))


@blueprint.post("")
@staff("admin:write:domain_allows", Role.ADMIN)
async def add() -> Response:
    """POST /api/v1/admin/domain_allows: `domain`; twice is once. A block has to be lifted first."""
    wanted = Rule(forms.text((await forms.parameters()).get("domain")), Level.NONE)
    try:
        rule = await domain_rules.get(wanted.domain)
    except NotFound:
        await domain_rules.make(wanted, auth.user())
        rule = await domain_rules.get(wanted.domain)
    if rule.level is not Level.NONE:
        raise Invalid("This server is blocked or limited. Lift that first.", field="domain")
    return answers.json(_entity(rule))


@blueprint.delete("/<int:number>")
@staff("admin:write:domain_allows", Role.ADMIN)
async def remove(number: int) -> Response:
    """DELETE /api/v1/admin/domain_allows/:id."""
    await domain_rules.lift((await _rule(number)).domain, auth.user())
    return answers.json({})


async def _rule(number: int) -> Rule:
    return await domain_rules.numbered(auth.user(), number, allows=True)


def _entity(rule: Rule) -> Json:
    return {"id": str(rule.id), "domain": rule.domain, "created_at": moments.iso(rule.created_at)}
