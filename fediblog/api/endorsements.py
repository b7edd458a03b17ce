"""Whom one recommends, and what one notes about somebody."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms, relations
from fediblog.api.auth import reads, scope
from fediblog.services import accounts, endorsements, notes

blueprint = Blueprint("endorsements_api", __name__, url_prefix="/api/v1")


@blueprint.post("/accounts/<int:account_id>/note")
@scope("write:accounts")
async def note(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/note: `comment`; without one the note goes."""
    given = await forms.parameters()
    target = await accounts.get(account_id)
    await notes.write(auth.account(), target, forms.text(given.get("comment")))
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/endorse")
@blueprint.post("/accounts/<int:account_id>/pin")
@scope("write:accounts")
async def endorse(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/endorse, which was called /pin."""
    target = await accounts.get(account_id)
    await endorsements.endorse(auth.account(), target)
    return await relations.related(target)


@blueprint.post("/accounts/<int:account_id>/unendorse")
@blueprint.post("/accounts/<int:account_id>/unpin")
@scope("write:accounts")
async def unendorse(account_id: int) -> Response:
    """POST /api/v1/accounts/:id/unendorse, which was called /unpin."""
    target = await accounts.get(account_id)
    await endorsements.unendorse(auth.account(), target)
    return await relations.related(target)


@blueprint.get("/endorsements")
@scope("read:accounts")
async def own() -> Response:
    """GET /api/v1/endorsements."""
    page = paging.parse(request.args, 40, 80)
    return await answers.people(await endorsements.endorsed(auth.account(), auth.account(), page), page)


@blueprint.get("/accounts/<int:account_id>/endorsements")
@reads("read:accounts")
async def of_account(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/endorsements."""
    page = paging.parse(request.args, 40, 80)
    owner = await accounts.get(account_id)
    return await answers.people(await endorsements.endorsed(owner, auth.viewer(), page), page)
