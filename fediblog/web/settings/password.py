"""Changing the password."""

from quart import Blueprint, Response

from fediblog.errors import Conflict, Invalid, TooMany
from fediblog.services import authenticator, sessions
from fediblog.web import answers, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full
from fediblog.web.settings import frame

blueprint = Blueprint("password_settings", __name__)


@blueprint.get("/settings/password")
async def form() -> Response:
    """The form."""
    return await _page(Filled())


@blueprint.post("/settings/password")
@even_when_full
async def save() -> Response:
    """Change it. This session goes on with a new token, all others and all apps end."""
    session, sent = who.member(), submitted.form()
    filled = Filled()
    try:
        token = await sessions.change_password(
            session.user, sent.text("old"), sent.text("new"), session.id, who.address(), sent.text("code")
        )
    except (Invalid, TooMany, Conflict) as error:
        filled.refuse(error)
        return await _page(filled)
    if token is not None:
        who.begin(token)
    return answers.see_other("/settings/password", done="password")


async def _page(filled: Filled) -> Response:
    user = who.member().user
    asks_code = await authenticator.is_on(user.id)
    return await frame.page("password", filled=filled, email=user.email, asks_code=asks_code)
