"""How many activities the inbox takes in a second, beside what verifying and inserting alone would allow;
and how many of them become posts that somebody here sees.

    python benchmarks/bench_inbox.py [number]        on SQLite in a temporary folder
    FEDIBLOG__DATABASE__URL=postgres://… python benchmarks/bench_inbox.py

Requests go straight to the application, 32 at a time, without a socket: what is measured is the way from a
request to its durable row. All figures are of one run, so ratios mean something (EGRESS §3).
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from fediblog import config as configuration
from fediblog import db, ids, keys, logs, moments, schema
from fediblog.activitypub.inbox import processing
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.signatures.key_objects import holds, private_key, public_key, signature_of
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.app import create_app
from fediblog.models import Account, Post
from fediblog.services import inbox_items
from fediblog.services.inbox_items import New

HERE = "http://localhost:8000"
ACTORS, AT_ONCE = 50, 32


def uri(number: int) -> str:
    return f"https://remote.example/users/u{number}"


async def people(pem: str) -> None:
    """Actors that we know already, and somebody here who follows them all."""
    await Account.create(
        id=1, username="alice", username_key="alice", local=True, uri=f"{HERE}/ap/accounts/1"
    )
    for number in range(ACTORS):
        await Account.create(
            username=f"u{number}",
            username_key=f"u{number}",
            domain="remote.example",
            local=False,
            uri=uri(number),
            key_id=f"{uri(number)}#main-key",
            public_key=pem,
            followers_uri=f"{uri(number)}/followers",
            fetched_at=moments.now(),
        )
    async with db.transaction():
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
            " SELECT 1, id, id, uri, 1 FROM account WHERE id > 1"
        )


def letter(number: int) -> bytes:
    """A Create of 1.7 kB, as a big server sends it."""
    actor = uri(number % ACTORS)
    note = {
        "id": f"{actor}/statuses/{number}",
        "type": "Note",
        "attributedTo": actor,
        "content": f"<p>{'Hello. ' * 120}</p>",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": [f"{actor}/followers"],
        "published": "2026-11-22T21:45:00Z",
        "url": f"{actor}/{number}",
        "tag": [],
        "attachment": [],
    }
    activity = {
        "@context": ["https://www.w3.org/ns/activitystreams", {"sensitive": "as:sensitive"}],
        "id": f"{actor}/statuses/{number}/activity",
        "type": "Create",
        "actor": actor,
        "object": note,
    }
    return orjson.dumps(activity)


def request(body: bytes, number: int, secret: bytes) -> tuple[dict[str, Any], bytes]:
    key_id = f"{uri(number % ACTORS)}#main-key"
    headers = sign("POST", f"{HERE}/ap/inbox", {"Content-Type": ACTIVITY_JSON}, body, key_id, secret)
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": "/ap/inbox",
        "raw_path": b"/ap/inbox",
        "query_string": b"",
        "headers": pairs,
        "client": ("192.0.2.1", 1),
    }
    return scope, body


async def bring(app: Any, scope: dict[str, Any], body: bytes) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app.asgi_app(scope, receive, send)
    return status


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds by the wall, and of our CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def insert(number: int, at_once: int) -> None:
    """Rows alone, so many in one commit."""
    for start in range(0, number, at_once):
        await inbox_items.add(
            [New(f"x:{ids.new()}", uri(0), letter(n)) for n in range(start, start + at_once)]
        )


async def measure(number: int) -> None:
    app = create_app(configuration.settings(), open_house=False)
    pem, secret = keys.new_pair()
    await people(pem)
    requests = [request(letter(n), n, secret) for n in range(number + 200)]
    statuses: list[int] = []

    async def client(mine: list[tuple[dict[str, Any], bytes]]) -> None:
        for scope, body in mine:
            statuses.append(await bring(app, scope, body))

    async def all_clients(chosen: list[tuple[dict[str, Any], bytes]]) -> None:
        await asyncio.gather(*(client(chosen[start::AT_ONCE]) for start in range(AT_ONCE)))

    await all_clients(requests[number:])
    wall, cpu = await timed(lambda: all_clients(requests[:number]))
    assert set(statuses) == {202}, set(statuses)
    assert await inbox_items.waiting() == number + 200
    took, worked = await timed(processing.drain)
    assert await Post.all().count() == number + 200
    text = b"x" * 300
    signature, key = signature_of(private_key(secret), text), public_key(pem)
    started = time.process_time()
    for _ in range(2_000):
        assert holds(key, signature, text)
    verify = 2_000 / (time.process_time() - started)
    single, _ = await timed(lambda: insert(200, 1))
    grouped, _ = await timed(lambda: insert(3_200, AT_ONCE))
    accepted = number / wall
    ceilings = {
        "RSA verify alone": verify,
        "insert, 1 in a commit": 200 / single,
        f"insert, {AT_ONCE} in a commit": 3_200 / grouped,
    }
    print(f"{db.dialect()}: accepted {accepted:,.0f}/s, {cpu / number * 1e6:.0f} us of CPU each")
    for name, rate in ceilings.items():
        print(f"  {name:24} {rate:>9,.0f}/s   accepted is {accepted / rate:.3f} of it")
    visible = (number + 200) / took
    print(f"made visible {visible:,.0f}/s, {worked / (number + 200) * 1e6:.0f} us of CPU each")
    print(
        f"  {visible / (3_200 / grouped):.3f} of inserts of {AT_ONCE}, {visible / accepted:.2f} of accepting"
    )


async def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "FEDIBLOG__DOMAIN": "localhost:8000",
            "FEDIBLOG__BASE_URL": HERE,
            "FEDIBLOG__SECRET_KEY": "nothing here is worth a secret, really",
            "FEDIBLOG__DATA_DIR": folder,
            "FEDIBLOG__DATABASE__URL": os.environ.get("FEDIBLOG__DATABASE__URL", ""),
        }
        configuration.use(configuration.load(None, environment))
        logs.set_up(configuration.Log(level="warning"))
        await db.connect(configuration.settings())
        try:
            await schema.upgrade(configuration.settings())
            await measure(number)
        finally:
            await db.close()


if __name__ == "__main__":
    asyncio.run(main())
