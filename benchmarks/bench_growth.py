"""Whether timelines stay as cheap as they are when the server grows: CPU of a page at more and more posts.

    python benchmarks/bench_growth.py [posts …]        on SQLite in a temporary folder
    FEDIBLOG__DATABASE__URL=postgres://… python benchmarks/bench_growth.py

Pages are asked for through the application, without a socket, by two people: one follows ten accounts, one a
thousand. For each list the cheapest of some rounds counts; ratios are to the smallest server of the same run.
The time of a PostgreSQL server is not in our CPU: there look at the milliseconds that pass.
"""

import asyncio
import os
import sys
import tempfile
import time
from itertools import islice
from typing import Any

from fediblog import config as configuration
from fediblog import db, ids, keys, logs, moments, schema
from fediblog.app import create_app
from fediblog.models import Account, User
from fediblog.services import tokens

HERE = "http://localhost:8000"
SIZES, AUTHORS, FEW, ROUNDS, EACH = (1_000, 10_000, 100_000), 1_000, 10, 8, 40
_KEPT = 800  # Rows of a home, as a worker keeps them.
_POST = """
INSERT INTO post (id, uri, author_id, thread_id, visibility, local, content, hashtags, emojis, created_at)
VALUES ($1, $2, $3, $1, 0, FALSE, '<p>Hello</p>', '[]', '[]', $4)
"""


async def people() -> list[int]:
    """Authors elsewhere, by id."""
    made = []
    for number in range(AUTHORS):
        uri = f"https://remote.example/users/u{number}"
        author = await Account.create(
            username=f"u{number}", username_key=f"u{number}", domain="remote.example", local=False, uri=uri
        )
        made.append(author.id)
    return made


async def reader(name: str, authors: list[int]) -> tuple[int, str]:
    """Somebody who follows these, and a token."""
    account = await Account.create(
        username=name, username_key=name, local=True, uri=f"{HERE}/ap/accounts/{name}", public_key="x"
    )
    now = moments.now()
    user = await User.create(
        email=f"{name}@mail.example",
        email_key=f"{name}@mail.example",
        password_hash=keys.dummy_hash(),
        confirmed_at=now,
        approved_at=now,
    )
    async with db.transaction():
        sql = "INSERT INTO membership (user_id, account_id, role) VALUES ($1, $2, 'owner')"
        await db.execute(sql, user.id, account.id)
        for author in authors:
            await db.execute(
                "INSERT INTO follow (follower_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, 1)",
                *(account.id, author, ids.new(), f"{HERE}/{name}/{author}"),
            )
    return account.id, await tokens.create(account, user, "read")


async def grow(authors: list[int], readers: list[tuple[int, int]], have: int, want: int) -> None:
    """Write posts until there are so many, and the homes of the readers, (account, how many it follows)."""
    numbers = iter(range(have, want))
    while batch := list(islice(numbers, 5_000)):
        async with db.transaction():
            for number in batch:
                # The first of them writes so much that a page of theirs is full from the beginning.
                post_id, author = ids.new(), 0 if number % 40 == 0 else number * 7 % AUTHORS
                uri = f"https://remote.example/{number}"
                await db.execute(_POST, post_id, uri, authors[author], moments.now())
    async with db.transaction():
        for account_id, follows in readers:
            await db.execute(
                "INSERT INTO home_entry (account_id, post_id) SELECT CAST($1 AS BIGINT), p.id FROM post p"
                " JOIN follow f ON f.follower_id = $1 AND f.target_id = p.author_id"
                " ORDER BY p.id DESC LIMIT $2 ON CONFLICT DO NOTHING",
                *(account_id, min(_KEPT, follows * want)),
            )
        await db.execute("ANALYZE")


async def ask(app: Any, path: str, token: str) -> None:
    """One page. Raises AssertionError when it is none."""
    status = 0
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"limit=20",
        "headers": [(b"host", b"localhost:8000"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("192.0.2.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app.asgi_app(scope, receive, send)
    assert status == 200, (path, status)


async def cost(app: Any, path: str, token: str) -> tuple[float, float]:
    """Milliseconds of our CPU and of the clock for a page, the least of some rounds."""
    cpu = wall = float("inf")
    for _ in range(ROUNDS):
        worked, began = time.process_time(), time.perf_counter()
        for _ in range(EACH):
            await ask(app, path, token)
        cpu = min(cpu, (time.process_time() - worked) * 1_000 / EACH)
        wall = min(wall, (time.perf_counter() - began) * 1_000 / EACH)
    return cpu, wall


async def measure(sizes: list[int]) -> None:
    app = create_app(configuration.settings(), open_house=False)
    authors = await people()
    few, many = await reader("few", authors[:FEW]), await reader("many", authors)
    paths = {
        "home, 10 follows": ("/api/v1/timelines/home", few[1]),
        "home, 1,000 follows": ("/api/v1/timelines/home", many[1]),
        "public": ("/api/v1/timelines/public", few[1]),
        "an account": (f"/api/v1/accounts/{authors[0]}/statuses", few[1]),
    }
    first: dict[str, tuple[float, float]] = {}
    have = 0
    for size in sizes:
        await grow(authors, [(few[0], FEW), (many[0], AUTHORS)], have, size)
        have = size
        for name, (path, token) in paths.items():
            cpu, wall = await cost(app, path, token)
            base = first.setdefault(name, (cpu, wall))
            ratios = f"{cpu / base[0]:5.2f} x   {wall:7.3f} ms {wall / base[1]:5.2f} x"
            print(f"{size:>8,} posts   {name:<20} {cpu:7.3f} ms CPU {ratios}", flush=True)


async def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as folder:
        given = {"FEDIBLOG__DOMAIN": "localhost:8000", "FEDIBLOG__SECRET_KEY": "x" * 50}
        given |= {"FEDIBLOG__DATA_DIR": folder, "FEDIBLOG__LIMITS__RATE_LIMITS": "false"}
        config = configuration.load(None, {**os.environ, **given})
        configuration.use(config)
        logs.set_up(config.log.model_copy(update={"level": "warning"}))
        await db.connect(config)
        try:
            await schema.upgrade(config)
            await measure(sizes)
        finally:
            await db.close()


if __name__ == "__main__":
    asyncio.run(main())
