"""What may act for one, and taking that back."""

from quart import Blueprint, Response

from fediblog.services import tokens
from fediblog.web import answers, permissions, who
from fediblog.web.marks import even_when_full
from fediblog.web.settings import frame

blueprint = Blueprint("application_settings", __name__)


@blueprint.get("/settings/applications")
async def listed() -> Response:
    """All of them, the newest first."""
    lines = await tokens.listing(who.member().user)
    several = len({line.username for line in lines}) > 1
    told = [(line, permissions.told(line.scopes)) for line in lines]
    return await frame.page("applications", lines=told, several=several)


@blueprint.post("/settings/applications/<int:token_id>/revoke")
@even_when_full
async def revoke(token_id: int) -> Response:
    """Take one back."""
    await tokens.revoke_one(who.member().user, token_id)
    return answers.see_other("/settings/applications", done="app_revoked")
