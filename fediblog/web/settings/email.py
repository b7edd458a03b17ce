"""Changing the e-mail address."""

from quart import Blueprint, Response

from fediblog.errors import Invalid, TooMany
from fediblog.services import authenticator, email_changes
from fediblog.web import answers, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("email_settings", __name__)


@blueprint.get("/settings/email")
async def form() -> Response:
    """The address, and the one that waits to be confirmed."""
    return await _page(Filled())


@blueprint.post("/settings/email")
async def save() -> Response:
    """Ask for another one, with the password."""
    session, sent = who.member(), submitted.form()
    filled = forms.typed(sent, "email")
    try:
        await email_changes.request(
            session.user, sent.text("password"), filled.value("email"), who.address(), sent.text("code")
        )
    except (Invalid, TooMany) as error:
        filled.refuse(error)
        return await _page(filled)
    waits = await email_changes.pending(session.user) is not None
    return answers.see_other("/settings/email", done="email_asked" if waits else "saved")


@blueprint.post("/settings/email/withdraw")
async def withdraw() -> Response:
    """Keep the address after all."""
    await email_changes.withdraw(who.member().user)
    return frame.saved("email")


async def _page(filled: Filled) -> Response:
    user = who.member().user
    return await frame.page(
        "email",
        filled=filled,
        email=user.email,
        pending=await email_changes.pending(user),
        asks_code=await authenticator.is_on(user.id),
    )
