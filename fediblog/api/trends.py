"""What many talk about: hashtags, posts and pages, for everybody."""

from quart import Blueprint, Response

from fediblog.api import answers, auth, entities, forms, rendering, tags
from fediblog.api.auth import reads
from fediblog.services import trends
from fediblog.services.trends import Link

blueprint = Blueprint("trends", __name__, url_prefix="/api/v1/trends")

# No more than these are counted.
FURTHEST = 100


@blueprint.get("")
@reads("read:statuses")
async def oldest() -> Response:
    """GET /api/v1/trends: what `/tags` below it is called by old apps."""
    return await hashtags()


@blueprint.get("/tags")
@reads("read:statuses")
async def hashtags() -> Response:
    """GET /api/v1/trends/tags: `limit` of 10, at most 20, and `offset`."""
    await auth.members_only()
    found = await trends.hashtags(auth.viewer(), *forms.stretch(10, 20, FURTHEST))
    return answers.json([tags.entity(tag) for tag in found])


@blueprint.get("/statuses")
@reads("read:statuses")
async def statuses() -> Response:
    """GET /api/v1/trends/statuses: `limit` of 20, at most 40, and `offset`."""
    await auth.members_only()
    found = await trends.statuses(auth.viewer(), *forms.stretch(20, 40, FURTHEST))
    return answers.json(rendering.listing(await rendering.statuses(found, auth.viewer())))


@blueprint.get("/links")
@reads("read:statuses")
async def links() -> Response:
    """GET /api/v1/trends/links: `limit` of 10, at most 20, and `offset`."""
    await auth.members_only()
    found = await trends.links(*forms.stretch(10, 20, FURTHEST))
    return answers.json([entity(link) for link in found])


def entity(link: Link) -> entities.Json:
    """A Trends::Link: the card of a page and how many have linked to it on the last seven days."""
    return {**entities.preview(link.card), "history": tags.history(link.uses)}
