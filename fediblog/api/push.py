"""Web Push: one subscription for each token, and what wakes it."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response

from fediblog.api import answers, auth, forms, noticed
from fediblog.api.auth import scope
from fediblog.errors import Invalid
from fediblog.services import push_subscriptions
from fediblog.services.notifications import Kind
from fediblog.services.push_subscriptions import Device, From, Subscription

blueprint = Blueprint("push", __name__, url_prefix="/api/v1/push")


@blueprint.post("/subscription")
@scope("push")
async def subscribe() -> Response:
    """POST /api/v1/push/subscription: replaces the one that this token has."""
    given = await forms.parameters()
    found = await push_subscriptions.subscribe(
        auth.account(),
        auth.bearer().token_id,
        auth.token() or "",
        _device(_part(given, "subscription")),
        _alerts(_part(given, "data")) or frozenset(),
        _policy(given) or From.ALL,
    )
    return await _answer(found)


@blueprint.get("/subscription")
@scope("push")
async def show() -> Response:
    """GET /api/v1/push/subscription: 404 when there is none."""
    return await _answer(await push_subscriptions.find(auth.bearer().token_id))


@blueprint.put("/subscription")
@scope("push")
async def change() -> Response:
    """PUT /api/v1/push/subscription: `data[alerts]` and `data[policy]`; what is not given stays."""
    given = await forms.parameters()
    alerts = _alerts(_part(given, "data"))
    found = await push_subscriptions.change(auth.bearer().token_id, alerts, _policy(given))
    return await _answer(found)


@blueprint.delete("/subscription")
@scope("push")
async def remove() -> Response:
    """DELETE /api/v1/push/subscription."""
    await push_subscriptions.remove(auth.bearer().token_id)
    return answers.json({})


async def _answer(found: Subscription) -> Response:
    return answers.json(
        {
            "id": str(found.id),
            "endpoint": found.endpoint,
            "standard": found.standard,
            "alerts": {noticed.word(kind): kind.value in found.alerts for kind in Kind},
            "server_key": await push_subscriptions.public_key(),
            "policy": found.policy.value,
        }
    )


def _device(given: Mapping[str, Any]) -> Device:
    found = _part(given, "keys")
    return Device(
        forms.text(given.get("endpoint")),
        forms.text(found.get("p256dh")),
        forms.text(found.get("auth")),
        forms.boolean(given.get("standard")),
    )


def _alerts(data: Mapping[str, Any]) -> frozenset[str] | None:
    if "alerts" not in data:
        return None
    alerts = _part(data, "alerts")
    return frozenset(kind.value for kind in Kind if forms.boolean(alerts.get(noticed.word(kind))))


def _policy(given: Mapping[str, Any]) -> From | None:
    """By whom one is woken: in `data`, or beside it as Mastodon.py sends it."""
    wanted = _part(given, "data").get("policy", given.get("policy"))
    if wanted is None:
        return None
    try:
        return From(forms.text(wanted))
    except ValueError:
        raise Invalid("The policy is all, followed, follower or none.", field="policy") from None


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, Mapping) else {}
