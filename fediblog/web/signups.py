"""Those who wait to be let in, for the staff."""

from quart import Blueprint, Response

from fediblog.services import signups
from fediblog.web import answers, faces, who

blueprint = Blueprint("signups", __name__)


@blueprint.get("/admin/signups")
async def waiting() -> Response:
    """Who they are and what they say."""
    who.staff()
    applicants = await signups.waiting()
    people = [(one.user, faces.face_of(one.account)) for one in applicants]
    return await answers.page("signups.html", people=people)


@blueprint.post("/admin/signups/<int:user_id>/approve")
async def approve(user_id: int) -> Response:
    """Let them in."""
    await signups.approve(user_id, who.staff().user)
    return answers.see_other("/admin/signups", done="approved")


@blueprint.post("/admin/signups/<int:user_id>/reject")
async def reject(user_id: int) -> Response:
    """Send them away."""
    await signups.reject(user_id, who.staff().user)
    return answers.see_other("/admin/signups", done="rejected")
