"""The one process of the embedded default is killed, again and again."""

import pytest

from fediblog import db, moments
from tests.flows.stream import Stream, all_there_once
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_TIMES = 10


async def test_no_acknowledged_post_is_lost_or_doubled_when_the_process_is_killed_ten_times(
    site: Site,
) -> None:
    names = await site.people("alice", "bob", "carol")
    process = await site.run()
    alice, bob, carol = [await site.app(token) for token in names]
    for author in (alice, bob):
        await carol.post(f"/api/v1/accounts/{author.account_id}/follow")

    async with Stream(alice, alice, bob, bob) as stream:
        for _ in range(_TIMES):
            await stream.more(20)
            process.kill()
            process = await site.run()

    await all_there_once(stream, [alice, bob], [carol])
    print(f"{len(stream.acknowledged)} posts, {stream.unanswered} requests without an answer")


async def test_a_post_for_later_is_published_once_by_the_process_that_is_there_when_its_time_has_come(
    site: Site,
) -> None:
    (token,) = await site.people("alice")
    process = await site.run()
    alice = await site.app(token)
    at = moments.iso(moments.now() + moments.HOUR)
    await alice.write("For later", scheduled_at=at)
    process.kill()
    async with site.inside(), db.transaction():
        await db.execute("UPDATE scheduled_post SET scheduled_at = 1")
        await db.execute("UPDATE work SET not_before = 1 WHERE kind = 'publish'")
    process = await site.run()
    await until(alice.written)
    process.kill()
    await site.run()
    assert await alice.written() == ["For later"]
    assert await alice.get("/api/v1/scheduled_statuses") == []
