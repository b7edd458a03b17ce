"""Notifications, one by one."""

from collections.abc import Sequence

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, entities, forms, rendering
from fediblog.api.auth import scope
from fediblog.models import Account
from fediblog.services import notifications, views
from fediblog.services.notifications import Kind, Notice

blueprint = Blueprint("notifications_api", __name__, url_prefix="/api/v1/notifications")

_WORDS = {Kind.STATUS: "status", Kind.BOOST: "reblog", Kind.LIKE: "favourite", Kind.EDIT: "update"}
_KINDS = {_WORDS.get(kind, kind.value): kind for kind in Kind}
_GROUPED = {Kind.BOOST: "reblog", Kind.LIKE: "favourite", Kind.FOLLOW: "follow"}


@blueprint.get("")
@scope("read:notifications")
async def listing() -> Response:
    """GET /api/v1/notifications: `types[]`, `exclude_types[]`; unknown types are ignored."""
    given = await forms.parameters()
    page = paging.parse(request.args, 40, 80)
    kinds = _kinds(given["types"]) if given.get("types") else None
    found = await notifications.listing(auth.account(), page, kinds, _kinds(given.get("exclude_types")))
    return answers.listing(await _rendered(found), page, [notice.id for notice in found])


@blueprint.get("/<int:notification_id>")
@scope("read:notifications")
async def show(notification_id: int) -> Response:
    """GET /api/v1/notifications/:id."""
    notice = await notifications.get(auth.account(), notification_id)
    return answers.json((await _rendered([notice]))[0])


@blueprint.get("/unread_count")
@scope("read:notifications")
async def unread_count() -> Response:
    """GET /api/v1/notifications/unread_count."""
    return answers.json({"count": await notifications.unread(auth.account())})


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


def _kinds(value: object) -> list[Kind]:
    return [_KINDS[name] for name in forms.texts(value) if name in _KINDS]


async def _rendered(notices: Sequence[Notice]) -> list[bytes]:
    return await rendered(notices, auth.account())


async def rendered(notices: Sequence[Notice], viewer: Account) -> list[bytes]:
    """The notices as JSON, with their accounts and statuses, in five statements at most."""
    accounts = await rendering.accounts(list({notice.from_id for notice in notices}))
    found = await views.entries([notice.post_id for notice in notices if notice.post_id], viewer)
    statuses = await rendering.by_id(list(found.values()), viewer)
    return [
        _one(notice, accounts[notice.from_id], statuses) for notice in notices if notice.from_id in accounts
    ]


def _one(notice: Notice, account: bytes, statuses: dict[int, bytes]) -> bytes:
    head = entities.dump(
        {
            "id": str(notice.id),
            "type": _WORDS.get(notice.kind, notice.kind.value),
            "created_at": moments.iso(notice.created_at),
            "group_key": _group_key(notice),
        }
    )
    line = head[:-1] + b',"account":' + account
    if notice.post_id in statuses:
        line += b',"status":' + statuses[notice.post_id]
    return line + b"}"


def _group_key(notice: Notice) -> str:
    word = _GROUPED.get(notice.kind)
    if word is None:
        return f"ungrouped-{notice.id}"
    about = f"-{notice.post_id}" if notice.post_id else ""
    return f"{word}{about}-{notice.created_at // moments.HOUR}"
