"""Home, public and hashtag timelines."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms, rendering
from fediblog.api.auth import reads, scope
from fediblog.errors import Unauthenticated
from fediblog.paging import Page
from fediblog.services import settings, timelines
from fediblog.services.views import Listing

blueprint = Blueprint("timelines", __name__, url_prefix="/api/v1/timelines")


@blueprint.get("/home")
@scope("read:statuses")
async def home() -> Response:
    """GET /api/v1/timelines/home."""
    page = paging.parse(request.args)
    return await answer(await timelines.home(auth.account(), page), page)


@blueprint.get("/public")
@reads("read:statuses")
async def public() -> Response:
    """GET /api/v1/timelines/public: `local`, `remote`, `only_media`."""
    await _members_only()
    page = paging.parse(request.args)
    local, media = _flag("local"), _flag("only_media")
    return await answer(await timelines.public(auth.viewer(), page, local, media), page)


@blueprint.get("/tag/<name>")
@reads("read:statuses")
async def tag(name: str) -> Response:
    """GET /api/v1/timelines/tag/:hashtag; a tag never used is an empty list."""
    await _members_only()
    page = paging.parse(request.args)
    return await answer(await timelines.tag(name, auth.viewer(), page, _flag("local")), page)


async def answer(listing: Listing, page: Page) -> Response:
    """A page of statuses."""
    return answers.listing(await rendering.statuses(listing.entries, auth.viewer()), page, listing.cursors)


def _flag(name: str) -> bool:
    return forms.boolean(request.args.get(name))


async def _members_only() -> None:
    if auth.viewer() is None and (await settings.get()).members_only:
        raise Unauthenticated("This method requires an authenticated user")
