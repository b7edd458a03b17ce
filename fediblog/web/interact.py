"""The way for people of other servers to follow or answer somebody here: on to their own server."""

from urllib.parse import urlsplit

from quart import Blueprint, Response

from fediblog.activitypub import interactions
from fediblog.config import settings
from fediblog.errors import FediblogError, NotFound
from fediblog.models import Account, Post
from fediblog.services import accounts, posts, throttle
from fediblog.web import answers, faces, forms, lines, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import for_visitors

blueprint = Blueprint("interact", __name__)

# Each try asks another server for a stranger.
_MOST, _SECONDS = 10, 600


@blueprint.get("/interact/<int:number>")
async def ask(number: int) -> Response:
    """Which server is yours? `number` is a post's or an account's."""
    thing = await _find(number)
    if who.viewer() is not None:
        return answers.see_other(await _path(thing))
    return await _page(thing, Filled())


@blueprint.post("/interact/<int:number>")
@for_visitors
async def lead(number: int) -> Response:
    """The way there, as a link: a form must not lead to other servers (SECURITY §5)."""
    thing = await _find(number)
    filled = forms.typed(submitted.form(), "handle")
    way = ""
    try:
        await throttle.hit(throttle.bucket("interact", throttle.network(who.address())), _MOST, _SECONDS)
        way = await interactions.address(filled.value("handle"), thing.uri)
    except FediblogError as error:
        filled.refuse(error)
    return await _page(thing, filled, way)


async def _find(number: int) -> Post | Account:
    """What is meant: something of ours that everybody may see. Raises NotFound."""
    try:
        thing: Post | Account = await posts.original(number, None)
    except NotFound:
        thing = await accounts.get(number)
    if not thing.local or (isinstance(thing, Account) and thing.suspended_at is not None):
        raise NotFound
    return thing


async def _path(thing: Post | Account) -> str:
    if isinstance(thing, Account):
        return faces.face_of(thing).href
    return (await lines.of(thing.id, who.viewer())).href


async def _page(thing: Post | Account, filled: Filled, way: str = "") -> Response:
    author = thing if isinstance(thing, Account) else await accounts.get(thing.author_id)
    return await answers.form(
        "interact.html",
        filled,
        face=faces.face_of(author),
        back=await _path(thing),
        post=isinstance(thing, Post),
        number=thing.id,
        address=thing.uri if isinstance(thing, Post) else f"@{author.username}@{settings().domain}",
        way=way,
        host=urlsplit(way).netloc,
    )
