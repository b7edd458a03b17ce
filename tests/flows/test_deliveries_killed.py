"""The process is killed while people write, change and delete: all of it arrives everywhere, in order.

`test_delivery_killed` has letters that are there already; here each has to be made of what happened, too.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from fediblog import db, ids
from fediblog.activitypub.delivery.recorder import MOST_UNRECORDED
from fediblog.models import Account
from tests.flows.receivers import Receiver
from tests.flows.towns import LAB
from tests.harness.site import App, Site, until
from tests.people import remote

pytestmark = pytest.mark.once

_HOSTS, _POSTS, _KILLS = 24, 12, 3
_ORDER = ["Create", "Update", "Delete"]


async def test_all_that_happens_is_told_everywhere_in_order_however_often_the_process_is_killed(
    install: Callable[..., Site],
) -> None:
    site = install(**LAB)
    (token,) = await site.people("alice")
    receivers = [Receiver(0.005) for _ in range(_HOSTS)]
    async with site.inside():
        await follow("alice", receivers)
    async with AsyncExitStack() as stack:
        for receiver in receivers:
            await stack.enter_async_context(receiver.open())
        process = await site.run()
        alice = await site.app(token)
        living = asyncio.create_task(live(alice))
        for _ in range(_KILLS):
            before = arrived(receivers)
            await until(lambda before=before: arrived(receivers) >= before + 2 * _HOSTS)
            process.kill()
            process = await site.run()
        await living
        async with site.inside():
            await until(all_told)
            made = await db.column("SELECT uri FROM activity")
    check(receivers, made)


async def follow(name: str, receivers: Sequence[Receiver]) -> None:
    """On each of these servers somebody follows them."""
    followed = await Account.get(username=name, domain="")
    for receiver in receivers:
        reader = await remote("reader", receiver.domain, inbox=receiver.inbox, shared_inbox="")
        async with db.transaction():
            await db.execute(
                "INSERT INTO follow (id, follower_id, target_id, uri, created_at) VALUES ($1, $2, $3, $4, 0)",
                *(ids.new(), reader.id, followed.id, f"{reader.uri}/follow"),
            )


async def live(alice: App) -> None:
    """Publish, change and delete, one post after the other; each step again until it is acknowledged."""
    for number in range(_POSTS):
        key = {"Idempotency-Key": f"post-{number}"}
        written = await insist(
            alice, "POST", "/api/v1/statuses", json={"status": f"One {number}"}, headers=key
        )
        path = f"/api/v1/statuses/{written.json()['id']}"
        await asyncio.sleep(0.1)
        await insist(alice, "PUT", path, json={"status": f"Two {number}"})
        await asyncio.sleep(0.1)
        await insist(alice, "DELETE", path)


async def insist(app: App, method: str, path: str, **options: Any) -> httpx.Response:
    """Whoever had no answer does it again; what is deleted already is."""
    while True:
        try:
            answer = await app.send(method, path, **options)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.is_success or (method, answer.status_code) == ("DELETE", 404):
            return answer
        assert answer.status_code >= 500, answer.text
        await asyncio.sleep(0.05)


def arrived(receivers: Sequence[Receiver]) -> int:
    """How many letters there are in all books."""
    return sum(len(receiver.book) for receiver in receivers)


async def all_told() -> bool:
    """Whether nothing is on its way any more."""
    events = await db.value("SELECT count(*) FROM event")
    waiting = await db.value("SELECT count(*) FROM delivery WHERE state <> 'done'")
    return not events and not waiting


def check(receivers: Sequence[Receiver], made: Sequence[str]) -> None:
    """Every letter is in every book, few twice, and each post begins, changes and ends."""
    for receiver in receivers:
        assert set(receiver.book) == set(made)
        steps: dict[str, list[str]] = {}
        for uri in dict.fromkeys(receiver.book):
            letter = receiver.letters[uri]
            steps.setdefault(letter["object"]["id"], []).append(letter["type"])
        assert len(steps) == _POSTS
        for kinds in steps.values():
            # What was deleted before its first letter was made has only an end.
            assert kinds == sorted(kinds, key=_ORDER.index) and kinds[-1] == "Delete"
        assert Counter(kind for kinds in steps.values() for kind in kinds)["Create"] > _POSTS // 2
    assert arrived(receivers) - _HOSTS * len(made) <= _KILLS * MOST_UNRECORDED
