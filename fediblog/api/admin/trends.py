"""What many talk about as the staff sees it: also what nobody is shown yet, to let it pass or not."""

from collections.abc import Awaitable, Callable, Mapping

from quart import Blueprint, Response

from fediblog.api import answers, auth, forms, rendering
from fediblog.api import tags as tags_door
from fediblog.api import trends as door
from fediblog.api.admin.entrance import staff
from fediblog.api.entities import Json, dump
from fediblog.errors import NotFound
from fediblog.services import tags, trends
from fediblog.services.trending import Kind

blueprint = Blueprint("admin_trends_api", __name__, url_prefix="/api/v1/admin/trends")

# By their ids, the best first: what the staff has said of each, None for nothing.
Said = Mapping[int, bool | None]


@blueprint.get("/tags")
@staff("admin:read")
async def hashtags() -> Response:
    """GET /api/v1/admin/trends/tags: `limit` of 10, at most 20, and `offset`."""
    return await _listing(Kind.TAG, 10, 20)


@blueprint.get("/statuses")
@staff("admin:read")
async def statuses() -> Response:
    """GET /api/v1/admin/trends/statuses: `limit` of 20, at most 40, and `offset`."""
    return await _listing(Kind.POST, 20, 40)


@blueprint.get("/links")
@staff("admin:read")
async def links() -> Response:
    """GET /api/v1/admin/trends/links: `limit` of 10, at most 20, and `offset`."""
    return await _listing(Kind.LINK, 10, 20)


@blueprint.post("/tags/<int:tag_id>/approve")
@staff("admin:write")
async def approve_tag(tag_id: int) -> Response:
    """POST /api/v1/admin/trends/tags/:id/approve."""
    return await _reviewed(Kind.TAG, tag_id, allowed=True)


@blueprint.post("/tags/<int:tag_id>/reject")
@staff("admin:write")
async def reject_tag(tag_id: int) -> Response:
    """POST /api/v1/admin/trends/tags/:id/reject."""
    return await _reviewed(Kind.TAG, tag_id, allowed=False)


@blueprint.post("/statuses/<int:post_id>/approve")
@staff("admin:write")
async def approve_status(post_id: int) -> Response:
    """POST /api/v1/admin/trends/statuses/:id/approve."""
    return await _reviewed(Kind.POST, post_id, allowed=True)


@blueprint.post("/statuses/<int:post_id>/reject")
@staff("admin:write")
async def reject_status(post_id: int) -> Response:
    """POST /api/v1/admin/trends/statuses/:id/reject."""
    return await _reviewed(Kind.POST, post_id, allowed=False)


@blueprint.post("/links/<int:link_id>/approve")
@staff("admin:write")
async def approve_link(link_id: int) -> Response:
    """POST /api/v1/admin/trends/links/:id/approve."""
    return await _reviewed(Kind.LINK, link_id, allowed=True)


@blueprint.post("/links/<int:link_id>/reject")
@staff("admin:write")
async def reject_link(link_id: int) -> Response:
    """POST /api/v1/admin/trends/links/:id/reject."""
    return await _reviewed(Kind.LINK, link_id, allowed=False)


async def _listing(kind: Kind, usual: int, most: int) -> Response:
    limit, offset = forms.stretch(usual, most, door.FURTHEST)
    found = await trends.standing(kind, limit=limit, offset=offset)
    return answers.json(rendering.listing(await _RENDER[kind]({one.id: one.allowed for one in found})))


async def _reviewed(kind: Kind, number: int, allowed: bool) -> Response:
    """Say it, and show what it was said of. Raises NotFound for what is no trend or not there any more."""
    shown = await _RENDER[kind]({number: allowed})
    if not shown:
        raise NotFound
    await trends.review(kind, number, allowed, auth.user())
    return answers.json(shown[0])


async def _tags(said: Said) -> list[bytes]:
    """Admin::Trends::Tag entities. No hashtag of ours is one that cannot be used."""
    return [
        dump(
            {
                **tags_door.entity(tag),
                "trendable": trends.passes(said[tag.id]),
                "usable": True,
                **_review(said[tag.id]),
            }
        )
        for tag in await tags.several(list(said), auth.account())
    ]


async def _statuses(said: Said) -> list[bytes]:
    entries = await trends.candidates(list(said), auth.account())
    shown = await rendering.by_id(entries, auth.account())
    return [line[:-1] + b"," + dump(_review(said[number]))[1:] for number, line in shown.items()]


async def _links(said: Said) -> list[bytes]:
    return [
        dump({"id": str(link.card.id), **door.entity(link), **_review(said[link.card.id])})
        for link in await trends.described(list(said))
    ]


def _review(said: bool | None) -> Json:
    return {"requires_review": said is None}


_RENDER: Mapping[Kind, Callable[[Said], Awaitable[list[bytes]]]] = {
    Kind.TAG: _tags,
    Kind.POST: _statuses,
    Kind.LINK: _links,
}
