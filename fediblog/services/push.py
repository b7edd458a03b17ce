"""Waking devices: a row for each notification and device, and a worker that sends.

The row is written in the transaction of the notification, so that no crash loses it; what is a day old wakes
nobody any more. What is true is asked when it is sent: whom one has blocked meanwhile wakes nobody. Push
services are strangers' servers: one that is slow or dead holds up nothing but its rows (push_lines.py).
"""

import math
from collections.abc import Collection
from html import escape
from typing import NamedTuple

import orjson
import structlog

from fediblog import db, http, keys, moments, uris, webpush
from fediblog.config import settings
from fediblog.errors import Unavailable
from fediblog.queue import Job
from fediblog.remembering import Lately
from fediblog.services import hearing, push_subscriptions, tokens, views, visibility, work
from fediblog.services.push_lines import Lines
from fediblog.services.push_subscriptions import From
from fediblog.text import excerpt, tidy

log = structlog.get_logger()

# Nobody wants to be woken by what happened yesterday.
_LIFE = moments.DAY
_LONGEST_BODY = 140
_LONGEST_NAME = 60
_SECONDS = 10
# Seconds: the pauses after the first answer that says "later" and after all the late ones.
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 3_600

# The words of the payload are those of the API (CLIENT-API §3.14), and so are the sentences around a name.
WORDS = {
    "post": "status",
    "boost": "reblog",
    "like": "favourite",
    "edit": "update",
    "quoted_edit": "quoted_update",
}
_TITLES = {
    "mention": "{} mentioned you",
    "post": "{} just posted",
    "boost": "{} boosted your post",
    "like": "{} favourited your post",
    "follow": "{} follows you",
    "follow_request": "{} wants to follow you",
    "poll": "A poll of {} has ended",
    "edit": "{} edited a post",
    "quote": "{} quoted your post",
    "quoted_edit": "{} edited a post that you quoted",
    "admin.sign_up": "{} signed up",
    "admin.report": "{} reported somebody",
}


class _Call(NamedTuple):
    """A notification on its way to one device."""

    notification_id: int
    endpoint: str
    receiver: webpush.Receiver
    standard: bool
    payload: bytes
    age: int  # seconds


async def owe(kind: str, told: Collection[tuple[int, int]]) -> None:
    """Owe a push of these notifications, (id, account) each, to every device that this kind wakes.

    Inside the transaction that told them.
    """
    owners = {account_id: number for number, account_id in told}
    for device in await db.rows(_DEVICES.format(given=db.unnest("$1")), db.array(list(owners))):
        if kind in orjson.loads(device["alerts"]):
            await work.owe(Job.PUSH, f"{owners[device['account_id']]}:{device['id']}")


async def send(key: str) -> None:
    """Wake the device of a row. Raises Unavailable when it is to be tried again."""
    notification_id, _, subscription_id = key.partition(":")
    line = await db.row(_send_sql(), int(notification_id), int(subscription_id))
    if line is None or line["created_at"] < moments.now() - _LIFE or not await _is_wanted(line):
        return
    lines = await _lines.get()
    async with lines.turn(http.origin(line["endpoint"])):
        status, wait = await _post(await _call(line))
    if status in (404, 410):
        await _drop(line["subscription_id"])
    elif status == 429 or status >= 500:
        raise Unavailable(f"The push service answers {status}.", max(wait or 0, await _pause(key)))
    elif status >= 300:
        log.info("push refused", subscription=line["subscription_id"], status=status)


async def _pause(key: str) -> int:
    """How many seconds a row rests by itself: longer each time."""
    pause: int = _FIRST_PAUSE << min(await work.tries(Job.PUSH, key), 10)
    return min(pause, _LONGEST_PAUSE)


