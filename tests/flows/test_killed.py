"""The one process of the embedded default is killed, again and again."""

import pytest

from tests.flows.stream import Stream, all_there_once
from tests.harness.site import Site

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
