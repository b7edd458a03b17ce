"""Deliveries: one POST, one answer, and the connection that was closed under it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.http import Outgoing, Refused, Unreachable, posting
from fediblog.http.errors import HungUp
from tests.http.peers import ACTIVITY, Asked, Peer, hang, hang_up, moved, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]


class Signer:
    """Numbers its signatures and remembers what they were for."""

    def __init__(self) -> None:
        self.signed: list[Outgoing] = []

    def __call__(self, outgoing: Outgoing) -> dict[str, str]:
        self.signed.append(outgoing)
        return {"Signature": str(len(self.signed))}


async def post(peer: Peer, path: str = "/inbox", **wishes: object) -> http.Answered:
    url = f"http://social.example:{peer.port}{path}"
    return await http.post(url, b'{"a": 1}', {"Content-Type": ACTIVITY}, **wishes)  # type: ignore[arg-type]


async def test_a_body_arrives_with_its_headers(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": reply(b"thanks", 202, x_a="b")})
    signer = Signer()
    answered = await post(peer, signer=signer)
    assert (answered.status, answered.headers["x-a"], answered.retry_after) == (202, "b", None)
    asked = peer.asked[0]
    assert (asked.method, asked.target, asked.body) == ("POST", "/inbox", b'{"a": 1}')
    assert asked.headers | {"host": ""} == {
        "host": "",
        "user-agent": "fediblog/0.1.0 (+http://localhost:8000)",
        "accept-encoding": "gzip",
        "content-type": ACTIVITY,
        "content-length": "8",
        "signature": "1",
    }
    assert signer.signed[0] == Outgoing(
        "POST", f"http://social.example:{peer.port}/inbox", {"Content-Type": ACTIVITY}, b'{"a": 1}'
    )


@pytest.mark.parametrize("status", [200, 400, 401, 404, 410, 429, 500, 503])
async def test_every_status_is_an_answer(lab: Config, serve: Serve, status: int) -> None:
    peer = await serve({"/inbox": reply(status=status, retry_after="120")})
    answered = await post(peer)
    assert (answered.status, answered.retry_after) == (status, 120)


async def test_a_redirect_is_an_answer_and_not_followed(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": moved("/other", 307), "/other": reply()})
    assert (await post(peer)).status == 307
    assert len(peer.asked) == 1


async def test_small_answers_keep_the_connection_and_big_ones_end_it(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": reply(bytes(60_000)), "/big": reply(bytes(10_000_000))})
    for path in ("/inbox", "/inbox", "/big", "/inbox"):
        assert (await post(peer, path)).status == 200
    assert [asked.connection for asked in peer.asked] == [1, 1, 1, 2]


async def test_an_answer_counts_whatever_becomes_of_its_rest(
    lab: Config, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_DRAIN_SECONDS", 0.3)

    async def half(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.Event().wait() if asked.target == "/hangs" else writer.close()

    peer = await serve({"/hangs": half, "/closes": half})
    started = time.monotonic()
    assert (await post(peer, "/hangs", seconds=1)).status == 202
    assert (await post(peer, "/closes")).status == 202
    assert time.monotonic() - started < 15


async def test_no_answer_in_time_is_unreachable(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": hang})
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        await post(peer, seconds=0.3)
    assert caught.value.reason == "time"
    assert time.monotonic() - started < 15


async def test_nobody_listening_is_unreachable(lab: Config, serve: Serve) -> None:
    peer = await serve({})
    await peer.stop()
    with pytest.raises(Unreachable) as caught:
        await post(peer)
    assert caught.value.reason == "connection"


async def test_plain_http_is_for_labs(wild: Config, dials: list[str]) -> None:
    with pytest.raises(Refused):
        await http.post("http://social.example/inbox", b"", {})
    assert dials == []


# ------------------------------------------------------------------------------------- closed under a request


async def test_a_kept_connection_that_is_closed_is_no_failure(lab: Config, serve: Serve) -> None:
    async def once(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.close() if len(peer.asked) == 2 else writer.write(reply())

    peer = await serve({"/inbox": once})
    signer = Signer()
    assert [(await post(peer, signer=signer)).status for _ in range(2)] == [200, 200]
    assert [(asked.connection, asked.headers["signature"]) for asked in peer.asked] == [
        (1, "1"),
        (1, "2"),
        (2, "3"),
    ]


async def test_it_is_tried_again_once_and_over_a_new_connection(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": reply(), "/closing": hang_up})
    await asyncio.gather(*(post(peer) for _ in range(3)))
    kept = peer.connections
    with pytest.raises(Unreachable) as caught:
        await post(peer, "/closing")
    assert (type(caught.value), caught.value.reason) == (Unreachable, "connection")
    assert [asked.connection > kept for asked in peer.asked if asked.target == "/closing"] == [False, True]


async def test_a_new_connection_that_is_closed_is_a_failure(lab: Config, serve: Serve) -> None:
    peer = await serve({"/inbox": hang_up})
    with pytest.raises(Unreachable) as caught:
        await post(peer)
    assert not isinstance(caught.value, HungUp)
    assert len(peer.asked) == 1
