"""What hostile servers send: too much, too slowly, the wrong thing. None of it costs memory or time."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.http import TooMuch, Unreachable, Unwelcome
from tests.http.peers import ACTIVITY, Asked, Peer, hang, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]
MEGABYTE = 1024 * 1024
MOST_GROWTH = 10 * MEGABYTE
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n"
PACKED = gzip.compress(b"{}", mtime=0)  # Each test process must give the tests the same names.


async def fetch(peer: Peer, path: str = "/a", **wishes: object) -> http.Fetched:
    url = f"http://social.example:{peer.port}{path}"
    return await http.fetch(url, accept=[ACTIVITY], **wishes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """200 MB of nothing in 200 kB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([packer.compress(bytes(MEGABYTE)) for _ in range(200)]) + packer.flush()


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fails when the test ever needs 10 MB more than at its start; the servers are part of that."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < MOST_GROWTH, f"{(peak - before) / MEGABYTE:.1f} MB"


async def test_a_packed_document_is_unpacked(lab: Config, serve: Serve) -> None:
    document = b'{"name": "' + b"a" * 500_000 + b'"}'
    packed = gzip.compress(document)
    peer = await serve({"/a": reply(packed, content_encoding="gzip"), "/b": reply(document)})
    assert (await fetch(peer)).body == (await fetch(peer, "/b")).body == document


async def test_a_document_may_be_as_big_as_the_budget_and_no_bigger(lab: Config, serve: Serve) -> None:
    peer = await serve(
        {"/a": reply(b"a" * 1000), "/b": reply(gzip.compress(b"a" * 1000), content_encoding="gzip")}
    )
    for path in ("/a", "/b"):
        assert len((await fetch(peer, path, most_bytes=1000)).body) == 1000
        with pytest.raises(TooMuch):
            await fetch(peer, path, most_bytes=999)


async def test_a_gzip_bomb_is_refused(lab: Config, serve: Serve, bomb: bytes, little_memory: None) -> None:
    peer = await serve({"/a": reply(bomb, content_encoding="gzip")})
    started = time.monotonic()
    with pytest.raises(TooMuch) as caught:
        await fetch(peer)
    assert caught.value.reason == "bytes"
    assert time.monotonic() - started < 15


async def test_a_gzip_bomb_is_refused_as_a_file(
    lab: Config, serve: Serve, bomb: bytes, little_memory: None, file: Path
) -> None:
    peer = await serve({"/a": reply(bomb, content_encoding="gzip", content_type="image/png")})
    url = f"http://social.example:{peer.port}/a"
    with pytest.raises(TooMuch):
        await http.fetch_to_file(url, file, accept=["image/*"], most_bytes=8 * MEGABYTE)
    assert not file.exists()


async def test_a_body_that_is_announced_too_big_is_not_read(
    lab: Config, serve: Serve, little_memory: None
) -> None:
    async def announce(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 209715200\r\n\r\n")
        await asyncio.Event().wait()

    peer = await serve({"/a": announce})
    started = time.monotonic()
    with pytest.raises(TooMuch):
        await fetch(peer)
    assert time.monotonic() - started < 15


async def test_a_packing_that_grows_and_holds_nothing_is_refused(
    lab: Config, serve: Serve, little_memory: None
) -> None:
    """Deflate has blocks of no bytes at all (RFC 1951 §3.2.4): what comes out is never too much."""
    head = b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + PACKED[:10]
    peer = await serve({"/a": _endless(head, b"\0\0\0\xff\xff" * 13_000)})
    with pytest.raises(TooMuch):
        await fetch(peer)


@pytest.mark.parametrize("coding", ["chunked", "close"])
async def test_200_mb_are_refused_after_the_first(
    lab: Config, serve: Serve, little_memory: None, coding: str
) -> None:
    head, piece = b"Connection: close\r\n\r\n", bytes(65536)
    if coding == "chunked":
        head, piece = b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + piece + b"\r\n"
    peer = await serve({"/a": _endless(head, piece)})
    started = time.monotonic()
    with pytest.raises(TooMuch):
        await fetch(peer)
    assert time.monotonic() - started < 15


def _endless(head: bytes, piece: bytes) -> Callable[..., Awaitable[None]]:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + head)
        for _ in range(3200):
            writer.write(piece)
            await writer.drain()

    return answer


