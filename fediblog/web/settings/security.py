"""Codes at sign-in: switching them on with an app, new recovery codes, switching them off."""

from quart import Blueprint, Response

from fediblog.errors import Conflict, FediblogError, Invalid, TooMany
from fediblog.services import authenticator, second_factor
from fediblog.web import answers, qr, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full
from fediblog.web.settings import frame

blueprint = Blueprint("security_settings", __name__)

_REFUSALS = (Invalid, TooMany, Conflict)


@blueprint.get("/settings/security")
async def show() -> Response:
    """How it is, and the next step."""
    return await _page(Filled())


@blueprint.post("/settings/security/begin")
async def begin() -> Response:
    """Make a key for an app; the page shows it until a code confirms it."""
    try:
        await second_factor.begin(who.member().user)
    except Conflict as error:
        return await _refused(error)
    return answers.see_other("/settings/security")


@blueprint.post("/settings/security/withdraw")
async def withdraw() -> Response:
    """Rather not."""
    await second_factor.withdraw(who.member().user)
    return answers.see_other("/settings/security")


@blueprint.post("/settings/security")
async def switch_on() -> Response:
    """Switch on, with a code and the password. The answer is the only page that shows the recovery codes."""
    session, sent = who.member(), submitted.form()
    try:
        made = await second_factor.switch_on(
            session.user, session.id, sent.text("password"), sent.text("code"), who.address()
        )
    except _REFUSALS as error:
        return await _refused(error)
    who.begin(made.token)
    return await frame.page("security", template="recovery_codes", codes=made.codes)


@blueprint.post("/settings/security/codes")
async def renew() -> Response:
    """Fresh recovery codes, shown once too."""
    session, sent = who.member(), submitted.form()
    try:
        codes = await second_factor.renew(
            session.user, sent.text("password"), sent.text("code"), who.address()
        )
    except _REFUSALS as error:
        return await _refused(error)
    return await frame.page("security", template="recovery_codes", codes=codes)


@blueprint.post("/settings/security/off")
@even_when_full
async def switch_off() -> Response:
    """Ask for the password alone again."""
    session, sent = who.member(), submitted.form()
    try:
        token = await second_factor.switch_off(
            session.user, session.id, sent.text("password"), sent.text("code"), who.address()
        )
    except _REFUSALS as error:
        return await _refused(error)
    who.begin(token)
    return answers.see_other("/settings/security", done="codes_off")


async def _refused(error: FediblogError) -> Response:
    filled = Filled()
    filled.refuse(error)
    return await _page(filled)


async def _page(filled: Filled) -> Response:
    user = who.member().user
    is_on = await authenticator.is_on(user.id)
    offer = None if is_on else await second_factor.offered(user)
    return await frame.page(
        "security",
        filled=filled,
        is_on=is_on,
        left=await authenticator.left(user.id),
        offer=offer is not None,
        key=_grouped(offer.secret) if offer else "",
        picture=qr.drawn(offer.uri) if offer else None,
    )


def _grouped(secret: str) -> str:
    """As it can be read out and typed. Apps ignore the spaces."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
