"""Activities of ours by their ids, for those whom they were meant for (FEDERATION §5)."""

import orjson
from quart import Blueprint, Response

from fediblog import uris
from fediblog.activitypub import askers, documents, serving
from fediblog.activitypub.vocabulary import PUBLICS
from fediblog.errors import NotFound
from fediblog.services import listed

blueprint = Blueprint("activities", __name__)


@blueprint.get("/ap/activities/<int:number>")
async def show(number: int) -> Response:
    """Whatever has no thing of its own to be named after."""
    return await _letter(uris.activity_uri(number))


@blueprint.get("/ap/likes/<int:number>")
async def like(number: int) -> Response:
    """A like, for the author of what is liked."""
    return await _letter(uris.like_uri(number))


@blueprint.get("/ap/blocks/<int:number>")
async def block(number: int) -> Response:
    """A block, for who is blocked."""
    return await _letter(uris.absolute(f"/ap/blocks/{number}"))


@blueprint.get("/ap/quotes/<int:number>/request")
async def quote_request(number: int) -> Response:
    """The question whether a post of ours may quote, for who is quoted."""
    return await _letter(uris.quote_request_uri(number))


@blueprint.get("/ap/follows/<int:number>")
async def follow(number: int) -> Response:
    """A follow, for who is followed: whoever follows lives here and asks nobody."""
    uri = uris.absolute(f"/ap/follows/{number}")
    found, asker = await listed.follow(uri), await askers.viewer()
    if found is None or asker is None or asker.id != found.target_id:
        raise NotFound
    return await serving.made(documents.follow(uri, found.follower, found.target))


async def _letter(uri: str) -> Response:
    """An activity that was sent. Raises NotFound for everybody whom it does not name, unless it is public.

    What is said of a post goes with the post, but for the word that it went.
    """
    letter = await listed.letter(uri)
    activity = orjson.loads(letter.body) if letter else {}
    if letter is None or not (letter.is_current or activity.get("type") == "Delete"):
        await askers.viewer()  # As dear as the other answer.
        raise NotFound
    addressed = {*activity.get("to", ()), *activity.get("cc", ())}
    if PUBLICS.isdisjoint(addressed):
        asker = await askers.viewer()
        if asker is None or asker.uri not in addressed:
            raise NotFound
    return await serving.document(_without_words(activity))


def _without_words(activity: documents.Document) -> bytes:
    """What an edit has taken back is not read here for weeks: of what an Update holds only the id stays."""
    thing = activity.get("object")
    if activity["type"] == "Update" and isinstance(thing, dict):
        activity["object"] = thing["id"]
    return orjson.dumps(activity)
