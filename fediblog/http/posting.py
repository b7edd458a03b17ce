"""Posting: one body to one inbox, and what the other side said to it."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from fediblog.http import opening
from fediblog.http.bodies import drain
from fediblog.http.errors import Outside
from fediblog.http.exchange import Outgoing, Signer, deadline
from fediblog.http.fields import retry_after
from fediblog.http.urls import check_url

POST_SECONDS = 10
_DRAIN_SECONDS = 2


@dataclass(frozen=True)
class Answered:
    """What came back, whatever its status. `retry_after` is in seconds, a day at most."""

    status: int
    headers: Mapping[str, str]
    retry_after: int | None


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    signer: Signer | None = None,
    seconds: float = POST_SECONDS,
) -> Answered:
    """Send a body; follow nothing. Raises Refused, and Unreachable when no answer comes within `seconds`.

    Waiting for a turn at the host does not count, for that is not the host's fault; who will not wait ends
    the task. Sent twice it may arrive: the body needs an id that tells.
    """
    url = check_url(url)
    exchange = opening.current()
    async with exchange.turn(url):
        async with deadline(seconds):
            response = await exchange.ask(Outgoing("POST", url, headers, body), signer)
        await _finish(response)
    return Answered(
        response.status_code, dict(response.headers), retry_after(response.headers.get("retry-after"))
    )


async def _finish(response: httpx.Response) -> None:
    """The other side has decided: nothing that happens to the rest of its answer changes that."""
    try:
        with contextlib.suppress(Outside, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await drain(response)
    finally:
        await response.aclose()
