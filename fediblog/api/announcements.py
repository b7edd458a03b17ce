"""What the staff tells everybody, and how people react to it."""

from quart import Blueprint, Response

from fediblog import moments, uris
from fediblog.api import answers, auth, entities
from fediblog.api.auth import scope
from fediblog.services import announcements
from fediblog.services.announcements import Announcement, Reaction

blueprint = Blueprint("announcements_api", __name__, url_prefix="/api/v1/announcements")


@blueprint.get("")
@scope("read:accounts")
async def listing() -> Response:
    """GET /api/v1/announcements."""
    return answers.json([entity(found) for found in await announcements.listing(auth.account())])


@blueprint.post("/<int:announcement_id>/dismiss")
@scope("write:accounts")
async def dismiss(announcement_id: int) -> Response:
    """POST /api/v1/announcements/:id/dismiss."""
    await announcements.dismiss(auth.account(), announcement_id)
    return answers.json({})


@blueprint.put("/<int:announcement_id>/reactions/<name>")
@scope("write:favourites")
async def react(announcement_id: int, name: str) -> Response:
    """PUT /api/v1/announcements/:id/reactions/:name: an emoji, or the name of one of this server."""
    await announcements.react(auth.account(), announcement_id, name)
    return answers.json({})


@blueprint.delete("/<int:announcement_id>/reactions/<name>")
@scope("write:favourites")
async def unreact(announcement_id: int, name: str) -> Response:
    """DELETE /api/v1/announcements/:id/reactions/:name."""
    await announcements.unreact(auth.account(), announcement_id, name)
    return answers.json({})


def entity(found: Announcement) -> entities.Json:
    """An Announcement."""
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
        "reactions": [_reaction(reaction) for reaction in found.reactions],
    }


def counted(number: int, name: str, found: Announcement) -> entities.Json:
    """What a stream tells of a reaction: how many there are now."""
    counts = {reaction.name: reaction.times for reaction in found.reactions}
    return {"name": name, "count": counts.get(name, 0), "announcement_id": str(number)}


def _reaction(found: Reaction) -> entities.Json:
    """An Announcement::Reaction; only a custom emoji has a picture."""
    picture = (
        {"url": uris.absolute(found.path), "static_url": uris.absolute(found.path)} if found.path else {}
    )
    return {"name": found.name, "count": found.times, "me": found.mine, **picture}
