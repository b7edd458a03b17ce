"""Searching: people, hashtags and posts that we know, and what an address or a whole handle names."""

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.activitypub import resolver
from fediblog.errors import FediblogError, Invalid, NotFound
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services import posts, relationships, search
from fediblog.services.views import Listing
from fediblog.web import answers, faces, lines, who

blueprint = Blueprint("search", __name__)

_MOST = 20
_NO_POSTS = Listing([], [])


@blueprint.get("/search")
async def find() -> Response:
    """What was typed, and what it found. Only members can have other servers asked."""
    typed, viewer = request.args.get("q", "").strip(), who.viewer()
    if len(typed) > search.LONGEST:
        raise Invalid(f"Search for {search.LONGEST} characters at most.")
    named, excuse = await _named(typed, viewer)
    if isinstance(named, Post):
        return answers.see_other(await _page_of(named))
    people = [named.id] if named else []
    people += await search.accounts(typed, viewer, _MOST)
    found = await search.posts(typed, viewer, Page(limit=_MOST)) if viewer else _NO_POSTS
    return await answers.page(
        "search.html",
        typed=typed,
        excuse="" if people else excuse,
        lines=await lines.lines(found.entries, viewer),
        faces=await faces.faces(list(dict.fromkeys(people))),
        relations=await relationships.between(viewer, people) if viewer else {},
        tags=[(tag.name, uris.tag_path(tag.name)) for tag in await search.hashtags(typed, viewer, _MOST)],
    )


@blueprint.get("/authorize_interaction")
async def interact() -> Response:
    """Where other servers send people of ours who want to follow or answer something there."""
    member = who.member().account
    typed = request.args.get("uri", "").strip()
    found = await resolver.find(typed.removeprefix("acct:"), member) if typed else None
    if found is None:
        raise NotFound
    if isinstance(found, Account):
        return answers.see_other(faces.face_of(found).href)
    return answers.see_other(await _page_of(found))


async def _named(typed: str, viewer: Account | None) -> tuple[Account | Post | None, str]:
    """The one thing that is named, or why it was not to be had."""
    if viewer is None or not _names_one(typed):
        return None, ""
    try:
        return await resolver.find(typed, viewer), ""
    except FediblogError as error:
        return None, error.message


def _names_one(typed: str) -> bool:
    return "://" in typed or "@" in typed.removeprefix("@")


async def _page_of(post: Post) -> str:
    shown = await posts.original(post.id, who.viewer())
    return (await lines.of(shown.id, who.viewer())).href
