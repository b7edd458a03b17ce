"""Links that let somebody sign up."""

from quart import Blueprint, Response

from fediblog import uris
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.services import invites
from fediblog.web import forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.settings import frame

blueprint = Blueprint("invite_settings", __name__)

_USES = (("1", "One person"), ("5", "5 people"), ("25", "25 people"), ("", "Anybody who has the link"))
_DAYS = (("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("", "No end"))


@blueprint.get("/settings/invites")
async def listed() -> Response:
    """Those given out, and a form for another one."""
    return await _page(who.member().account, Filled(most_uses="1", days="7"))


@blueprint.post("/settings/invites")
async def create() -> Response:
    """Make one."""
    account, sent = who.member().account, submitted.form()
    filled = forms.typed(sent, "most_uses", "days")
    try:
        await invites.create(account, _limit(sent.text("most_uses")), _limit(sent.text("days")))
    except Invalid as error:
        filled.refuse(error)
        return await _page(account, filled)
    return frame.saved("invites")


@blueprint.post("/settings/invites/<int:invite_id>/revoke")
async def revoke(invite_id: int) -> Response:
    """Take one back."""
    await invites.revoke(who.member().account, invite_id)
    return frame.saved("invites")


async def _page(account: Account, filled: Filled) -> Response:
    given = [(invite, uris.absolute(f"/invite/{invite.code}")) for invite in await invites.listing(account)]
    return await frame.page("invites", filled=filled, given=given, uses=_USES, days=_DAYS)


def _limit(typed: str) -> int | None:
    """None for no limit. What is no number is over every limit, and refused as such."""
    if not typed:
        return None
    number = submitted.whole(typed)
    return number if number is not None else -1
