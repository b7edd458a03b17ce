"""Devices that want to be woken: one subscription for each token, which ends with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from fediblog import db, http, ids, keys, moments, webpush
from fediblog.config import settings
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import locks
from fediblog.services.server_keys import Kept

_LONGEST = 2_048
# Of one account: what somebody does to it must not become a flood against whose address stands there.
_MOST = 50

vapid = Kept("push_key", webpush.new_pair)


class From(StrEnum):
    """By whom somebody wants to be woken."""

    ALL = "all"
    FOLLOWED = "followed"  # Those whom one follows.
    FOLLOWER = "follower"  # Those who follow one.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as its app sees it. `alerts` are the kinds of notifications that wake it."""

    id: int
    endpoint: str
    standard: bool
    alerts: frozenset[str]
    policy: From


@dataclass(frozen=True, slots=True)
class Device:
    """What the browser or phone gave out: where to post, and its key and secret in base64url."""

    endpoint: str
    p256dh: str
    auth: str
    standard: bool = False


async def public_key() -> str:
    """The key by which push services know us."""
    return (await vapid.get()).public


async def subscribe(
    account: Account, token_id: int, token: str, device: Device, alerts: Collection[str], policy: From
) -> Subscription:
    """Let a device be woken for this token, instead of what stood there before.

    Of too many the account's oldest ends. Raises Invalid, NotFound when the token has ended at this moment.
    """
    _check(device)
    sealed = keys.seal(settings().secret, token.encode())
    async with db.transaction():
        if await db.value(_HOLD.format(keeping=locks.keeping("t")), token_id) is None:
            raise NotFound
        await db.execute(
            _PUT,
            *(ids.new(), token_id, account.id, device.endpoint, device.p256dh, device.auth),
            *(device.standard, db.json(sorted(alerts)), policy.value, moments.now(), sealed),
        )
        await db.execute(_END_THE_OLDEST, account.id, _MOST)
    return await find(token_id)


async def find(token_id: int) -> Subscription:
    """The subscription of a token. Raises NotFound."""
    line = await db.row(_FIND, token_id)
    if line is None:
        raise NotFound
    return _subscription(line)


async def change(token_id: int, alerts: Collection[str] | None, policy: From | None) -> Subscription:
    """Be woken for other things; None leaves it as it is. Raises NotFound."""
    before = await find(token_id)
    kinds = before.alerts if alerts is None else alerts
    async with db.transaction():
        await db.execute(
            "UPDATE push_subscription SET alerts = $2, policy = $3 WHERE token_id = $1",
            *(token_id, db.json(sorted(kinds)), (policy or before.policy).value),
        )
    return await find(token_id)


async def remove(token_id: int) -> None:
    """Be woken no more. None there: nothing."""
    async with db.transaction():
        await db.execute("DELETE FROM push_subscription WHERE token_id = $1", token_id)


def _check(device: Device) -> None:
    try:
        webpush.receiver(device.p256dh, device.auth)
    except ValueError:
        raise Invalid("The keys of the subscription cannot be read.", field="keys") from None
    try:
        url = http.check_url(device.endpoint)
    except http.Refused as error:
        raise Invalid("The endpoint cannot be used.", field="endpoint") from error
    allowed = ("https://", "http://") if settings().federation.allow_http else ("https://",)
    if len(url) > _LONGEST or not url.startswith(allowed):
        raise Invalid("The endpoint must be an https address.", field="endpoint")


def _subscription(line: Mapping[str, Any]) -> Subscription:
    alerts = frozenset(orjson.loads(line["alerts"]))
    return Subscription(line["id"], line["endpoint"], bool(line["standard"]), alerts, From(line["policy"]))


_HOLD = "SELECT t.id FROM oauth_token t WHERE t.id = $1 {keeping}"
_PUT = """
INSERT INTO push_subscription
  (id, token_id, account_id, endpoint, p256dh, auth, standard, alerts, policy, created_at, token_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (token_id) DO UPDATE SET id = excluded.id, endpoint = excluded.endpoint,
  p256dh = excluded.p256dh, auth = excluded.auth, standard = excluded.standard, alerts = excluded.alerts,
  policy = excluded.policy, created_at = excluded.created_at, token_sealed = excluded.token_sealed
"""
_END_THE_OLDEST = """
DELETE FROM push_subscription WHERE account_id = $1 AND id NOT IN (
  SELECT id FROM push_subscription WHERE account_id = $1 ORDER BY id DESC LIMIT $2)
"""
_FIND = "SELECT id, endpoint, standard, alerts, policy FROM push_subscription WHERE token_id = $1"