async def _is_wanted(line: db.Row) -> bool:
    """Whether the token still holds and the sender is one of those by whom its owner wants to be woken."""
    if not await tokens.holding([line["token_id"]]):
        return False
    match From(line["policy"]):
        case From.ALL:
            return True
        case From.FOLLOWED:
            return bool(line["followed"])
        case From.FOLLOWER:
            return bool(line["follower"])
    return False


async def _call(line: db.Row) -> _Call:
    return _Call(
        line["id"],
        line["endpoint"],
        webpush.receiver(line["p256dh"], line["auth"]),
        bool(line["standard"]),
        await _payload(line),
        (moments.now() - line["created_at"]) // moments.SECOND,
    )


async def _payload(line: db.Row) -> bytes:
    """What the app shows, and the token by which it knows for whom (docs/decisions/0013)."""
    card = (await views.cards([line["from_id"]]))[line["from_id"]]
    name = excerpt(escape(tidy(card.display_name or card.username), quote=False), _LONGEST_NAME)
    body = (await views.bodies([line["post_id"]])).get(line["post_id"]) if line["post_id"] else None
    words = (body.summary or body.content) if body else card.note
    return orjson.dumps(
        {
            "access_token": keys.unseal(settings().secret, bytes(line["token_sealed"])).decode(),
            "preferred_locale": "en",
            "notification_id": str(line["id"]),
            "notification_type": WORDS.get(line["kind"], line["kind"]),
            "icon": uris.absolute(card.avatar) if card.avatar else "",
            "title": _TITLES.get(line["kind"], "{}").format(name),
            "body": excerpt(words, _LONGEST_BODY),
        }
    )


async def _post(call: _Call) -> tuple[int, int | None]:
    """The status and how long to wait. Raises http.Outside when nobody answers."""
    pair = await push_subscriptions.vapid.get()
    token, public = webpush.vapid(pair.private, http.origin(call.endpoint), settings().origin)
    sealed = webpush.seal(call.payload, call.receiver, call.standard)
    headers = {
        "Content-Type": "application/octet-stream",
        "TTL": str(max(0, _LIFE // moments.SECOND - call.age)),
        "Urgency": "normal",
        # Should it be sent twice, the second takes the place of the first as long as the device is away.
        "Topic": str(call.notification_id),
        **webpush.authorized(sealed, token, public, call.standard),
    }
    try:
        answered = await http.post(call.endpoint, sealed.body, headers, seconds=_SECONDS)
    except http.Refused:
        return 410, None  # An address that may not be contacted will not become one that may.
    return answered.status, answered.retry_after


async def _drop(subscription_id: int) -> None:
    """The device has gone, says its push service."""
    async with db.transaction():
        await db.execute("DELETE FROM push_subscription WHERE id = $1", subscription_id)


_DEVICES = (
    "SELECT p.id, p.account_id, p.alerts FROM {given} JOIN push_subscription p ON p.account_id = given.id"
)


def _send_sql() -> str:
    """A notification and a device, if the rule of notifications still lets the one be shown on the other."""
    return f"""
SELECT n.id, n.kind, n.from_id, n.post_id, n.created_at, d.id AS subscription_id, d.token_id, d.endpoint,
  d.p256dh, d.auth, d.standard, d.policy, d.token_sealed,
  EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = n.account_id AND f.target_id = n.from_id) AS followed,
  EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = n.from_id AND f.target_id = n.account_id) AS follower
FROM notification n JOIN push_subscription d ON d.id = $2 AND d.account_id = n.account_id
JOIN account a ON a.id = n.from_id LEFT JOIN post p ON p.id = n.post_id
WHERE n.id = $1 AND NOT n.filtered AND a.suspended_at IS NULL AND a.deleted_at IS NULL
  AND {hearing.clause("n.account_id", "n.from_id")}
  AND (n.post_id IS NULL OR ({visibility.clause("n.account_id")}))"""


async def _new_lines() -> Lines:
    return Lines()


# Of this process, whose configuration never changes.
_lines = Lately(math.inf, _new_lines)
