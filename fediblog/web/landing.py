"""The front door: what this server is, for those who do not know it yet."""

from quart import Blueprint, Response

from fediblog.paging import Page
from fediblog.services import settings, timelines
from fediblog.services.views import Listing
from fediblog.web import answers, lines, who

blueprint = Blueprint("landing", __name__)

_POSTS = 10


@blueprint.get("/")
async def landing() -> Response:
    """The start page of a visitor. Who is signed in has a home."""
    if who.session() is not None:
        return answers.see_other("/home")
    site = await settings.get()
    nothing = Listing([], [])
    newest = nothing if site.members_only else await timelines.public(None, Page(_POSTS), local=True)
    return await answers.page(
        "landing.html", rules=await settings.rules(), lines=await lines.lines(newest.entries, None)
    )
