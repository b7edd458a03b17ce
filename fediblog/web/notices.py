"""What others did: notifications, and the requests to follow."""

from typing import NamedTuple

from quart import Blueprint, Response

from fediblog import text
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import BIGGEST
from fediblog.services import follows, markers, notification_requests, notifications
from fediblog.services.matching import Context
from fediblog.services.notification_requests import Request
from fediblog.services.notifications import Choice, Group, Kind
from fediblog.web import answers, faces, lines, pages, profiles, who
from fediblog.web.faces import Face
from fediblog.web.lines import Line

blueprint = Blueprint("notices", __name__)

_WHOLE = (Kind.MENTION, Kind.STATUS, Kind.QUOTE)
_EXCERPT = 160
_SHOWN_FACES = 8

_ICONS = {
    Kind.BOOST: ("repeat-2", "boost"),
    Kind.LIKE: ("star", "fav"),
    Kind.FOLLOW: ("user-plus", ""),
    Kind.FOLLOW_REQUEST: ("user-plus", ""),
    Kind.POLL: ("vote", ""),
    Kind.EDIT: ("pencil", ""),
    Kind.QUOTE: ("quote", ""),
    Kind.QUOTED_EDIT: ("pencil", ""),
    Kind.ADMIN_SIGN_UP: ("shield", ""),
    Kind.ADMIN_REPORT: ("shield", ""),
}
_WORDS = {
    Kind.BOOST: "boosted your post",
    Kind.LIKE: "favourited your post",
    Kind.FOLLOW: "followed you",
    Kind.FOLLOW_REQUEST: "asks to follow you",
    Kind.EDIT: "edited a post that you boosted",
    Kind.QUOTE: "quoted your post",
    Kind.QUOTED_EDIT: "edited a post that you quoted",
    Kind.ADMIN_SIGN_UP: "signed up",
    Kind.ADMIN_REPORT: "has been reported",
}


class Told(NamedTuple):
    """A line of the list: a whole post for what was said to the reader, otherwise a sentence."""

    anchor: str
    kind: Kind
    icon: str
    more: str
    faces: list[Face]
    others: int
    words: str
    line: Line | None
    whole: bool
    excerpt: str
    created_at: int
    new: bool


class Waiting(NamedTuple):
    """Somebody who is held back, with the page of what they did."""

    face: Face
    words: str
    path: str


@blueprint.get("/notifications")
async def everything() -> Response:
    """All of it. Seeing it marks it as read."""
    return await _listed("all")


@blueprint.get("/notifications/mentions")
async def mentions() -> Response:
    """Only what was said to the reader."""
    return await _listed("mentions")


@blueprint.get("/notifications/requests")
async def held_back() -> Response:
    """Whom the policy of the reader holds back."""
    page = pages.asked(40, 80)
    found = await notification_requests.listing(who.member().account, page)
    return await answers.page(
        "notification_requests.html",
        waiting=await _waiting(found),
        pages=pages.around(page, [one.id for one in found], "people"),
    )


@blueprint.get("/notifications/requests/<int:request_id>")
async def held_back_from(request_id: int) -> Response:
    """What one of them did, before one decides."""
    account, page = who.member().account, pages.asked(40, 80)
    asked = await notification_requests.get(account, request_id)
    waiting = await _waiting([asked])
    if not waiting:
        raise NotFound
    found = await notifications.chosen(account, page, Choice(from_id=asked.from_id, held=True))
    groups = notifications.together(found)
    return await answers.page(
        "notifications.html",
        told=await _told(groups.groups, account, BIGGEST),
        pages=pages.around(page, groups.cursors, "notifications"),
        tab="requests",
        asking=waiting[0],
    )


@blueprint.post("/notifications/requests/<int:request_id>/accept")
async def accept_request(request_id: int) -> Response:
    """Show what they did, and will do."""
    await notification_requests.accept(who.member().account, [request_id])
    return answers.back("/notifications/requests")


