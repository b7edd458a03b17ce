"""Where one is signed in, and signing out there."""

from quart import Blueprint, Response

from fediblog.services import sessions
from fediblog.web import answers, who
from fediblog.web.marks import even_when_full
from fediblog.web.settings import frame

blueprint = Blueprint("session_settings", __name__)

_BROWSERS = ("Firefox", "Edg", "OPR", "Chrome", "Safari", "curl")
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_PROPER = {"Edg": "Edge", "OPR": "Opera", "Chrome": "Chromium or Chrome"}


@blueprint.get("/settings/sessions")
async def listed() -> Response:
    """All of them, the last used first."""
    session = who.member()
    lines = [(line, browser(line.agent)) for line in await sessions.list(session.user)]
    return await frame.page("sessions", lines=lines, current=session.id)


@blueprint.post("/settings/sessions/<int:session_id>/revoke")
@even_when_full
async def revoke(session_id: int) -> Response:
    """End one."""
    await sessions.revoke(who.member().user, session_id)
    return frame.saved("sessions")


@blueprint.post("/settings/sessions/revoke_others")
@even_when_full
async def revoke_others() -> Response:
    """End all but this one."""
    session = who.member()
    await sessions.revoke_all(session.user, but=session.id)
    return answers.see_other("/settings/sessions", done="sessions")


def browser(agent: str) -> str:
    """`Firefox on Linux`, from what the browser says of itself."""
    name = next((_PROPER.get(word, word) for word in _BROWSERS if word in agent), "")
    system = next((name for word, name in _SYSTEMS if word in agent), "")
    return " on ".join(part for part in (name, system) if part) or "An unknown program"
