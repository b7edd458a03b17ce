"""The process is killed while it delivers: every letter arrives everywhere, in order, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest

from fediblog import db, ids, moments, uris
from fediblog.activitypub import delivery
from fediblog.activitypub.delivery.recorder import MOST_UNRECORDED
from fediblog.models import Account
from tests.flows.towns import LAB
from tests.harness import processes
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_HOSTS, _LETTERS = 12, 40
_KILL_AFTER = (80, 240)


class Receiver:
    """An inbox on a port of its own that takes its time, and the book of what came, in order."""

    def __init__(self) -> None:
        self.port = processes.free_port()
        self.book: list[str] = []

    @property
    def inbox(self) -> str:
        return f"http://127.0.0.1:{self.port}/inbox"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length))
                await asyncio.sleep(0.02)
                self.book.append(orjson.loads(body)["id"])
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def write_letters(inboxes: list[str]) -> list[str]:
    """As many letters to all of them; gives their names in order."""
    author = await Account.get(username="alice")
    names = []
    for _ in range(_LETTERS):
        number = ids.new()
        name = uris.activity_uri(number)
        async with db.transaction():
            await db.execute(
                "INSERT INTO activity (id, uri, account_id, kind, body, created_at)"
                " VALUES ($1, $2, $3, 'Create', $4, $5)",
                *(number, name, author.id, orjson.dumps({"id": name, "type": "Create"}), moments.now()),
            )
            await delivery.enqueue(number, inboxes)
        names.append(name)
    return names


async def test_every_letter_arrives_in_order_however_often_the_process_is_killed(
    install: Callable[..., Site],
) -> None:
    site = install(**LAB)
    await site.people("alice")
    receivers = [Receiver() for _ in range(_HOSTS)]
    async with site.inside():
        names = await write_letters([receiver.inbox for receiver in receivers])
    async with AsyncExitStack() as stack:
        for receiver in receivers:
            await stack.enter_async_context(receiver.open())
        for number in _KILL_AFTER:
            process = await site.run()
            await until(lambda number=number: sum(len(each.book) for each in receivers) >= number)
            process.kill()
        await site.run()
        await until(lambda: all(set(each.book) == set(names) for each in receivers))
        async with site.inside():
            await until(_all_done)
    twins = sum(len(receiver.book) for receiver in receivers) - _HOSTS * _LETTERS
    assert twins <= len(_KILL_AFTER) * MOST_UNRECORDED
    for receiver in receivers:
        assert list(dict.fromkeys(receiver.book)) == names


async def _all_done() -> bool:
    return await db.value("SELECT count(*) FROM delivery WHERE state <> 'done'") == 0
