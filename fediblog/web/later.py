"""Posts for later: what waits for its time, and what could not be published when it came."""

from datetime import datetime

from quart import Blueprint, Response

from fediblog import moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.services import scheduled
from fediblog.services.scheduled import Scheduled
from fediblog.web import answers, pages, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full

blueprint = Blueprint("later", __name__)

_TYPED = "%Y-%m-%dT%H:%M"


@blueprint.get("/scheduled")
async def listed() -> Response:
    """All that wait, the last written first."""
    return await _page(Filled())


@blueprint.post("/scheduled/<int:scheduled_id>/move")
async def move(scheduled_id: int) -> Response:
    """Another moment for one of them."""
    typed = submitted.form().text("scheduled_at")
    found = await scheduled.get(_reader(), scheduled_id)
    try:
        await scheduled.move(_reader(), scheduled_id, _moment(typed))
    except Invalid as error:
        filled = Filled(scheduled_at=typed)
        filled.refuse(error)
        return await _page(filled, found)
    return answers.see_other("/scheduled", done="saved")


@blueprint.post("/scheduled/<int:scheduled_id>/delete")
@even_when_full
async def delete(scheduled_id: int) -> Response:
    """It will not be published."""
    await scheduled.cancel(_reader(), scheduled_id)
    return answers.see_other("/scheduled", done="cancelled")


async def _page(filled: Filled, asked: Scheduled | None = None) -> Response:
    """The list; or the one whose moment was refused, so that no other page of it hides the fault."""
    page = pages.asked()
    found = [asked] if asked else await scheduled.listing(_reader(), page)
    return await answers.form(
        "scheduled.html",
        filled,
        waiting=[(one, filled.value("scheduled_at") or _written(one.scheduled_at)) for one in found],
        alone=asked is not None,
        pages=pages.around(page, [] if asked else [one.id for one in found]),
    )


def _moment(typed: str) -> int:
    """What a browser sends for a day and a time. Raises Invalid for anything else."""
    try:
        return moments.of(datetime.fromisoformat(typed))
    except (ValueError, OverflowError):
        raise Invalid("Please give a day and a time.", "scheduled_at") from None


def _written(moment: int) -> str:
    return moments.when(moment).strftime(_TYPED)


def _reader() -> Account:
    return who.member().account
