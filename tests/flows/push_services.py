"""Push services of strangers, over real HTTP."""

import asyncio
from typing import NamedTuple

from tests.flows.listening import Listener


class Pushed(NamedTuple):
    """What came for one device."""

    path: str
    headers: dict[str, str]
    body: bytes


class PushService(Listener):
    """A push service on a port of its own, and the book of what came. Without `answer` it keeps silent."""

    def __init__(self, answer: str | None = "201 Created", seconds: float = 0.02) -> None:
        super().__init__()
        self.url = f"http://{self.domain}"
        self.book: list[Pushed] = []
        self._said, self._seconds = answer, seconds

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode().splitlines()
        headers = dict(line.split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        await asyncio.sleep(self._seconds)
        self.book.append(Pushed(first.split()[1], headers, body))
        if self._said is not None:
            writer.write(f"HTTP/1.1 {self._said}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
