"""The process is killed while it delivers: every letter arrives everywhere, in order, over real HTTP."""

from collections.abc import Callable
from contextlib import AsyncExitStack

import orjson
import pytest

from fediblog import db, ids, moments, uris
from fediblog.activitypub import delivery
from fediblog.activitypub.delivery.recorder import MOST_UNRECORDED
from fediblog.models import Account
from tests.flows.receivers import Receiver
from tests.flows.towns import LAB
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_HOSTS, _LETTERS = 12, 40
_KILL_AFTER = (80, 240)


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
