"""Stopping in good order: SIGTERM and Ctrl-C under load."""

import asyncio
import signal
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from tests.flows.stream import Stream, all_there_once
from tests.harness.redis import RedisServer
from tests.harness.site import App, Process, Site, until

pytestmark = pytest.mark.once

_LONGEST = 30.0
SLOW = "begun before the signal, sent after it"


class SlowRequest:
    """A post that is in flight for as long as the test wants it to be: its body is sent when we say so."""

    def __init__(self, app: App, text: str) -> None:
        self._app = app
        self._body = orjson.dumps({"status": text})

    async def begin(self) -> None:
        """Send the head, and wait until the server says that it wants the body (RFC 9110 §10.1.1)."""
        place = urlsplit(self._app.url)
        self._reader, self._writer = await asyncio.open_connection(place.hostname, place.port)
        lines = (
            "POST /api/v1/statuses HTTP/1.1",
            f"Host: {place.netloc}",
            f"Authorization: Bearer {self._app.token}",
            "Content-Type: application/json",
            f"Content-Length: {len(self._body)}",
            "Expect: 100-continue",
        )
        self._writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        assert b" 100 " in await self._reader.readuntil(b"\r\n\r\n")

    async def finish(self) -> int:
        """Send the body; gives the status of the answer."""
        self._writer.write(self._body)
        line = await asyncio.wait_for(self._reader.readline(), 30)
        self._writer.close()
        await self._writer.wait_closed()
        return int(line.split()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_one_process_stops_in_good_order_under_load(site: Site, number: signal.Signals) -> None:
    token, reader_token = await site.people("alice", "bob")
    process = await site.run()
    alice, bob = await site.app(token), await site.app(reader_token)
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")
    async with Stream(alice, alice, alice) as stream:
        await stop_in_the_middle(site, alice, stream, number, process)
        await site.run()
    await all_there_once(stream, [alice], [bob])


async def test_web_and_worker_stop_in_good_order_under_load(
    install: Callable[..., Site], empty_database: str, redis: RedisServer
) -> None:
    site = install(database__url=empty_database, redis__url=redis.url)
    token, reader_token = await site.people("alice", "bob")
    web, worker = await start(site)
    alice, bob = await site.app(token), await site.app(reader_token)
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")
    async with Stream(alice, alice, alice) as stream:
        await stop_in_the_middle(site, alice, stream, signal.SIGTERM, web, worker)
        await start(site)
    await all_there_once(stream, [alice], [bob])


async def start(site: Site) -> tuple[Process, Process]:
    web, worker = site.start("web", "--workers", "2"), site.start("worker", "--name", "w1")
    await web.ready()
    await worker.says("worker ready")
    return web, worker


async def stop_in_the_middle(
    site: Site, alice: App, stream: Stream, number: signal.Signals, *running: Process
) -> None:
    """Signal while posts flow and a request is half sent: it is finished, then the exit code is 0 in time."""
    await stream.more(20)
    slow = SlowRequest(alice, SLOW)
    await slow.begin()
    signalled = time.monotonic()
    for process in running:
        process.send(number)
    await until(lambda: is_draining(site.url), 5)
    if number is signal.SIGTERM:
        for process in running:
            process.send(number)
    await until(lambda: turns_away(site.url), 5)
    assert await slow.finish() == 200
    stream.acknowledged[SLOW] = ""
    for process in running:
        assert await process.ended(_LONGEST) == 0
    took = time.monotonic() - signalled
    assert took < _LONGEST
    assert all(refusal.status_code == 503 for refusal in stream.refusals)
    print(f"ended {took:.1f} s after {number.name} with {len(stream.acknowledged)} posts acknowledged")


async def turns_away(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=1) as late:
        try:
            await late.get(f"{url}/livez")
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False  # Who came at the last moment; nothing was acknowledged.
    return False


async def is_draining(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as balancer:
        return (await balancer.get(f"{url}/readyz")).status_code == 503
