"""Push services of strangers, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple


class Pushed(NamedTuple):
    """What came for one device."""

    path: str
    headers: dict[str, str]
    body: bytes


class PushService:
    """A push service on a port of its own, and the book of what came. Without `answer` it keeps silent."""

    def __init__(self, answer: str | None = "201 Created", seconds: float = 0.02) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.book: list[Pushed] = []
        self._answer, self._seconds = answer, seconds

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take what is sent here while the block runs."""
        server = await asyncio.start_server(self._serve, sock=self._socket)
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().splitlines():
                headers = dict(line.split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers["Content-Length"]))
                await asyncio.sleep(self._seconds)
                self.book.append(Pushed(head[0].split()[1], headers, body))
                if self._answer is None:
                    continue
                writer.write(f"HTTP/1.1 {self._answer}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
