"""Polls: reading and voting. A poll has the id of its status."""

from quart import Blueprint, Response

from fediblog import moments
from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import reads, scope
from fediblog.errors import Invalid, NotFound
from fediblog.services import polls, posts, views

blueprint = Blueprint("polls", __name__, url_prefix="/api/v1/polls")


@blueprint.get("/<int:poll_id>")
@reads("read:statuses")
async def show(poll_id: int) -> Response:
    """GET /api/v1/polls/:id."""
    return await _answer(poll_id)


@blueprint.post("/<int:poll_id>/votes")
@scope("write:statuses")
async def vote(poll_id: int) -> Response:
    """POST /api/v1/polls/:id/votes: `choices[]` are positions, from 0."""
    given = await forms.parameters()
    choices = forms.ids(given.get("choices"))
    if any(choice < 0 for choice in choices):
        raise Invalid("That is not one of the choices.", "choices")
    post = await posts.get(poll_id, auth.account())
    await polls.vote(auth.account(), post, choices)
    return await _answer(poll_id)


async def _answer(poll_id: int) -> Response:
    viewer = auth.viewer()
    await posts.get(poll_id, viewer)
    entry = (await views.entries([poll_id], viewer)).get(poll_id)
    body = (await views.bodies([poll_id])).get(poll_id)
    if entry is None or body is None or body.poll is None or entry.ballot is None:
        raise NotFound
    return answers.json(entities.poll(poll_id, body.poll, entry.ballot, moments.now(), viewer is not None))
