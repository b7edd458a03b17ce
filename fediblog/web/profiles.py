"""Accounts: their page, whom they follow and who follows them, and what may be done about them."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from fediblog import moments
from fediblog.activitypub import resolver
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import accounts, blocks, follows, mutes, relationships, timelines, views
from fediblog.services.matching import Context
from fediblog.services.people import People
from fediblog.services.relationships import Relationship
from fediblog.services.views import Listing
from fediblog.web import answers, faces, lines, pages, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full

blueprint = Blueprint("profiles", __name__)

_NOTHING = Listing([], [])
_MUTES = (
    ("0", "Until I unmute them"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
)


@blueprint.get("/@<handle:name>")
async def posts(name: str) -> Response:
    """Posts and boosts, the pinned ones on top. Somebody whom nobody here knows yet can be looked up."""
    try:
        owner = await find(name)
    except NotFound:
        if "@" not in name or who.viewer() is None:
            raise
        return answers.see_other(f"/search?{urlencode({'q': '@' + name})}")
    page = pages.asked()
    listing = await timelines.account(owner, who.viewer(), page, replies=False)
    top, fetching = _NOTHING, False
    if page == Page(page.limit):
        top = await timelines.pinned(owner, who.viewer())
        fetching = who.viewer() is not None and await resolver.look_around(owner)
    return await _profile(owner, "posts", page, listing, top, fetching)


@blueprint.get("/@<handle:name>/with_replies")
async def with_replies(name: str) -> Response:
    """Everything."""
    owner = await find(name)
    page = pages.asked()
    return await _profile(owner, "replies", page, await timelines.account(owner, who.viewer(), page))


@blueprint.get("/@<handle:name>/media")
async def media(name: str) -> Response:
    """Posts with pictures, films and sounds."""
    owner = await find(name)
    page = pages.asked()
    listing = await timelines.account(owner, who.viewer(), page, boosts=False, media=True)
    return await _profile(owner, "media", page, listing)


@blueprint.get("/@<handle:name>/followers")
async def followers(name: str) -> Response:
    """Who follows them."""
    owner = await find(name)
    page = pages.asked(40, 80)
    return await _people(owner, "followers", page, await follows.followers(owner, who.viewer(), page))


@blueprint.get("/@<handle:name>/following")
async def following(name: str) -> Response:
    """Whom they follow."""
    owner = await find(name)
    page = pages.asked(40, 80)
    return await _people(owner, "following", page, await follows.following(owner, who.viewer(), page))


async def find(name: str) -> Account:
    """The account of a page. Raises NotFound, also for those who are suspended."""
    account = await accounts.lookup(name)
    if account.suspended_at is not None:
        raise NotFound
    return account


# --------------------------------------------------------------------------------------------------- acts


@blueprint.post("/@<handle:name>/follow")
async def follow(name: str) -> Response:
    """Follow, or ask to."""
    account, target = await _act(name)
    await follows.follow(account, target)
    return answers.back(_page_of(target))


@blueprint.post("/@<handle:name>/unfollow")
async def unfollow(name: str) -> Response:
    """End that, or withdraw the request."""
    account, target = await _act(name)
    await follows.unfollow(account, target)
    return answers.back(_page_of(target))


@blueprint.post("/@<handle:name>/boosts")
async def show_boosts(name: str) -> Response:
    """See their boosts at home, or not: what the button says."""
    account, target = await _act(name)
    await follows.follow(account, target, show_boosts=submitted.form().flag("show"))
    return answers.back(_page_of(target))


@blueprint.post("/@<handle:name>/notify")
async def notify(name: str) -> Response:
    """Hear of each of their posts, or not."""
    account, target = await _act(name)
    await follows.follow(account, target, notify=submitted.form().flag("notify"))
    return answers.back(_page_of(target))


@blueprint.post("/@<handle:name>/remove_follower")
@even_when_full
async def remove_follower(name: str) -> Response:
    """Let them follow no longer."""
    account, target = await _act(name)
    await follows.remove_follower(account, target.id)
    return answers.back(_page_of(target))


@blueprint.get("/@<handle:name>/mute")
async def ask_to_mute(name: str) -> Response:
    """For how long, and how much."""
    _, target = await _act(name)
    values = Filled(seconds="0", notifications="1")
    return await answers.page("mute.html", target=faces.face_of(target), filled=values, spans=_MUTES)


@blueprint.post("/@<handle:name>/mute")
@even_when_full
async def mute(name: str) -> Response:
    """See no more of them, without their noticing."""
    account, target = await _act(name)
    form = submitted.form()
    seconds = form.number("seconds")
    if seconds is None:
        raise Invalid("Choose for how long.")
    await mutes.mute(account, target, form.flag("notifications"), seconds)
    return answers.see_other(_page_of(target))


@blueprint.post("/@<handle:name>/unmute")
async def unmute(name: str) -> Response:
    """See them again."""
    account, target = await _act(name)
    await mutes.unmute(account, target)
    return answers.back(_page_of(target))


@blueprint.get("/@<handle:name>/block")
async def ask_to_block(name: str) -> Response:
    """Whether one is sure."""
    _, target = await _act(name)
    return await answers.page("block.html", target=faces.face_of(target))


@blueprint.post("/@<handle:name>/block")
@even_when_full
async def block(name: str) -> Response:
    """Have nothing to do with them any more."""
    account, target = await _act(name)
    await blocks.block(account, target)
    return answers.see_other(_page_of(target))


@blueprint.post("/@<handle:name>/unblock")
async def unblock(name: str) -> Response:
    """Take that back."""
    account, target = await _act(name)
    await blocks.unblock(account, target)
    return answers.back(_page_of(target))


async def _act(name: str) -> tuple[Account, Account]:
    return who.member().account, await find(name)


def _page_of(account: Account) -> str:
    return faces.face_of(account).href


# -------------------------------------------------------------------------------------------------- pages


async def _profile(
    owner: Account,
    tab: str,
    page: Page,
    listing: Listing,
    pinned: Listing = _NOTHING,
    fetching: bool = False,
) -> Response:
    viewer = who.viewer()
    if viewer is None and not owner.local:
        return answers.elsewhere(owner.url or owner.uri)
    away = _canonical(owner)
    if away:
        return answers.see_other(away)
    pins = {entry.post_id for entry in pinned.entries}
    rest = [entry for entry in listing.entries if entry.is_boost or entry.post_id not in pins]
    return await answers.page(
        "profile.html",
        shows=owner.uri if owner.local else "",
        **await _head(owner, viewer),
        tab=tab,
        pinned=[
            replace(line, pinned=True, article=None)
            for line in await lines.lines(pinned.entries, viewer, Context.ACCOUNT)
        ],
        lines=await lines.lines(rest, viewer, Context.ACCOUNT),
        pages=pages.around(page, listing.cursors),
        now_ms=moments.now(),
        original=_original(owner),
        fetching=fetching,
    )


async def _people(owner: Account, tab: str, page: Page, found: People) -> Response:
    viewer = who.viewer()
    if viewer is None and not owner.local:
        return answers.elsewhere(owner.url or owner.uri)
    return await answers.page(
        "people.html",
        title={"followers": "Followers", "following": "Following"}[tab],
        back=_page_of(owner),
        faces=await faces.faces(found.ids),
        pages=pages.around(page, found.cursors, "people"),
        empty=_nobody(owner, viewer, tab),
        original=_original(owner),
        tabs=tuple(
            (f"{_page_of(owner)}/{which}", which.title(), which == tab)
            for which in ("following", "followers")
        ),
        relations=await relationships.between(viewer, found.ids) if viewer else {},
    )


def _nobody(owner: Account, viewer: Account | None, tab: str) -> str:
    if owner.hide_collections and (viewer is None or viewer.id != owner.id):
        return f"{owner.display_name or owner.username} does not show this list."
    if not owner.local:
        return "None of them is known here yet."
    return "Nobody follows them yet." if tab == "followers" else "They do not follow anybody yet."


async def _head(owner: Account, viewer: Account | None) -> dict[str, Any]:
    card = (await views.cards([owner.id]))[owner.id]
    return {
        "card": card,
        "face": faces.face_of(card),
        "counts": (await views.counts([owner.id]))[owner.id],
        "own": viewer is not None and viewer.id == owner.id,
        "relation": await _relation(owner, viewer),
        "moved": await _moved(owner),
    }


async def _moved(owner: Account) -> faces.Face | None:
    """Where somebody is now who has moved, if that is still there."""
    there = (await views.cards([owner.moved_to_id])).get(owner.moved_to_id) if owner.moved_to_id else None
    return faces.face_of(there) if there is not None and not there.suspended else None


def _original(owner: Account) -> str:
    """The page of somebody elsewhere at home, where nothing is missing."""
    return "" if owner.local else owner.url or owner.uri


async def _relation(owner: Account, viewer: Account | None) -> Relationship | None:
    if viewer is None or viewer.id == owner.id:
        return None
    return (await relationships.between(viewer, [owner.id])).get(owner.id)


def _canonical(owner: Account) -> str:
    """Where the page really is, when it was asked for by another spelling of the name."""
    wanted = _page_of(owner)
    given = request.path
    if given == wanted or given.startswith(wanted + "/"):
        return ""
    return wanted
