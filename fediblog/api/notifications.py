"""Notifications, one by one."""

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, forms, noticed
from fediblog.api.auth import scope
from fediblog.errors import NotFound
from fediblog.services import notifications

blueprint = Blueprint("notifications_api", __name__, url_prefix="/api/v1/notifications")


@blueprint.get("")
@scope("read:notifications")
async def listing() -> Response:
    """GET /api/v1/notifications: `types[]`, `exclude_types[]`, `account_id`, `include_filtered`."""
    page = paging.parse(request.args, 40, 80)
    found = await notifications.chosen(auth.account(), page, noticed.choice(await forms.parameters()))
    return answers.listing(
        await noticed.rendered(found, auth.account()), page, [notice.id for notice in found]
    )


@blueprint.get("/<int:notification_id>")
@scope("read:notifications")
async def show(notification_id: int) -> Response:
    """GET /api/v1/notifications/:id, also of one that is held back."""
    account = auth.account()
    shown = await noticed.rendered([await notifications.get(account, notification_id)], account)
    if not shown:
        raise NotFound
    return answers.json(shown[0])


@blueprint.get("/unread_count")
@scope("read:notifications")
async def unread_count() -> Response:
    """GET /api/v1/notifications/unread_count: the same choice as the list, and `limit`."""
    given = await forms.parameters()
    count = await notifications.unread(auth.account(), noticed.most(given), noticed.choice(given))
    return answers.json({"count": count})


@blueprint.post("/clear")
@scope("write:notifications")
async def clear() -> Response:
    """POST /api/v1/notifications/clear."""
    await notifications.clear(auth.account())
    return answers.json({})


@blueprint.post("/<int:notification_id>/dismiss")
@scope("write:notifications")
async def dismiss(notification_id: int) -> Response:
    """POST /api/v1/notifications/:id/dismiss."""
    await notifications.dismiss(auth.account(), notification_id)
    return answers.json({})


@blueprint.post("/dismiss")
@scope("write:notifications")
async def dismiss_by_form() -> Response:
    """POST /api/v1/notifications/dismiss: `id`, as very old clients do it."""
    for notification_id in forms.ids((await forms.parameters()).get("id"))[:1]:
        await notifications.dismiss(auth.account(), notification_id)
        return answers.json({})
    raise NotFound
