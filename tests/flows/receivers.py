"""Inboxes of other servers, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson


class Receiver:
    """An inbox on a port of its own that takes its time, and the book of what came, in order."""

    def __init__(self, seconds: float = 0.02) -> None:
        # Its port is taken from now on, and nobody listens there yet.
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        self.book: list[str] = []
        self.letters: dict[str, dict[str, Any]] = {}
        self._seconds = seconds

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def inbox(self) -> str:
        return f"http://{self.domain}/inbox"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take what is sent here while the block runs."""
        server = await asyncio.start_server(self._serve, sock=self._socket)
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                letter = orjson.loads(await reader.readexactly(int(length)))
                await asyncio.sleep(self._seconds)
                self.book.append(letter["id"])
                self.letters[letter["id"]] = letter
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
