"""Which mails one gets."""

from quart import Blueprint, Response

from fediblog.errors import Invalid
from fediblog.services import mail
from fediblog.web import submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("mail_settings", __name__)


@blueprint.get("/settings/mail")
async def form() -> Response:
    """The kinds that one may do without."""
    user = who.member().user
    return await _page(Filled(), await mail.wanted(user))


@blueprint.post("/settings/mail")
async def save() -> Response:
    """From now on these and no others."""
    wanted = submitted.form().all("kinds")
    try:
        await mail.set_kinds(who.member().user, wanted)
    except Invalid as error:
        filled = Filled()
        filled.refuse(error)
        return await _page(filled, set(wanted))
    return frame.saved("mail")


async def _page(filled: Filled, wanted: set[str]) -> Response:
    return await frame.page(
        "mail",
        filled=filled,
        kinds=mail.kinds(),
        wanted=wanted,
        email=who.member().user.email,
    )
