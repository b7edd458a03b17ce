"""What the staff tells everybody. Reactions to it there are none here, so that list is empty."""

from quart import Blueprint, Response

from fediblog import moments, uris
from fediblog.api import answers, auth, entities
from fediblog.api.auth import scope
from fediblog.services import announcements
from fediblog.services.announcements import Announcement

blueprint = Blueprint("announcements_api", __name__, url_prefix="/api/v1/announcements")


@blueprint.get("")
@scope("read:accounts")
async def listing() -> Response:
    """GET /api/v1/announcements."""
    return answers.json([_entity(found) for found in await announcements.listing(auth.account())])


@blueprint.post("/<int:announcement_id>/dismiss")
@scope("write:accounts")
async def dismiss(announcement_id: int) -> Response:
    """POST /api/v1/announcements/:id/dismiss."""
    await announcements.dismiss(auth.account(), announcement_id)
    return answers.json({})


def _entity(found: Announcement) -> entities.Json:
    return {
        "id": str(found.id),
        "content": found.html,
        "starts_at": moments.iso(found.starts_at) if found.starts_at else None,
        "ends_at": moments.iso(found.ends_at) if found.ends_at else None,
        "all_day": found.all_day,
        "published_at": moments.iso(found.published_at),
        "updated_at": moments.iso(found.updated_at),
        "read": found.read,
        "mentions": [],
        "statuses": [],
        "tags": [{"name": name.lower(), "url": uris.tag_page(name)} for name in found.hashtags],
        "emojis": [],
        "reactions": [],
    }
