"""Hashtags: following them, and showing them on one's page."""

from collections.abc import Iterable

from quart import Blueprint, Response, request

from fediblog import moments, paging, uris
from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import reads, scope
from fediblog.services import accounts, featured_tags, tags
from fediblog.services.featured_tags import Featured
from fediblog.services.tags import Tag
from fediblog.services.uses import Use

blueprint = Blueprint("tags_api", __name__, url_prefix="/api/v1")

# A name that ends with a slash is none: nobody is led on to another one.
_AS_SENT = {"merge_slashes": False}


@blueprint.get("/tags/<name>")
@reads("read:follows")
async def show(name: str) -> Response:
    """GET /api/v1/tags/:name."""
    return _answer(await tags.get(name, auth.viewer()))


@blueprint.post("/tags/<name>/follow", **_AS_SENT)
@scope("write:follows")
async def follow(name: str) -> Response:
    """POST /api/v1/tags/:name/follow: its posts come onto one's home from now on."""
    return _answer(await tags.follow(auth.account(), name))


@blueprint.post("/tags/<name>/unfollow", **_AS_SENT)
@scope("write:follows")
async def unfollow(name: str) -> Response:
    """POST /api/v1/tags/:name/unfollow."""
    return _answer(await tags.unfollow(auth.account(), name))


@blueprint.post("/tags/<name>/feature", **_AS_SENT)
@scope("write:accounts")
async def feature(name: str) -> Response:
    """POST /api/v1/tags/:id/feature, which is a name too."""
    await featured_tags.feature(auth.account(), tags.tidy(name))
    return _answer(await tags.get(name, auth.account()))


@blueprint.post("/tags/<name>/unfeature", **_AS_SENT)
@scope("write:accounts")
async def unfeature(name: str) -> Response:
    """POST /api/v1/tags/:id/unfeature."""
    await featured_tags.unfeature(auth.account(), name)
    return _answer(await tags.get(name, auth.account()))


@blueprint.get("/followed_tags")
@scope("read:follows")
async def followed() -> Response:
    """GET /api/v1/followed_tags."""
    page = paging.parse(request.args, 100, 200)
    found = await tags.followed(auth.account(), page)
    return answers.listing((entities.dump(entity(tag)) for tag in found.tags), page, found.cursors)


@blueprint.get("/featured_tags")
@scope("read:accounts")
async def featured() -> Response:
    """GET /api/v1/featured_tags: one's own."""
    found = await featured_tags.listing(auth.account(), auth.account())
    return answers.json([_featured(tag) for tag in found])


@blueprint.post("/featured_tags")
@scope("write:accounts")
async def add() -> Response:
    """POST /api/v1/featured_tags: `name`."""
    given = await forms.parameters()
    return answers.json(_featured(await featured_tags.feature(auth.account(), forms.text(given.get("name")))))


@blueprint.delete("/featured_tags/<int:featured_id>")
@scope("write:accounts")
async def remove(featured_id: int) -> Response:
    """DELETE /api/v1/featured_tags/:id."""
    await featured_tags.remove(auth.account(), featured_id)
    return answers.json({})


@blueprint.get("/featured_tags/suggestions")
@scope("read:accounts")
async def suggestions() -> Response:
    """GET /api/v1/featured_tags/suggestions."""
    return answers.json([entity(tag) for tag in await featured_tags.suggestions(auth.account())])


@blueprint.get("/accounts/<int:account_id>/featured_tags")
@reads("read:accounts")
async def featured_by(account_id: int) -> Response:
    """GET /api/v1/accounts/:id/featured_tags."""
    owner = await accounts.get(account_id)
    return answers.json([_featured(tag) for tag in await featured_tags.listing(owner, auth.viewer())])


def _answer(found: Tag) -> Response:
    return answers.json(entity(found))


def entity(found: Tag) -> entities.Json:
    """A Tag, with what the caller has to do with it when there is one."""
    shown: entities.Json = {
        "id": str(found.id),
        "name": found.name,
        "url": uris.tag_page(found.name),
        "history": history(found.uses),
    }
    if auth.viewer() is not None:
        shown |= {"following": found.following, "featuring": found.featuring}
    return shown


def history(uses: Iterable[Use]) -> list[entities.Json]:
    """Days with their numbers, which are texts here."""
    return [
        {
            "day": str(moments.day_start(use.day) // moments.SECOND),
            "uses": str(use.posts),
            "accounts": str(use.accounts),
        }
        for use in uses
    ]


def _featured(found: Featured) -> entities.Json:
    return {
        "id": str(found.id),
        "name": found.name,
        "url": uris.tag_page(found.name),
        # Old apps read a number here, new ones a text; Mastodon sends the text.
        "statuses_count": str(found.posts),
        "last_status_at": moments.iso_day(found.last_post_at) if found.last_post_at else None,
    }
