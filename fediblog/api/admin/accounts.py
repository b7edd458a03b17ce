"""Accounts as the staff sees them, and what it does about them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms
from fediblog.api.admin import entities
from fediblog.api.admin.entrance import staff
from fediblog.errors import Forbidden
from fediblog.models import Account, Role, User
from fediblog.services import deletion, dossiers, moderation, sanctions, signups
from fediblog.services.dossiers import Choice, Login, State

blueprint = Blueprint("admin_accounts_api", __name__, url_prefix="/api")

_STAFF = (Role.MODERATOR, Role.ADMIN)
_ROLES = dict(enumerate(Role))

Verb = Callable[[Account, User], Awaitable[object]]


@blueprint.get("/v1/admin/accounts")
@staff("admin:read:accounts")
async def listing() -> Response:
    """GET /api/v1/admin/accounts: a switch for each state."""
    given = await forms.parameters()
    on = {name for name in ("local", "remote", "staff", *State) if forms.boolean(given.get(name))}
    local = {("local",): True, ("remote",): False}.get(tuple(sorted(on & {"local", "remote"})))
    states = [state for state in State if state in on]
    return await _listing(given, local, states, _STAFF if "staff" in on else ())


@blueprint.get("/v2/admin/accounts")
@staff("admin:read:accounts")
async def listing_by_words() -> Response:
    """GET /api/v2/admin/accounts: `origin`, `status`, `permissions`, `role_ids[]`, and the words of v1."""
    given = await forms.parameters()
    states = [state for state in State if state == given.get("status")]
    local = {"local": True, "remote": False}.get(forms.text(given.get("origin")))
    roles = [_ROLES[number] for number in forms.ids(given.get("role_ids")) if number in _ROLES]
    return await _listing(given, local, states, _STAFF if given.get("permissions") == "staff" else roles)


@blueprint.get("/v1/admin/accounts/<int:account_id>")
@staff("admin:read:accounts")
async def show(account_id: int) -> Response:
    """GET /api/v1/admin/accounts/:id."""
    return answers.json(await entities.account(account_id))


@blueprint.post("/v1/admin/accounts/<int:account_id>/approve")
@staff("admin:write:accounts")
async def approve(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/approve."""
    await signups.approve((await _applicant(account_id)).id, auth.user())
    return answers.json(await entities.account(account_id))


@blueprint.post("/v1/admin/accounts/<int:account_id>/reject")
@staff("admin:write:accounts")
async def reject(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/reject: answers what was there."""
    applicant, shown = await _applicant(account_id), await entities.account(account_id)
    await signups.reject(applicant.id, auth.user())
    return answers.json(shown)


@blueprint.delete("/v1/admin/accounts/<int:account_id>")
@staff("admin:write:accounts", Role.ADMIN)
async def delete(account_id: int) -> Response:
    """DELETE /api/v1/admin/accounts/:id: for good; answers what was there."""
    account = await dossiers.account(auth.user(), account_id)
    shown = await entities.account(account_id)
    await deletion.remove(account, auth.user())
    return answers.json(shown)


@blueprint.post("/v1/admin/accounts/<int:account_id>/action")
@staff("admin:write:accounts")
async def act(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/action: `type`, `report_id`, `text`, `send_email_notification`."""
    given = await forms.parameters()
    report_ids = forms.ids(given.get("report_id"))
    await sanctions.impose(
        await dossiers.account(auth.user(), account_id),
        auth.user(),
        forms.text(given.get("type")),
        forms.text(given.get("text")),
        report_ids[0] if report_ids else None,
        forms.boolean(given.get("send_email_notification")),
    )
    return answers.json({})


@blueprint.post("/v1/admin/accounts/<int:account_id>/enable")
@staff("admin:write:accounts")
async def enable(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/enable."""
    return await _done(account_id, sanctions.enable)


@blueprint.post("/v1/admin/accounts/<int:account_id>/unsilence")
@staff("admin:write:accounts")
async def unsilence(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/unsilence."""
    return await _done(account_id, moderation.unsilence)


@blueprint.post("/v1/admin/accounts/<int:account_id>/unsuspend")
@staff("admin:write:accounts")
async def unsuspend(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/unsuspend."""
    return await _done(account_id, moderation.unsuspend)


@blueprint.post("/v1/admin/accounts/<int:account_id>/unsensitive")
@staff("admin:write:accounts")
async def unsensitive(account_id: int) -> Response:
    """POST /api/v1/admin/accounts/:id/unsensitive."""
    return await _done(account_id, moderation.unsensitize)


async def _done(account_id: int, verb: Verb) -> Response:
    await verb(await dossiers.account(auth.user(), account_id), auth.user())
    return answers.json(await entities.account(account_id))


async def _applicant(account_id: int) -> Login:
    """Who waits to be let in. Raises Forbidden for everybody else."""
    login = (await dossiers.get(auth.user(), account_id)).login
    if login is None or login.approved:
        raise Forbidden("This account does not wait to be let in.")
    return login


async def _listing(
    given: Mapping[str, Any], local: bool | None, states: list[State], roles: tuple[Role, ...] | list[Role]
) -> Response:
    page = paging.parse(request.args, 100, 200)
    invited_by = forms.ids(given.get("invited_by"))
    words = {name: forms.text(given.get(name)).strip() for name in ("username", "display_name", "email")}
    choice = Choice(
        local,
        states,
        roles,
        invited_by[0] if invited_by else None,
        **words,
        domain=forms.text(given.get("by_domain")).strip(),
        address=forms.text(given.get("ip")).strip(),
    )
    found = await dossiers.listing(auth.user(), page, choice)
    shown = await entities.rendered(found)
    return answers.listing((shown[one.id] for one in found), page, [one.id for one in found])
