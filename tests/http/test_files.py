"""Media: straight to the disk, all of it or nothing."""

import asyncio
import errno
import hashlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fediblog import http
from fediblog.config import Config
from fediblog.errors import NoSpace
from fediblog.http import TooMuch, Unreachable, Unwelcome
from tests.http.authority import Authority
from tests.http.peers import Asked, Peer, reply

pytestmark = pytest.mark.once

Serve = Callable[..., Awaitable[Peer]]
MOST = 8 * 1024 * 1024


async def test_a_large_file_arrives_through_the_small_tls_buffer(
    lab: Config, serve: Serve, authority: Authority, file: Path
) -> None:
    content = random.Random(1).randbytes(MOST)
    peer = await serve({"/a": reply(content, content_type="image/png")}, authority.context("media.example"))
    saved = await http.fetch_to_file(
        f"https://media.example:{peer.port}/a", file, accept=["image/*"], most_bytes=MOST
    )
    assert (saved.size, saved.content_type.essence, saved.status) == (MOST, "image/png", 200)
    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(content).digest()


async def break_off(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 999999\r\n\r\n" + bytes(200_000)
    )
    writer.close()


async def stop_sending(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 999999\r\n\r\n" + bytes(200_000)
    )
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (break_off, Unreachable),
        (stop_sending, Unreachable),
        (reply(bytes(1_000_001), content_type="image/png"), TooMuch),
        (reply(content_type="text/html"), Unwelcome),
        (reply(status=404, content_type="image/png"), Unwelcome),
    ],
)
async def test_what_fails_leaves_no_file(
    lab: Config, serve: Serve, file: Path, answer: object, error: type[Exception]
) -> None:
    peer = await serve({"/a": answer})
    url = f"http://media.example:{peer.port}/a"
    with pytest.raises(error):
        await http.fetch_to_file(url, file, accept=["image/*"], most_bytes=1_000_000, seconds=0.5)
    assert not file.exists()


async def test_who_gives_up_leaves_no_file(lab: Config, serve: Serve, file: Path) -> None:
    peer = await serve({"/a": stop_sending})
    url = f"http://media.example:{peer.port}/a"
    fetching = asyncio.create_task(http.fetch_to_file(url, file, accept=["image/*"], most_bytes=MOST))
    async with asyncio.timeout(5):
        while not file.exists():
            await asyncio.sleep(0.01)
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    assert not file.exists()


async def test_a_full_disk_is_our_trouble_and_leaves_no_file(
    lab: Config, serve: Serve, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(function: object, *given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    peer = await serve({"/a": reply(bytes(1000), content_type="image/png")})
    monkeypatch.setattr("fediblog.http.fetching.asyncio.to_thread", full)
    with pytest.raises(NoSpace):
        await http.fetch_to_file(
            f"http://media.example:{peer.port}/a", file, accept=["image/*"], most_bytes=MOST
        )
    assert not file.exists()


async def test_what_is_there_already_is_left_alone(lab: Config, serve: Serve, file: Path) -> None:
    file.write_bytes(b"mine")
    peer = await serve({"/a": reply(content_type="image/png")})
    with pytest.raises(FileExistsError):
        await http.fetch_to_file(
            f"http://media.example:{peer.port}/a", file, accept=["image/*"], most_bytes=MOST
        )
    assert file.read_bytes() == b"mine"
