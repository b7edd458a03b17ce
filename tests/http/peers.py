"""Other servers, on loopback, that say exactly what a test wants: byte by byte where it matters."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

ACTIVITY = "application/activity+json"


@dataclass(frozen=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Answer = bytes | Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes = b"{}", status: int = 200, content_type: str = ACTIVITY, **fields: str) -> bytes:
    """A whole answer. `fields` are headers with underscores: `retry_after="5"`."""
    given = {"Content-Type": content_type, "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def moved(location: str, status: int = 302) -> bytes:
    return reply(b"", status, location=location)


async def hang(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Never answers; ends when the other side hangs up."""
    await asyncio.Event().wait()


async def hang_up(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


@dataclass
class Peer:
    """A server with a table of answers by path; what is not in the table is a 404."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    open: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        if context:
            context.sni_callback = lambda sock, name, ctx: self.names.append(name)
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while not writer.is_closing():
                    await self._answer(await _read(reader, number), reader, writer)
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(asked)
        answer = self.answers.get(asked.target.partition("?")[0], reply(b"", 404))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return
        # While something answers slowly, the other side may hang up.
        talking = asyncio.ensure_future(answer(asked, writer))
        gone = asyncio.ensure_future(_gone(reader))
        try:
            await asyncio.wait({talking, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                writer.close()
        finally:
            talking.cancel()
            gone.cancel()
            await asyncio.gather(talking, gone, return_exceptions=True)


async def _gone(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        await asyncio.sleep(0.01)


async def _read(reader: asyncio.StreamReader, connection: int) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    fields = (line.partition(": ") for line in lines if line)
    headers = {name.lower(): value for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body, connection)
