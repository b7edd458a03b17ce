"""The inbox's door: a short path before the framework's routing, since most of what comes in comes here.

It stands behind the entrance and takes POSTs to the inboxes alone; everything else passes through. 202 says
that the activity is on the disk. What is refused is refused with a 4xx, which nobody tries again; 5xx only
when coming again helps (FEDERATION §5, EGRESS §3.2).
"""

import asyncio
import re
from typing import Any

import orjson
import structlog

from fediblog import db_errors, reserve
from fediblog.activitypub.inbox import arrivals, reading_in
from fediblog.activitypub.inbox.arrivals import Request
from fediblog.activitypub.inbox.courtesy import crowd
from fediblog.activitypub.inbox.intake import Intake
from fediblog.activitypub.inbox.reading_in import Body, Left, Room
from fediblog.activitypub.signatures.messages import gathered
from fediblog.config import settings
from fediblog.errors import FediblogError, NoSpace, NotFound
from fediblog.services import accounts, inbox_items

log = structlog.get_logger()

_INBOX = re.compile(r"/ap/(?:inbox|actor/inbox|accounts/([1-9][0-9]{0,18})/inbox)", re.ASCII)
_ROUTES = {True: "/ap/accounts/<int:account_id>/inbox", False: "/ap/inbox"}


class Door:
    """Wraps the application: `app.asgi_app = Door(app.asgi_app, ROUTE)`, before the entrance does.

    `route` is the name under which the entrance looks for what it writes into its line.
    """

    def __init__(self, inner: Any, route: str) -> None:
        self._inner = inner
        self._route = route
        self._room = Room()
        self._intake = Intake(inbox_items.add)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI's own signature."""
        found = _INBOX.fullmatch(scope["path"]) if scope.get("method") == "POST" else None
        if found is None:
            await self._inner(scope, receive, send)
            return
        scope[self._route] = _ROUTES[bool(found[1])]
        body = Body(receive)
        fault: FediblogError | None = None
        try:
            async with self._room.place():
                await self._take(scope, body, int(found[1] or 0))
        except FediblogError as error:
            fault = error
        except Exception as error:
            # This is the last that stands between our own mistakes and a stranger.
            fault = db_errors.translate(error) or FediblogError()
            if fault.http_status == 500:
                log.exception("request failed", route=scope[self._route])
        await _answer(send, body, fault)

    async def _take(self, scope: Any, body: Body, account_id: int) -> None:
        """Returns when what has come is on the disk, or is known to need no effect."""
        if not settings().federation.enabled:
            raise NotFound()
        headers = gathered(scope["headers"])
        length = reading_in.announced(headers)
        if account_id:
            await accounts.check_here(account_id)
        request = Request(_target(scope), scope["headers"], await body.read(self._room, length))
        if (arrival := await arrivals.judge(request)) is None:
            return
        if reserve.low():
            raise NoSpace()
        # Who still waits for another server's answer is in nobody's way.
        with crowd.one_more():
            await self._intake.keep(arrival)
        if said := headers.get("collection-synchronization"):
            await arrivals.compare_followers(arrival.actor_uri, said)


def _target(scope: Any) -> str:
    """Path and query to the letter: that is what was signed."""
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    target: bytes = path + (b"?" + query if query else b"")
    return target.decode("latin-1")


async def _answer(send: Any, body: Body, fault: FediblogError | None) -> None:
    """Say how it went. Who still sends hears it while the rest is thrown away."""
    if isinstance(fault, Left):
        return
    content = orjson.dumps({"error": fault.message}) if fault else b""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if (wait := getattr(fault, "retry_after", None)) is not None:
        headers.append((b"retry-after", str(wait).encode()))
    rest = asyncio.create_task(body.throw_away(), name="rest of a body")
    try:
        status = fault.http_status if fault else 202
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
    finally:
        rest.cancel()
