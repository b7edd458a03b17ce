"""Streams of a real server: over WebSockets and server-sent events, in one process and across two."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from mastodon import Mastodon, StreamListener

from fediblog.services import tokens
from tests.harness.redis import RedisServer
from tests.harness.site import App, Site, until

pytestmark = pytest.mark.once


@asynccontextmanager
async def socket(url: str, token: str = "", **options: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket as a client of others opens it."""
    path = f"{url}/api/v1/streaming?stream=user" + (f"&access_token={token}" if token else "")
    async with aiohttp.ClientSession() as session, session.ws_connect(path, **options) as opened:
        yield opened


async def update(opened: aiohttp.ClientWebSocketResponse) -> Any:
    """The status of the next frame."""
    frame = orjson.loads((await opened.receive(timeout=30)).data)
    assert (frame["stream"], frame["event"]) == (["user"], "update")
    return orjson.loads(frame["payload"])


async def test_a_stream_ends_with_its_token_and_with_the_server_and_is_not_logged(site: Site) -> None:
    process = await site.run(log__level="debug")
    alice = await site.person("alice")
    other = await site.command("tokens", "create", "alice", "--scopes", "read")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with socket(site.url, "nobody's"):
            pass
    assert refusal.value.status == 401

    async with socket(site.url, other) as first, socket(site.url, protocols=[alice.token]) as second:
        assert second.protocol == alice.token
        status = await alice.write("hello")
        assert (await update(first))["id"] == (await update(second))["id"] == status["id"]

        async with site.inside():
            await tokens.revoke(other)
        message = await first.receive(timeout=5)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

        process.send(signal.SIGTERM)
        assert (await second.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    assert await process.ended(10) == 0
    assert alice.token not in process.output and other not in process.output


class Hearer(StreamListener):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.beats = 0
        self.updates: list[str] = []

    def handle_heartbeat(self) -> None:
        self.beats += 1

    def on_update(self, status: Any) -> None:
        self.updates.append(status.content)


async def test_mastodon_py_hears_an_update(site: Site) -> None:
    process = await site.run()
    alice = await site.person("alice")
    app, hearer = Mastodon(access_token=alice.token, api_base_url=site.url), Hearer()
    assert await asyncio.to_thread(app.stream_healthy)
    handle = await asyncio.to_thread(app.stream_user, hearer, run_async=True)
    try:
        await until(lambda: hearer.beats)
        await alice.write("hello")
        await until(lambda: hearer.updates == ["<p>hello</p>"])
    finally:
        # To close it here would wait for the next beat.
        handle.closed = True
        process.kill()


async def test_a_post_made_at_one_process_is_heard_at_another_also_after_redis_was_away(
    install: Callable[..., Site], empty_database: str, redis: RedisServer
) -> None:
    site = install(database__url=empty_database, redis__url=redis.url)
    await site.command("db", "upgrade")
    webs = [site.start("web", url=url) for url in (site.url, site.free_url())]
    await asyncio.gather(*(web.ready() for web in webs))
    alice = await site.person("alice", url=webs[0].url)
    async with socket(webs[1].url, alice.token) as opened:
        status = await alice.write("hello")
        assert (await update(opened))["id"] == status["id"]

        redis.stop()
        await alice.write("missed")
        redis.start()
        heard = asyncio.create_task(update(opened))
        await until(lambda: written_again(alice, heard))
        assert (await heard)["content"] == "<p>again</p>"


async def written_again(alice: App, heard: "asyncio.Task[Any]") -> bool:
    """Posts once more unless it has been heard: what is said while a connection is made anew is missed."""
    if not heard.done():
        await alice.write("again")
        await asyncio.sleep(0.3)
    return heard.done()
