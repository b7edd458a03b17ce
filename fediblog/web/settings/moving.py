"""Moving: the accounts that may move here, and moving away with one's followers."""

from quart import Blueprint, Response

from fediblog.activitypub import resolver
from fediblog.errors import FediblogError
from fediblog.models import Account
from fediblog.services import authenticator, migration, sessions
from fediblog.web import answers, faces, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("moving_settings", __name__)


@blueprint.get("/settings/moving")
async def show() -> Response:
    """Both directions on one page."""
    return await _page(Filled())


@blueprint.get("/settings/aliases")
@blueprint.get("/settings/migration")
async def elsewhere() -> Response:
    """The names that Mastodon's help has for it."""
    return answers.see_other("/settings/moving")


@blueprint.post("/settings/moving/aliases")
async def add() -> Response:
    """Say that another account is one's own, so that it may move here."""
    account = who.member().account
    filled = forms.typed(submitted.form(), "handle")
    try:
        await migration.add_alias(account, await _looked_up(filled.value("handle")))
    except FediblogError as error:
        filled.refuse(error)
        return await _page(filled)
    return frame.saved("moving")


@blueprint.post("/settings/moving/aliases/remove")
async def remove() -> Response:
    """Say so no more."""
    await migration.remove_alias(who.member().account, submitted.form().text("uri"))
    return frame.saved("moving")


@blueprint.post("/settings/moving")
async def move() -> Response:
    """Move away, with the password and the code: followers are told to follow the other account."""
    session, sent = who.member(), submitted.form()
    filled = forms.typed(sent, "target")
    try:
        await sessions.require_password(session.user, sent.text("password"), who.address())
        target = await _looked_up(filled.value("target"))
        if not target.local:
            target = await resolver.actor(target.uri, refresh=True)
        await authenticator.require(session.user, sent.text("code"), who.address())
        await migration.move(session.account, target)
    except FediblogError as error:
        filled.refuse(error)
        return await _page(filled)
    return answers.see_other("/settings/moving", done="moved")


@blueprint.post("/settings/moving/back")
async def come_back() -> Response:
    """Use this account again."""
    await migration.come_back(who.member().account)
    return frame.saved("moving")


async def _looked_up(handle: str) -> Account:
    return await resolver.account(handle.strip())


async def _page(filled: Filled) -> Response:
    session = who.member()
    account = await Account.get(id=session.account.id)
    moved = await Account.get_or_none(id=account.moved_to_id) if account.moved_to_id else None
    known = [(other.uri, faces.face_of(other)) for other in await migration.aliases(account)]
    return await frame.page(
        "moving",
        filled=filled,
        aliases=known,
        moved=faces.face_of(moved) if moved else None,
        asks_code=await authenticator.is_on(session.user.id),
    )
