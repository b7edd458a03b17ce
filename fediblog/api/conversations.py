"""Conversations: one's direct posts, thread by thread."""

from collections.abc import Sequence

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, entities, rendering
from fediblog.api.auth import scope
from fediblog.services import conversations, views
from fediblog.services.conversations import Conversation

blueprint = Blueprint("conversations_api", __name__, url_prefix="/api/v1/conversations")


@blueprint.get("")
@scope("read:statuses")
async def listing() -> Response:
    """GET /api/v1/conversations."""
    page = paging.parse(request.args, 20, 40)
    found = await conversations.listing(auth.account(), page)
    return answers.listing(await _rendered(found), page, [one.last_post_id for one in found])


@blueprint.post("/<int:conversation_id>/read")
@scope("write:conversations")
async def read(conversation_id: int) -> Response:
    """POST /api/v1/conversations/:id/read."""
    found = await conversations.mark_read(auth.account(), conversation_id)
    return answers.json((await _rendered([found]))[0])


@blueprint.delete("/<int:conversation_id>")
@scope("write:conversations")
async def remove(conversation_id: int) -> Response:
    """DELETE /api/v1/conversations/:id."""
    await conversations.remove(auth.account(), conversation_id)
    return answers.json({})


async def _rendered(found: Sequence[Conversation]) -> list[bytes]:
    """Conversations with their people and last statuses, in four statements at most."""
    viewer = auth.account()
    cards = await rendering.accounts(list({number for one in found for number in one.with_ids}))
    entries = await views.entries([one.last_post_id for one in found], viewer)
    statuses = await rendering.by_id(list(entries.values()), viewer)
    return [_one(one, cards, statuses) for one in found]


def _one(found: Conversation, cards: dict[int, bytes], statuses: dict[int, bytes]) -> bytes:
    head = entities.dump({"id": str(found.id), "unread": found.unread})
    people = rendering.listing(cards[number] for number in found.with_ids if number in cards)
    last = statuses.get(found.last_post_id, b"null")
    return head[:-1] + b',"accounts":' + people + b',"last_status":' + last + b"}"
