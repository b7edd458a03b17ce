"""The process is killed while other servers bring what they have: what was acknowledged is there, once."""

import asyncio
from itertools import count

import httpx
import orjson
import pytest

from fediblog import db
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.services import inbox_items
from tests.harness.site import Site, until
from tests.people import pair, remote

pytestmark = pytest.mark.once

_TIMES = 4
_ACTORS = 6


class Sender:
    """One actor elsewhere that brings one activity after the other, again until it is acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        self._inbox = f"{url}/ap/inbox"
        self._uri = f"https://remote.example/users/{name}"
        self._numbers = count(1)
        self.acknowledged: list[str] = []
        self.unanswered = 0

    async def send_for_ever(self) -> None:
        async with httpx.AsyncClient() as client:
            for number in self._numbers:
                await self._bring(client, f"{self._uri}/{number}")

    async def _bring(self, client: httpx.AsyncClient, uri: str) -> None:
        body = orjson.dumps({"id": uri, "type": "View", "actor": self._uri, "object": uri})
        while True:
            headers = sign(
                *("POST", self._inbox, {"Content-Type": ACTIVITY_JSON}, body),
                *(f"{self._uri}#main-key", pair()[1]),
            )
            try:
                answer = await client.post(self._inbox, content=body, headers=headers)
            except httpx.TransportError:
                self.unanswered += 1
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                self.acknowledged.append(uri)
                return


async def test_what_others_brought_survives_kills_and_has_its_effect(site: Site) -> None:
    await site.people("alice")
    async with site.inside():
        for number in range(_ACTORS):
            await remote(f"u{number}", "remote.example")
    process = await site.run()
    senders = [Sender(site.url, f"u{number}") for number in range(_ACTORS)]
    sending = [asyncio.create_task(sender.send_for_ever()) for sender in senders]
    for _ in range(_TIMES):
        before = sum(len(sender.acknowledged) for sender in senders)
        await until(lambda before=before: sum(len(s.acknowledged) for s in senders) >= before + 60)
        process.kill()
        process = await site.run()
    for task in sending:
        task.cancel()
    await asyncio.gather(*sending, return_exceptions=True)

    async with site.inside():
        await until(_all_done)
        kept = await db.column("SELECT uri FROM inbox_item")
        assert await inbox_items.quarantined() == []
    acknowledged = {uri for sender in senders for uri in sender.acknowledged}
    assert acknowledged <= set(kept)
    assert len(kept) == len(set(kept))
    assert sum(sender.unanswered for sender in senders) > 0


async def _all_done() -> bool:
    return await inbox_items.waiting() == 0
