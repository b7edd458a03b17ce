"""Lists: some of those whom the reader follows, to be read apart. Nobody else sees them."""

from collections.abc import Iterable

from quart import Blueprint, Response

from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import lists, relationships, timelines
from fediblog.services.lists import AccountList, Replies
from fediblog.services.matching import Context
from fediblog.web import answers, faces, forms, lines, pages, profiles, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full
from fediblog.web.submitted import Form

blueprint = Blueprint("lists", __name__)

_REPLIES = (
    (Replies.LIST.value, "To others on the list"),
    (Replies.FOLLOWED.value, "To everybody whom you follow"),
    (Replies.NONE.value, "To nobody else"),
)
_FIELDS = ("title", "replies_policy", "exclusive")


@blueprint.get("/lists")
async def listed() -> Response:
    """All of them, and a form for another one."""
    who.member()
    return await _all(Filled(replies_policy=Replies.LIST.value))


@blueprint.post("/lists")
async def create() -> Response:
    """Make one; people are put on it next."""
    sent = submitted.form()
    try:
        made = await lists.create(_reader(), *_typed(sent))
    except Invalid as error:
        return await _all(_refused(sent, error))
    return answers.see_other(f"/lists/{made.id}/edit", done="list_made")


@blueprint.get("/lists/<int:list_id>")
async def timeline(list_id: int) -> Response:
    """What those on it wrote."""
    found, page = await lists.get(_reader(), list_id), pages.asked()
    listing = await timelines.members(_reader(), found, page)
    return await answers.page(
        "lists/list.html",
        found=found,
        lines=await lines.lines(listing.entries, _reader(), Context.HOME),
        pages=pages.around(page, listing.cursors),
    )


@blueprint.get("/lists/<int:list_id>/edit")
async def show(list_id: int) -> Response:
    """What it is called, what it shows, and who is on it."""
    found = await lists.get(_reader(), list_id)
    return await _edit(found, _filled(found))


@blueprint.post("/lists/<int:list_id>/edit")
async def save(list_id: int) -> Response:
    """Change it."""
    found, sent = await lists.get(_reader(), list_id), submitted.form()
    try:
        await lists.edit(_reader(), list_id, *_typed(sent))
    except Invalid as error:
        return await _edit(found, _refused(sent, error))
    return answers.see_other(_page_of(found), done="saved")


@blueprint.post("/lists/<int:list_id>/delete")
@even_when_full
async def delete(list_id: int) -> Response:
    """Take it away. Those on it stay followed."""
    await lists.delete(_reader(), list_id)
    return answers.see_other("/lists", done="list_deleted")


@blueprint.post("/lists/<int:list_id>/add")
async def add(list_id: int) -> Response:
    """Put somebody on it whose name was typed."""
    found = await lists.get(_reader(), list_id)
    name = submitted.form().text("name").strip()
    try:
        member = await profiles.find(name)
        await lists.add(_reader(), list_id, [member.id])
    except (Invalid, NotFound) as error:
        filled = _filled(found, name=name)
        filled.refuse(Invalid(_why(error), "name"))
        return await _edit(found, filled)
    return answers.see_other(f"{_page_of(found)}/edit#members", done="saved")


@blueprint.post("/lists/<int:list_id>/remove")
@even_when_full
async def remove(list_id: int) -> Response:
    """Take somebody off it."""
    await lists.remove(_reader(), list_id, submitted.form().numbers("account"))
    return answers.back(f"/lists/{list_id}/edit")


@blueprint.get("/@<handle:name>/lists")
async def holding(name: str) -> Response:
    """Which of the reader's lists somebody is on."""
    reader, target = _reader(), await profiles.find(name)
    given = {one.id for one in await lists.holding(reader, target.id)}
    relation = (await relationships.between(reader, [target.id])).get(target.id)
    return await answers.page(
        "lists/holding.html",
        target=faces.face_of(target),
        lists=[(one, one.id in given) for one in await lists.listing(reader)],
        followed=target.id == reader.id or (relation is not None and relation.following),
    )


@blueprint.post("/@<handle:name>/lists")
async def choose(name: str) -> Response:
    """Put somebody on those which are ticked, and take them off the others."""
    reader, target = _reader(), await profiles.find(name)
    wanted = set(submitted.form().numbers("list"))
    given = {one.id for one in await lists.holding(reader, target.id)}
    await _change(reader, target, on=wanted - given, off=given - wanted)
    return answers.see_other(faces.face_of(target).href, done="saved")


async def _change(reader: Account, target: Account, on: Iterable[int], off: Iterable[int]) -> None:
    for list_id in sorted(on):
        await lists.add(reader, list_id, [target.id])
    for list_id in sorted(off):
        await lists.remove(reader, list_id, [target.id])


async def _all(filled: Filled) -> Response:
    given = await lists.listing(_reader())
    return await answers.form("lists/lists.html", filled, lists=given, replies=_REPLIES)


async def _edit(found: AccountList, filled: Filled) -> Response:
    page = pages.asked(40, 80)
    members = await lists.members(_reader(), found.id, page)
    return await answers.form(
        "lists/edit.html",
        filled,
        found=found,
        replies=_REPLIES,
        faces=await faces.faces(members.ids),
        pages=pages.around(page, members.cursors, "people"),
    )


def _typed(sent: Form) -> tuple[str, str, bool]:
    return sent.text("title"), sent.text("replies_policy"), sent.flag("exclusive")


def _filled(found: AccountList, **more: str) -> Filled:
    ticked = forms.ticked({"exclusive": found.exclusive})
    return Filled(title=found.title, replies_policy=found.replies.value, **ticked, **more)


def _refused(sent: Form, error: Invalid) -> Filled:
    filled = forms.typed(sent, *_FIELDS)
    filled.refuse(error)
    return filled


def _why(error: Invalid | NotFound) -> str:
    """What stands beside the name. That nobody has it, the service says in the words of a missing page."""
    return "Nobody here is known by this name." if error.message == NotFound.default else error.message


def _page_of(found: AccountList) -> str:
    return f"/lists/{found.id}"


def _reader() -> Account:
    return who.member().account