@blueprint.post("/notifications/requests/<int:request_id>/dismiss")
async def dismiss_request(request_id: int) -> Response:
    """Throw away what they did."""
    await notification_requests.dismiss(who.member().account, [request_id])
    return answers.back("/notifications/requests")


@blueprint.get("/follow_requests")
async def requests() -> Response:
    """Who asks to follow."""
    account = who.member().account
    page = pages.asked(40, 80)
    found = await follows.requests(account, page)
    return await answers.page(
        "follow_requests.html",
        faces=await faces.faces(found.ids),
        pages=pages.around(page, found.cursors, "people"),
    )


@blueprint.post("/@<handle:name>/accept")
async def accept(name: str) -> Response:
    """Let somebody follow."""
    account, asker = who.member().account, await profiles.find(name)
    await follows.accept(account, asker.id)
    return answers.back("/follow_requests")


@blueprint.post("/@<handle:name>/reject")
async def reject(name: str) -> Response:
    """Refuse somebody."""
    account, asker = who.member().account, await profiles.find(name)
    await follows.reject(account, asker.id)
    return answers.back("/follow_requests")


async def _waiting(found: list[Request]) -> list[Waiting]:
    people = {face.id: face for face in await faces.faces([one.from_id for one in found])}
    return [
        Waiting(people[one.from_id], _many(one.notices), f"/notifications/requests/{one.id}")
        for one in found
        if one.from_id in people
    ]


def _many(notices: int) -> str:
    return "1 notification" if notices == 1 else f"{notices} notifications"


async def _listed(tab: str) -> Response:
    account = who.member().account
    page = pages.asked(40, 80)
    kinds = (Kind.MENTION,) if tab == "mentions" else None
    found = await notifications.grouped(account, page, kinds)
    read = await _mark_read(account, found.cursors, everything=kinds is None)
    return await answers.page(
        "notifications.html",
        told=await _told(found.groups, account, read),
        pages=pages.around(page, found.cursors, "notifications"),
        tab=tab,
        asking=None,
        waiting=(await notification_requests.summary(account)).requests,
    )


async def _mark_read(account: Account, cursors: list[int], everything: bool) -> int:
    """Up to where had been read before; from now on it is up to the newest on this page."""
    before = (await markers.get(account, (markers.NOTIFICATIONS,))).get(markers.NOTIFICATIONS)
    last = before.last_read_id if before else 0
    if everything and cursors and cursors[0] > last:
        await notifications.mark_read(account, cursors[0])
    return last


async def _told(groups: list[Group], account: Account, read: int) -> list[Told]:
    people = {
        face.id: face for face in await faces.faces(list({one for group in groups for one in group.from_ids}))
    }
    shown = {group.post_id for group in groups if group.post_id}
    posts = await lines.by_post(shown, account, Context.NOTIFICATIONS)
    return [
        _one(
            group,
            [people[one] for one in group.from_ids if one in people],
            posts.get(group.post_id or 0),
            read,
        )
        for group in groups
        if not _is_hidden(posts.get(group.post_id or 0))
    ]


def _is_hidden(line: Line | None) -> bool:
    return line is not None and line.hidden


def _one(group: Group, people: list[Face], line: Line | None, read: int) -> Told:
    icon, more = _ICONS.get(group.kind, ("bell", ""))
    excerpt = ""
    if line is not None:
        excerpt = line.fold or line.body.summary or text.excerpt(line.body.content, _EXCERPT)
    return Told(
        anchor=f"n{group.ids[0]}",
        kind=group.kind,
        icon=icon,
        more=more,
        faces=people[:_SHOWN_FACES],
        others=len(people) - 1,
        words=_words(group.kind, line),
        line=line,
        whole=group.kind in _WHOLE and line is not None,
        excerpt=excerpt,
        created_at=group.created_at,
        new=group.ids[0] > read,
    )


def _words(kind: Kind, line: Line | None) -> str:
    if kind is Kind.POLL:
        return (
            "Your poll has ended" if line is not None and line.own else "A poll that you voted in has ended"
        )
    return _WORDS.get(kind, "")