def _drip(first: bytes, drop: bytes) -> Callable[..., Awaitable[None]]:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hang, id="nothing"),
        pytest.param(_drip(b"HTTP/1.1 200 OK", b"!"), id="status"),
        pytest.param(_drip(OK, b"a: b\r\n"), id="headers"),
        pytest.param(_drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="informational"),
        pytest.param(_drip(OK + b"Content-Length: 9000\r\n\r\n", b" "), id="body"),
        pytest.param(_drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), id="chunks"),
    ],
)
async def test_what_comes_in_drops_ends_by_the_deadline(lab: Config, serve: Serve, answer: object) -> None:
    peer = await serve({"/a": answer})
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        await fetch(peer, seconds=0.5)
    assert caught.value.reason in ("time", "answer")
    assert time.monotonic() - started < 1.5


async def test_one_deadline_is_for_all_hops(lab: Config, serve: Serve) -> None:
    def slowly(location: str) -> Callable[..., Awaitable[None]]:
        async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.5)
            writer.write(reply(b"", 302, location=location))

        return answer

    # On a busy machine all but the waiting may take a quarter of a second.
    peer = await serve({f"/{number}": slowly(f"/{number + 1}") for number in range(5)})
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        await fetch(peer, "/0", seconds=1.25)
    assert (caught.value.reason, len(peer.asked)) == ("time", 3)
    assert time.monotonic() - started < 2.4


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "application/json",
        "text/html; application/activity+json",
        "application/activity+json, text/html",
        "application/activity+jsonp",
        "",
    ],
)
async def test_another_type_is_not_taken(lab: Config, serve: Serve, content_type: str) -> None:
    peer = await serve({"/a": reply(content_type=content_type)})
    with pytest.raises(Unwelcome) as caught:
        await fetch(peer)
    assert (caught.value.reason, caught.value.status) == ("type", 200)


async def test_two_types_are_none(lab: Config, serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\nContent-Type: "
    peer = await serve({"/a": head + ACTIVITY.encode() + b"\r\n\r\n{}"})
    with pytest.raises(Unwelcome):
        await fetch(peer)


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "compress"])
async def test_a_packing_that_was_not_asked_for_is_not_taken(lab: Config, serve: Serve, coding: str) -> None:
    peer = await serve({"/a": reply(content_encoding=coding)})
    with pytest.raises(Unwelcome) as caught:
        await fetch(peer)
    assert caught.value.reason == "encoding"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{}", Unwelcome),
        (PACKED + b"{}", Unwelcome),
        (PACKED + PACKED, Unwelcome),
        (PACKED[:-3], Unreachable),
    ],
)
async def test_gzip_that_is_none_is_not_taken(
    lab: Config, serve: Serve, body: bytes, error: type[Exception]
) -> None:
    peer = await serve({"/a": reply(body, content_encoding="gzip")})
    with pytest.raises(error):
        await fetch(peer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="ssh"),
        pytest.param(b"-ERR unknown command\r\n\r\n", id="redis"),
        pytest.param(OK + b"a: " + b"b" * 100_000 + b"\r\n\r\n", id="long header"),
        pytest.param(OK + b"a: b\r\n" * 5000 + b"\r\n", id="many headers"),
        pytest.param(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
        pytest.param(OK + b"Content-Length: -2\r\n\r\n{}", id="negative length"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", id="no chunk"),
        pytest.param(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both"),
    ],
)
async def test_what_is_no_http_is_unreachable(lab: Config, serve: Serve, answer: bytes) -> None:
    async def say(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    peer = await serve({"/a": say})
    with pytest.raises(Unreachable) as caught:
        await fetch(peer, seconds=3)
    assert "SSH" not in str(caught.value) and "ERR" not in str(caught.value)


async def test_a_body_that_breaks_off_is_unreachable(lab: Config, serve: Serve) -> None:
    async def say(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 100\r\n\r\n{")
        writer.close()

    peer = await serve({"/a": say})
    with pytest.raises(Unreachable):
        await fetch(peer)
