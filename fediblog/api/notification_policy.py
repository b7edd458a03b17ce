"""What strangers may put into the list of notifications, and the requests of those held back."""

from collections.abc import Sequence
from typing import Any

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, entities, forms, noticed, rendering
from fediblog.api.auth import scope
from fediblog.errors import NotFound
from fediblog.services import notification_policy, notification_requests
from fediblog.services.notification_policy import SORTS, Policy, Verdict
from fediblog.services.notification_requests import Request

blueprint = Blueprint("notification_policy_api", __name__, url_prefix="/api")


@blueprint.get("/v2/notifications/policy")
@scope("read:notifications")
async def policy() -> Response:
    """GET /api/v2/notifications/policy."""
    return await _policy(await notification_policy.get(auth.account()), _words)


@blueprint.patch("/v2/notifications/policy")
@scope("write:notifications")
async def edit_policy() -> Response:
    """PATCH /api/v2/notifications/policy: `for_…`, each accept, filter or drop; the others stay."""
    given = await forms.parameters()
    changes = {sort: forms.text(given[f"for_{sort}"]) for sort in SORTS if f"for_{sort}" in given}
    return await _policy(await notification_policy.edit(auth.account(), **changes), _words)


@blueprint.get("/v1/notifications/policy")
@scope("read:notifications")
async def old_policy() -> Response:
    """GET /api/v1/notifications/policy: in the words of apps that know yes and no only."""
    return await _policy(await notification_policy.get(auth.account()), _switches)


@blueprint.route("/v1/notifications/policy", methods=["PUT", "PATCH"])
@scope("write:notifications")
async def edit_old_policy() -> Response:
    """PUT /api/v1/notifications/policy: `filter_…`. What drops already is not softened by a yes."""
    given = await forms.parameters()
    before = await notification_policy.get(auth.account())
    changes = {
        sort: _switched(getattr(before, sort), switch)
        for sort in SORTS
        if (switch := forms.switch(given.get(f"filter_{sort}"))) is not None
    }
    return await _policy(await notification_policy.edit(auth.account(), **changes), _switches)


@blueprint.get("/v1/notifications/requests")
@scope("read:notifications")
async def requests() -> Response:
    """GET /api/v1/notifications/requests."""
    page = paging.parse(request.args, 40, 80)
    found = await notification_requests.listing(auth.account(), page)
    return answers.listing(await _rendered(found), page, [one.id for one in found])


@blueprint.get("/v1/notifications/requests/merged")
@scope("read:notifications")
async def merged() -> Response:
    """GET /api/v1/notifications/requests/merged: always, since accepting brings them in at once."""
    return answers.json({"merged": True})


@blueprint.get("/v1/notifications/requests/<int:request_id>")
@scope("read:notifications")
async def show(request_id: int) -> Response:
    """GET /api/v1/notifications/requests/:id."""
    shown = await _rendered([await notification_requests.get(auth.account(), request_id)])
    if not shown:
        raise NotFound
    return answers.json(shown[0])


@blueprint.post("/v1/notifications/requests/<int:request_id>/accept")
@scope("write:notifications")
async def accept(request_id: int) -> Response:
    """POST /api/v1/notifications/requests/:id/accept."""
    found = await notification_requests.get(auth.account(), request_id)
    await notification_requests.accept(auth.account(), [found.id])
    return answers.json({})


@blueprint.post("/v1/notifications/requests/<int:request_id>/dismiss")
@scope("write:notifications")
async def dismiss(request_id: int) -> Response:
    """POST /api/v1/notifications/requests/:id/dismiss."""
    found = await notification_requests.get(auth.account(), request_id)
    await notification_requests.dismiss(auth.account(), [found.id])
    return answers.json({})


@blueprint.post("/v1/notifications/requests/accept")
@scope("write:notifications")
async def accept_many() -> Response:
    """POST /api/v1/notifications/requests/accept: `id[]`; those that are not there are left out."""
    await notification_requests.accept(auth.account(), forms.ids((await forms.parameters()).get("id")))
    return answers.json({})


@blueprint.post("/v1/notifications/requests/dismiss")
@scope("write:notifications")
async def dismiss_many() -> Response:
    """POST /api/v1/notifications/requests/dismiss: `id[]`."""
    await notification_requests.dismiss(auth.account(), forms.ids((await forms.parameters()).get("id")))
    return answers.json({})


async def _policy(found: Policy, words: Any) -> Response:
    waiting = await notification_requests.summary(auth.account())
    summary = {
        "pending_requests_count": waiting.requests,
        "pending_notifications_count": waiting.notices,
    }
    return answers.json({**words(found), "summary": summary})


def _words(found: Policy) -> entities.Json:
    return {f"for_{sort}": getattr(found, sort).value for sort in SORTS}


def _switches(found: Policy) -> entities.Json:
    return {f"filter_{sort}": getattr(found, sort) is not Verdict.ACCEPT for sort in SORTS}


def _switched(before: Verdict, on: bool) -> Verdict:
    if not on:
        return Verdict.ACCEPT
    return Verdict.FILTER if before is Verdict.ACCEPT else before


async def _rendered(found: Sequence[Request]) -> list[bytes]:
    """The requests as JSON, each with who asks and their last post, in six statements at most."""
    accounts = await rendering.accounts([one.from_id for one in found])
    posts = await noticed.statuses((one.post_id for one in found), auth.account())
    return [
        _one(one, accounts[one.from_id], posts.get(one.post_id or 0))
        for one in found
        if one.from_id in accounts
    ]


def _one(found: Request, account: bytes, post: bytes | None) -> bytes:
    head = entities.dump(
        {
            "id": str(found.id),
            "created_at": moments.iso(found.created_at),
            "updated_at": moments.iso(found.updated_at),
            "notifications_count": str(found.notices),
        }
    )
    return head[:-1] + b',"account":' + account + b',"last_status":' + (post or b"null") + b"}"
