"""One's own profile: as the one who edits it sees it, and its pictures taken away."""

from quart import Blueprint, Response

from fediblog import uris
from fediblog.api import accounts as people
from fediblog.api import answers, auth, entities
from fediblog.api.auth import scope
from fediblog.models import Account
from fediblog.services import accounts

blueprint = Blueprint("profile_api", __name__, url_prefix="/api/v1/profile")


@blueprint.get("")
@scope("profile")
async def show() -> Response:
    """GET /api/v1/profile: the texts as they were typed."""
    return answers.json(_entity(auth.account()))


@blueprint.patch("")
@scope("write:accounts")
async def edit() -> Response:
    """PATCH /api/v1/profile: the parameters of update_credentials."""
    return answers.json(_entity(await people.update()))


@blueprint.delete("/avatar")
@scope("write:accounts")
async def remove_avatar() -> Response:
    """DELETE /api/v1/profile/avatar."""
    return await people.credentials(await accounts.remove_avatar(auth.account()))


@blueprint.delete("/header")
@scope("write:accounts")
async def remove_header() -> Response:
    """DELETE /api/v1/profile/header."""
    return await people.credentials(await accounts.remove_header(auth.account()))


def _entity(owner: Account) -> entities.Json:
    avatar = uris.shown("avatars", owner.id, owner.avatar, "")
    header = uris.shown("headers", owner.id, owner.header, "")
    return {
        "id": str(owner.id),
        "display_name": owner.display_name,
        "note": owner.note_source,
        "fields": [{**entities.account_field(field), "value": field["source"]} for field in owner.fields_],
        # Unlike elsewhere none is null here: whoever edits must know that there is none.
        "avatar": uris.avatar(avatar) if avatar else None,
        "avatar_static": uris.avatar(avatar) if avatar else None,
        "avatar_description": "",
        "header": uris.header(header) if header else None,
        "header_static": uris.header(header) if header else None,
        "header_description": "",
        "locked": owner.locked,
        "bot": owner.actor_type == "Service",
        "hide_collections": owner.hide_collections,
        "discoverable": owner.discoverable,
        "indexable": owner.indexable,
        "show_media": True,
        "show_media_replies": True,
        "show_featured": True,
        "attribution_domains": [],
    }
