"""Lists of posts: home, this server, everybody, a hashtag, and what the reader keeps."""

from typing import Any

from quart import Blueprint, Response

from fediblog import text, uris
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import settings, timelines
from fediblog.services.matching import Context
from fediblog.services.views import Listing
from fediblog.web import answers, drafts, lines, pages, who

blueprint = Blueprint("timelines", __name__)

_LONGEST_TAG = 200


@blueprint.get("/home")
async def home() -> Response:
    """What those whom the reader follows wrote, and a form to write oneself."""
    session = who.member()
    page = pages.asked()
    listing = await timelines.home(session.account, page)
    fresh = not listing.entries and page == Page(page.limit)
    place = Context.PUBLIC if fresh else Context.HOME
    if fresh:
        listing = await timelines.public(session.account, page, local=True)
    writing = drafts.fresh(session.user)
    writing.return_to = "/home"
    return await answers.page(
        "home.html",
        writing=writing,
        lines=lines.together(await lines.lines(listing.entries, session.account, place)),
        pages=pages.around(page, () if fresh else listing.cursors),
        fresh=fresh,
    )


@blueprint.get("/public")
async def public() -> Response:
    """Public posts from everywhere."""
    return await _public("Everywhere", local=False)


@blueprint.get("/public/local")
async def local() -> Response:
    """Public posts from here."""
    return await _public("This server", local=True)


@blueprint.get("/tags/<name>")
async def tag(name: str) -> Response:
    """Public posts with a hashtag."""
    await must_be_open()
    shown = text.tidy(name).lstrip("#")
    if not shown or len(shown) > _LONGEST_TAG:
        raise NotFound
    page = pages.asked()
    listing = await timelines.tag(shown, who.viewer(), page)
    return await _listed(
        "timeline.html",
        listing,
        page,
        Context.PUBLIC,
        title=f"#{shown}",
        tabs=(),
        feed=f"{uris.tag_path(shown)}.rss",
        empty=f"Nobody has used #{shown} in a public post yet.",
        picture="hash",
    )


@blueprint.get("/bookmarks")
async def bookmarks() -> Response:
    """What the reader keeps."""
    page = pages.asked()
    listing = await timelines.bookmarks(_reader(), page)
    return await _listed(
        "timeline.html",
        listing,
        page,
        None,
        title="Bookmarks",
        tabs=(),
        feed="",
        empty="What you bookmark is kept here. Nobody else sees it.",
        picture="bookmark",
    )


@blueprint.get("/favourites")
async def favourites() -> Response:
    """What the reader likes."""
    page = pages.asked()
    listing = await timelines.likes(_reader(), page)
    return await _listed(
        "timeline.html",
        listing,
        page,
        None,
        title="Favourites",
        tabs=(),
        feed="",
        empty="Posts that you favourite are kept here.",
        picture="star",
    )


async def must_be_open() -> None:
    """Where the timelines are for members only, visitors are asked to sign in."""
    if (await settings.get()).members_only:
        who.member()


async def _public(title: str, local: bool) -> Response:
    await must_be_open()
    page = pages.asked()
    listing = await timelines.public(who.viewer(), page, local=local)
    return await _listed(
        "timeline.html",
        listing,
        page,
        Context.PUBLIC,
        title=title,
        tabs=(("/public/local", "This server", local), ("/public", "Everywhere", not local)),
        feed="",
        empty="Nobody has written anything public yet.",
        picture="feather",
    )


async def _listed(
    template: str, listing: Listing, page: Page, place: Context | None, **values: Any
) -> Response:
    """What one keeps is in no place where filters work."""
    return await answers.page(
        template,
        lines=await lines.lines(listing.entries, who.viewer(), place),
        pages=pages.around(page, listing.cursors),
        **values,
    )


def _reader() -> Account:
    return who.member().account
