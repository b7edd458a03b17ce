"""Inboxes of other servers, over real HTTP."""

import asyncio
from typing import Any

import orjson

from tests.flows.listening import Listener


class Receiver(Listener):
    """An inbox on a port of its own that takes its time, and the book of what came, in order."""

    def __init__(self, seconds: float = 0.02) -> None:
        super().__init__()
        self.book: list[str] = []
        self.letters: dict[str, dict[str, Any]] = {}
        self._seconds = seconds

    @property
    def inbox(self) -> str:
        return f"http://{self.domain}/inbox"

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        letter = orjson.loads(await reader.readexactly(int(length)))
        await asyncio.sleep(self._seconds)
        self.book.append(letter["id"])
        self.letters[letter["id"]] = letter
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
