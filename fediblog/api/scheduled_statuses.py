"""Statuses for later: seen, moved and cancelled before they are published."""

from typing import Any

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import scope
from fediblog.models import Quotable, Visibility
from fediblog.services import quotable, scheduled, views
from fediblog.services.polls import PollDraft
from fediblog.services.scheduled import Scheduled

blueprint = Blueprint("scheduled_api", __name__, url_prefix="/api/v1/scheduled_statuses")


@blueprint.get("")
@scope("read:statuses")
async def listing() -> Response:
    """GET /api/v1/scheduled_statuses."""
    page = paging.parse(request.args)
    found = await scheduled.listing(auth.account(), page)
    return answers.listing([entities.dump(entity(one)) for one in found], page, [one.id for one in found])


@blueprint.get("/<int:scheduled_id>")
@scope("read:statuses")
async def show(scheduled_id: int) -> Response:
    """GET /api/v1/scheduled_statuses/:id."""
    return answers.json(entity(await scheduled.get(auth.account(), scheduled_id)))


@blueprint.put("/<int:scheduled_id>")
@scope("write:statuses")
async def move(scheduled_id: int) -> Response:
    """PUT /api/v1/scheduled_statuses/:id: `scheduled_at`."""
    at = forms.moment((await forms.parameters()).get("scheduled_at"), "scheduled_at")
    return answers.json(entity(await scheduled.move(auth.account(), scheduled_id, at)))


@blueprint.delete("/<int:scheduled_id>")
@scope("write:statuses")
async def cancel(scheduled_id: int) -> Response:
    """DELETE /api/v1/scheduled_statuses/:id."""
    await scheduled.cancel(auth.account(), scheduled_id)
    return answers.json({})


def entity(found: Scheduled) -> entities.Json:
    """A ScheduledStatus. One that could not be published says so in `error`, which is ours alone."""
    draft = found.draft
    return {
        "id": str(found.id),
        "scheduled_at": moments.iso(found.scheduled_at),
        "params": {
            "text": draft.source,
            "spoiler_text": draft.summary,
            "visibility": entities.VISIBILITIES[draft.visibility or Visibility.PUBLIC],
            "sensitive": draft.sensitive,
            "language": draft.language or None,
            "in_reply_to_id": str(draft.reply_to_id) if draft.reply_to_id else None,
            "quoted_status_id": str(draft.quoted_id) if draft.quoted_id else None,
            "quote_approval_policy": quotable.choice(draft.quote_policy or Quotable.NOBODY),
            "media_ids": [str(number) for number in draft.media_ids] or None,
            "poll": _poll(draft.poll) if draft.poll else None,
            "application_id": str(found.app_id) if found.app_id else None,
            "scheduled_at": None,
            "idempotency": None,
            "with_rate_limit": False,
        },
        "media_attachments": [entities.attachment(views.media_view(file)) for file in found.media],
        **({"error": found.error} if found.error else {}),
    }


def _poll(draft: PollDraft) -> dict[str, Any]:
    return {
        "options": list(draft.options),
        "expires_in": str(draft.seconds),
        "multiple": draft.multiple,
        "hide_totals": draft.hide_totals,
    }
