"""Uploading media and describing it."""

from quart import Blueprint, Response

from fediblog.api import answers, auth, entities, forms, uploads
from fediblog.api.auth import scope
from fediblog.errors import Invalid
from fediblog.models import Media
from fediblog.services import media, views

blueprint = Blueprint("media_api", __name__, url_prefix="/api")

_PATIENCE = 30.0  # Seconds that the old upload waits for the file to be ready.


@blueprint.post("/v2/media")
@scope("write:media")
async def upload() -> Response:
    """POST /api/v2/media: 202 while the file is processed, then GET /api/v1/media/:id."""
    return _answer(await _received(), still=202)


@blueprint.post("/v1/media")
@scope("write:media")
async def upload_and_wait() -> Response:
    """POST /api/v1/media: the old way, which waits until the file is ready."""
    received = await _received()
    return _answer(await media.wait_ready(received.id, _PATIENCE), still=202)


@blueprint.get("/v1/media/<int:media_id>")
@scope("write:media")
async def show(media_id: int) -> Response:
    """GET /api/v1/media/:id: 206 while it is processed, 422 when it could not be."""
    return _answer(await media.get(auth.account(), media_id), still=206)


@blueprint.put("/v1/media/<int:media_id>")
@scope("write:media")
async def edit(media_id: int) -> Response:
    """PUT /api/v1/media/:id: `description` and `focus`."""
    given = await forms.parameters()
    description = forms.text(given["description"]) if "description" in given else None
    changed = await media.edit(auth.account(), media_id, description, forms.focus(given.get("focus")))
    return _answer(changed, still=200)


@blueprint.delete("/v1/media/<int:media_id>")
@scope("write:media")
async def delete(media_id: int) -> Response:
    """DELETE /api/v1/media/:id: only while it is on no post."""
    await media.discard(auth.account(), media_id)
    return answers.json({})


async def _received() -> Media:
    given = await forms.parameters()
    focus = forms.focus(given.get("focus"))
    description = forms.text(given.get("description"))
    path = await uploads.receive("file")
    if path is None:
        raise Invalid("Validation failed: File can't be blank", "file")
    return await media.receive(auth.account(), path, description, focus)


def _answer(found: Media, still: int) -> Response:
    if found.state == media.FAILED:
        raise Invalid(f"Validation failed: {found.error}", "file")
    status = still if found.state == media.WAITING else 200
    return answers.json(entities.attachment(views.media_view(found)), status)
