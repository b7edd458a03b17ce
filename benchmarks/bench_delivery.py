"""How many letters leave in a second, beside what signing alone would allow; and how long the living wait
when a fifth of all servers is dead.

    python benchmarks/bench_delivery.py [hosts] [letters]        on SQLite in a temporary folder
    FEDIBLOG__DATABASE__URL=postgres://… python benchmarks/bench_delivery.py

One worker, real HTTP to the loopback network: each address of 127.1.0.0/16 is a server, all played by one
other process. All figures are of one run, so ratios mean something (EGRESS §2.2).
"""

import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import orjson

from fediblog import config as configuration
from fediblog import db, http, ids, keys, logs, moments, schema, uris
from fediblog.activitypub import delivery
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.models import Account

HERE = "http://localhost:8000"
# By the second byte of the address: what the server does with a letter.
WELL, FAILING, HANGING = 1, 2, 3
_SIGNATURES = 2_000


class Inbox(asyncio.Protocol):
    """Every server there is, as cheap as it can be: it counts what it takes."""

    taken: "Synchronized[int]"

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._kind = int(transport.get_extra_info("sockname")[0].split(".")[1])
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not found or len(rest) < int(length):
            return
        self._buffer = rest[int(length) :]
        if self._kind == WELL:
            self.taken.value += 1
            self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        elif self._kind == FAILING:
            self._transport.write(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")


def receive(listener: socket.socket, taken: "Synchronized[int]") -> None:
    """What the other process does until it is ended."""
    Inbox.taken = taken

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Inbox, sock=listener)
        await server.serve_forever()

    asyncio.run(serve())


def inboxes(number: int, port: int, kind: int = WELL) -> list[str]:
    return [f"http://127.{kind}.{n // 250}.{n % 250 + 1}:{port}/inbox" for n in range(number)]


def body(name: str) -> bytes:
    """A Create of 1.9 kB."""
    note = {"id": f"{name}/note", "type": "Note", "content": f"<p>{'Hello. ' * 240}</p>"}
    return orjson.dumps({"id": name, "type": "Create", "actor": f"{HERE}/ap/accounts/1", "object": note})


async def write(to: list[str]) -> None:
    """One letter to all of them."""
    number = ids.new()
    name = uris.activity_uri(number)
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, kind, body, created_at)"
            " VALUES ($1, $2, 1, 'Create', $3, $4)",
            *(number, name, body(name), moments.now()),
        )
        await delivery.enqueue(number, to)


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds by the wall, and of our CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def drained() -> None:
    """All that is due now has been sent, in as many spells as it takes."""
    while await db.value("SELECT 1 FROM server WHERE fails = 0 AND next_at IS NOT NULL LIMIT 1"):
        await delivery.drain()


async def all_healthy(hosts: int, letters: int, port: int, taken: "Synchronized[int]", secret: bytes) -> None:
    to = inboxes(hosts, port)
    await write(to)  # Meets everybody for the first time.
    await drained()
    put, _ = await timed(lambda: write(to))
    for _ in range(letters - 1):
        await write(to)
    before, number = taken.value, hosts * letters
    wall, cpu = await timed(drained)
    assert taken.value - before == number, (taken.value - before, number)
    rate, ceiling = number / wall, signatures(secret)
    print(
        f"{db.dialect()}: {hosts:,} hosts x {letters}: {rate:,.0f}/s, {cpu / number * 1e6:.0f} us of CPU each"
    )
    print(f"  RSA signing alone {ceiling:,.0f}/s   delivering is {rate / ceiling:.3f} of it")
    print(f"  CPU for one is {cpu / number * ceiling:.2f} signatures")
    print(f"  putting one letter in for all took {put * 1000:.0f} ms")


async def fifth_dead(hosts: int, port: int, taken: "Synchronized[int]") -> None:
    dead = hosts // 15
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing = inboxes(dead, unused.getsockname()[1], WELL)
    living = inboxes(hosts - 3 * dead, port)
    everybody = refusing + inboxes(dead, port, FAILING) + inboxes(dead, port, HANGING) + living
    await write(everybody)
    before, started = taken.value, time.perf_counter()
    drain = asyncio.create_task(delivery.drain())
    while taken.value - before < len(living):
        await asyncio.wait([drain], timeout=0.01)
    took = time.perf_counter() - started
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    print(f"{3 * dead} of {hosts} dead (refuse, 500, hang): all {len(living)} others after {took:.2f} s")


def signatures(secret: bytes) -> float:
    """How many requests one core signs in a second."""
    text = body("x")
    started = time.process_time()
    for _ in range(_SIGNATURES):
        sign("POST", f"{HERE}/inbox", {"Content-Type": ACTIVITY_JSON}, text, f"{HERE}#main-key", secret)
    return _SIGNATURES / (time.process_time() - started)


async def measure(hosts: int, letters: int) -> None:
    public, secret = keys.new_pair()
    await Account.create(
        id=1,
        username="alice",
        username_key="alice",
        local=True,
        uri=f"{HERE}/ap/accounts/1",
        key_id=f"{HERE}/ap/accounts/1#main-key",
        public_key=public,
        private_key=keys.seal(configuration.settings().secret, secret),
    )
    listener = socket.create_server(("0.0.0.0", 0), backlog=4096)
    port = listener.getsockname()[1]
    processes = multiprocessing.get_context("fork")
    taken = processes.Value("l", 0, lock=False)
    receiver = processes.Process(target=receive, args=(listener, taken), daemon=True)
    receiver.start()
    try:
        await all_healthy(hosts, letters, port, taken, secret)
        await fifth_dead(hosts, port, taken)
    finally:
        receiver.terminate()


async def main() -> None:
    hosts, letters = (int(word) for word in (sys.argv[1:] + ["1000", "2"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "FEDIBLOG__DOMAIN": "localhost:8000",
            "FEDIBLOG__BASE_URL": HERE,
            "FEDIBLOG__SECRET_KEY": "nothing here is worth a secret, really",
            "FEDIBLOG__DATA_DIR": folder,
            "FEDIBLOG__DATABASE__URL": os.environ.get("FEDIBLOG__DATABASE__URL", ""),
            "FEDIBLOG__FEDERATION__ALLOW_HTTP": "true",
            "FEDIBLOG__FEDERATION__ALLOW_NETWORKS": '["127.0.0.0/8"]',
        }
        config = configuration.load(None, environment)
        configuration.use(config)
        logs.set_up(configuration.Log(level="error"))
        await db.connect(config)
        await http.open(config)
        try:
            await schema.upgrade(config)
            await measure(hosts, letters)
        finally:
            await http.close()
            await db.close()


if __name__ == "__main__":
    asyncio.run(main())
