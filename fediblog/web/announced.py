"""What the staff tells everybody here."""

from quart import Blueprint, Response

from fediblog.models import Account
from fediblog.services import announcements
from fediblog.web import answers, who
from fediblog.web.marks import even_when_full

blueprint = Blueprint("announced", __name__)


@blueprint.get("/announcements")
async def listed() -> Response:
    """All that hold now: the newest first, those that were put away last."""
    found = await announcements.listing(_reader())
    found.sort(key=lambda one: (one.read, -one.published_at, -one.id))
    return await answers.page("announcements.html", told=found)


@blueprint.post("/announcements/<int:announcement_id>/dismiss")
@even_when_full
async def dismiss(announcement_id: int) -> Response:
    """Put one away."""
    await announcements.dismiss(_reader(), announcement_id)
    return answers.see_other("/announcements")


def _reader() -> Account:
    return who.member().account
