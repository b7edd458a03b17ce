"""What many talk about, and who wants to be found."""

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.services import directory, relationships, trends
from fediblog.services.directory import Order
from fediblog.services.matching import Context
from fediblog.services.trending import Kind
from fediblog.web import answers, faces, lines, who
from fediblog.web.pages import Pages
from fediblog.web.timelines import must_be_open

blueprint = Blueprint("explore", __name__)

_POSTS, _THINGS, _PEOPLE = 40, 20, 40
_FURTHEST = 4_000
_TABS = (
    ("/explore", "Posts"),
    ("/explore/tags", "Hashtags"),
    ("/explore/links", "Links"),
    ("/explore/people", "People"),
)
_KINDS = {Kind.TAG: "Hashtags", Kind.LINK: "Links", Kind.POST: "Posts"}


@blueprint.get("/explore")
async def posts() -> Response:
    """Posts that many like and pass on."""
    await must_be_open()
    found = await trends.statuses(who.viewer(), _POSTS)
    return await answers.page(
        "timeline.html",
        title="Explore",
        tabs=_tabs("/explore"),
        lines=await lines.lines(found, who.viewer(), Context.PUBLIC),
        pages=Pages("", "", "", ""),
        feed="",
        empty="Nothing is talked about much right now.",
        picture="feather",
    )


@blueprint.get("/explore/tags")
async def hashtags() -> Response:
    """Hashtags that more people use than usually."""
    await must_be_open()
    found = await trends.hashtags(who.viewer(), _THINGS)
    tags = [(tag, uris.tag_path(tag.name), tag.uses[0].accounts + tag.uses[1].accounts) for tag in found]
    return await answers.page("explore.html", tabs=_tabs("/explore/tags"), tags=tags, links=())


@blueprint.get("/explore/links")
async def links() -> Response:
    """Pages that many link to."""
    await must_be_open()
    found = await trends.links(_THINGS)
    shown = [(link.card, sum(use.accounts for use in link.uses)) for link in found]
    return await answers.page("explore.html", tabs=_tabs("/explore/links"), tags=(), links=shown)


@blueprint.get("/explore/people")
async def people() -> Response:
    """Who lives here and wants to be found, those who wrote last first."""
    await must_be_open()
    viewer, offset = who.viewer(), _offset()
    found = await directory.listing(viewer, Order.ACTIVE, True, _PEOPLE, offset)
    return await answers.page(
        "people.html",
        title="Explore",
        back="",
        tabs=_tabs("/explore/people"),
        faces=await faces.faces(found),
        relations=await relationships.between(viewer, found) if viewer else {},
        pages=_around(offset, len(found)),
        empty="Nobody has written anything yet.",
        original="",
    )


@blueprint.get("/admin/trends")
async def waiting() -> Response:
    """What the staff has not looked at, and what it has said of the rest."""
    who.staff()
    standing = {kind: await trends.standing(kind) for kind in _KINDS}
    return await answers.page("trends.html", kinds=[(kind, _KINDS[kind], standing[kind]) for kind in _KINDS])


@blueprint.post("/admin/trends/<any(tag, link, post):kind>/<int:subject_id>/<any(allow, refuse):said>")
async def review(kind: str, subject_id: int, said: str) -> Response:
    """Let one pass, or keep it from being shown."""
    await trends.review(Kind(kind), subject_id, said == "allow", who.staff().user)
    return answers.see_other("/admin/trends", done="saved")


def _tabs(path: str) -> tuple[tuple[str, str, bool], ...]:
    return tuple((address, label, address == path) for address, label in _TABS)


def _offset() -> int:
    text = request.args.get("offset", "")
    return min(int(text), _FURTHEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _around(offset: int, found: int) -> Pages:
    newer = f"?offset={max(0, offset - _PEOPLE)}" if offset else ""
    older = f"?offset={offset + _PEOPLE}" if found == _PEOPLE else ""
    return Pages(newer, older, "Previous people", "More people")
