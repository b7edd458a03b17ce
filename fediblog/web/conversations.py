"""Conversations: the threads of direct posts in which the reader takes part."""

from typing import NamedTuple

from quart import Blueprint, Response

from fediblog import text
from fediblog.models import Account
from fediblog.services import conversations
from fediblog.services.conversations import Conversation
from fediblog.web import answers, faces, lines, pages, who
from fediblog.web.faces import Face
from fediblog.web.lines import Line
from fediblog.web.marks import even_when_full

blueprint = Blueprint("conversations", __name__)

_EXCERPT = 160
_SHOWN_FACES = 8


class Talk(NamedTuple):
    """A line of the list."""

    path: str
    faces: list[Face]
    others: int
    line: Line
    excerpt: str
    new: bool


@blueprint.get("/conversations")
async def listed() -> Response:
    """All of them, the last post first."""
    account, page = _reader(), pages.asked()
    found = await conversations.listing(account, page)
    return await answers.page(
        "conversations.html",
        talks=await _talks(found, account),
        pages=pages.around(page, [one.last_post_id for one in found], "conversations"),
    )


@blueprint.get("/conversations/<int:conversation_id>")
async def show(conversation_id: int) -> Response:
    """On to its last post, in its thread. Seeing it marks it as read."""
    found = await conversations.get(_reader(), conversation_id)
    line = await lines.of(found.last_post_id, _reader())
    if found.unread:
        await conversations.mark_read(_reader(), conversation_id)
    return answers.see_other(f"{line.href}#post")


@blueprint.post("/conversations/<int:conversation_id>/read")
@even_when_full
async def mark_read(conversation_id: int) -> Response:
    """It has been read, without looking at it."""
    await conversations.mark_read(_reader(), conversation_id)
    return answers.back("/conversations")


@blueprint.post("/conversations/<int:conversation_id>/remove")
@even_when_full
async def remove(conversation_id: int) -> Response:
    """Take it off the list. Its posts stay."""
    await conversations.remove(_reader(), conversation_id)
    return answers.back("/conversations")


async def _talks(found: list[Conversation], account: Account) -> list[Talk]:
    shown = {one.id: list(one.with_ids[:_SHOWN_FACES]) or [account.id] for one in found}
    people = {
        face.id: face for face in await faces.faces(list({one for ids in shown.values() for one in ids}))
    }
    posts = await lines.by_post([one.last_post_id for one in found], account)
    return [
        Talk(
            path=f"/conversations/{one.id}",
            faces=[people[number] for number in shown[one.id] if number in people],
            others=len(one.with_ids) - 1,
            line=posts[one.last_post_id],
            excerpt=_excerpt(posts[one.last_post_id]),
            new=one.unread,
        )
        for one in found
        if one.last_post_id in posts
    ]


def _excerpt(line: Line) -> str:
    return line.body.summary or text.excerpt(line.body.content, _EXCERPT)


def _reader() -> Account:
    return who.member().account
