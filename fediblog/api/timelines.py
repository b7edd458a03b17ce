"""Home, public and hashtag timelines."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms
from fediblog.api.auth import reads, scope
from fediblog.services import timelines

blueprint = Blueprint("timelines", __name__, url_prefix="/api/v1/timelines")


@blueprint.get("/home")
@scope("read:statuses")
async def home() -> Response:
    """GET /api/v1/timelines/home."""
    page = paging.parse(request.args)
    return await answers.statuses(await timelines.home(auth.account(), page), page)


@blueprint.get("/public")
@reads("read:statuses")
async def public() -> Response:
    """GET /api/v1/timelines/public: `local`, `remote`, `only_media`."""
    await auth.members_only()
    page = paging.parse(request.args)
    return await answers.statuses(await timelines.public(auth.viewer(), page, **_switches()), page)


@blueprint.get("/tag/<name>")
@reads("read:statuses")
async def tag(name: str) -> Response:
    """GET /api/v1/timelines/tag/:hashtag: the same switches; a tag never used is an empty list."""
    await auth.members_only()
    page = paging.parse(request.args)
    return await answers.statuses(await timelines.tag(name, auth.viewer(), page, **_switches()), page)


@blueprint.get("/link")
@reads("read:statuses")
async def link() -> Response:
    """GET /api/v1/timelines/link: posts under which the page `url` is shown."""
    await auth.members_only()
    page = paging.parse(request.args)
    url = forms.text(request.args.get("url"))
    return await answers.statuses(await timelines.link(url, auth.viewer(), page), page)


def _switches() -> dict[str, bool]:
    return {
        "local": forms.asked("local"),
        "remote": forms.asked("remote"),
        "media": forms.asked("only_media"),
    }
