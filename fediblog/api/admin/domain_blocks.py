"""Servers that are kept away, limited, or from which some things are not taken."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

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

blueprint = Blueprint("admin_domain_blocks_api", __name__, url_prefix="/api/v1/admin/domain_blocks")

_LEVELS = {"silence": Level.SILENCE, "suspend": Level.SUSPEND, "noop": Level.NONE}
_SEVERITIES = {level: word for word, level in _LEVELS.items()}
_SWITCHES = ("reject_media", "reject_reports", "obfuscate")
_COMMENTS = ("public_comment", "private_comment")


@blueprint.get("")
@staff("admin:read:domain_blocks", Role.ADMIN)
async def listing() -> Response:
    """GET /api/v1/admin/domain_blocks."""
    page = paging.parse(request.args, 100, 200)
    found = await domain_rules.page(auth.user(), page, allows=False)
    return answers.listing((dump(_entity(rule)) for rule in found), page, [rule.id for rule in found])


@blueprint.get("/<int:number>")
@staff("admin:read:domain_blocks", Role.ADMIN)
async def show(number: int) -> Response:
    """GET /api/v1/admin/domain_blocks/:id."""
    return answers.json(_entity(await _rule(number)))


@blueprint.post("")
@staff("admin:write:domain_blocks", Role.ADMIN)
async def add() -> Response:
    """POST /api/v1/admin/domain_blocks: `domain`, `severity`, switches and comments."""
    given = await forms.parameters()
    rule = domain_rules.checked(_changed(Rule(forms.text(given.get("domain")), Level.SILENCE), given))
    if await _is_blocked(rule.domain):
        raise Invalid("There is a rule about this server already.", field="domain")
    return await _made(rule)


@blueprint.put("/<int:number>")
@staff("admin:write:domain_blocks", Role.ADMIN)
async def update(number: int) -> Response:
    """PUT /api/v1/admin/domain_blocks/:id: what is not given stays as it is."""
    return await _made(_changed(await _rule(number), await forms.parameters()))


@blueprint.delete("/<int:number>")
@staff("admin:write:domain_blocks", Role.ADMIN)
async def remove(number: int) -> Response:
    """DELETE /api/v1/admin/domain_blocks/:id."""
    await domain_rules.lift((await _rule(number)).domain, auth.user())
    return answers.json({})


async def _rule(number: int) -> Rule:
    return await domain_rules.numbered(auth.user(), number, allows=False)


async def _is_blocked(domain: str) -> bool:
    try:
        rule = await domain_rules.get(domain)
    except NotFound:
        return False
    return rule.level is not Level.NONE or rule.reject_media or rule.reject_reports


def _changed(rule: Rule, given: Mapping[str, Any]) -> Rule:
    """The rule with what was given. Raises Invalid."""
    severity = forms.text(given.get("severity")) or _SEVERITIES[rule.level]
    if severity not in _LEVELS:
        raise Invalid("Validation failed: Severity is not included in the list", field="severity")
    columns: dict[str, Any] = {name: forms.boolean(given[name]) for name in _SWITCHES if name in given}
    columns |= {name: forms.text(given[name]) for name in _COMMENTS if name in given}
    changed = replace(rule, level=_LEVELS[severity], **columns)
    if changed.level is Level.NONE and not (changed.reject_media or changed.reject_reports):
        raise Invalid("A rule that keeps nothing away is none.", field="severity")
    return changed


async def _made(rule: Rule) -> Response:
    await domain_rules.make(rule, auth.user())
    return answers.json(_entity(await domain_rules.get(rule.domain)))


def _entity(rule: Rule) -> Json:
    return {
        "id": str(rule.id),
        "domain": rule.domain,
        "digest": sha256(rule.domain.encode()).hexdigest(),
        "created_at": moments.iso(rule.created_at),
        "severity": _SEVERITIES[rule.level],
        "reject_media": rule.reject_media,
        "reject_reports": rule.reject_reports,
        "private_comment": rule.private_comment or None,
        "public_comment": rule.public_comment or None,
        "obfuscate": rule.obfuscate,
    }
