"""Many processes on PostgreSQL and Redis do what the one process does, and Redis may forget or go away."""

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fediblog.services import setup
from tests.flows.cluster import Cluster
from tests.harness.mail import MailServer
from tests.harness.postgres import Postgres
from tests.harness.redis import RedisServer
from tests.harness.site import App, Site, until
from tests.harness.story import play

pytestmark = pytest.mark.once


@pytest.fixture
async def cluster(
    install: Callable[..., Site], empty_database: str, redis: RedisServer, smtp: MailServer
) -> Cluster:
    """All processes, ready, and nobody signed up."""
    site = install(database__url=empty_database, redis__url=redis.url, mail__url=smtp.url)
    return await Cluster(site).start()


async def test_many_processes_tell_one_story_and_a_flushed_redis_loses_none_of_it(
    cluster: Cluster, empty_database: str, postgres: Postgres, redis: RedisServer, smtp: MailServer
) -> None:
    first, second = cluster.urls
    alice = await cluster.site.person("alice", role="admin", url=first)
    bob, carol = [await cluster.site.person(name, url=second) for name in ("bob", "carol")]
    for follower in (bob, carol):
        await follower.post(f"/api/v1/accounts/{alice.account_id}/follow")
    assert await kinds(alice) == Counter(follow=2)

    await alice.write("@bob hello")
    await smtp.wait_for(lambda: len(smtp.to("bob@mail.example")) == 1)
    await until(lambda: has_on_home(carol, "hello"))

    poll = (await alice.write("tea?", poll={"options": ["yes", "no"], "expires_in": 300}))["poll"]
    voted = await bob.post(f"/api/v1/polls/{poll['id']}/votes", json={"choices": [0]})
    assert [option["votes_count"] for option in voted["options"]] == [1, 0]
    await five_minutes_pass(postgres, empty_database, int(poll["id"]))
    for reader in (alice, bob):
        await until(lambda reader=reader: has_notice(reader, "poll"))
    assert (await carol.get(f"/api/v1/polls/{poll['id']}"))["expired"]

    cluster.freeze()
    texts = [f"written before the flush, {number}" for number in range(10)]
    for text in texts:
        await alice.write(text)
    await bob.write("@carol and a mail")
    assert waiting(redis, "local") + waiting(redis, "deliver") >= 8
    redis.flush()
    cluster.thaw()
    flushed = time.monotonic()
    for reader in (bob, carol):
        await until(lambda reader=reader: has_on_home(reader, *texts), 60)
    await smtp.wait_for(lambda: bool(smtp.to("carol@mail.example")), 60)
    print(f"all that was owed is done {time.monotonic() - flushed:.1f} s after the flush")
    assert Counter(mail.recipients[0] for mail in smtp.mails) == Counter(
        {"bob@mail.example": 1, "carol@mail.example": 1}
    )


async def test_without_redis_posting_goes_on_and_what_is_owed_is_done_within_thirty_seconds(
    cluster: Cluster, redis: RedisServer, smtp: MailServer
) -> None:
    alice, bob = await cluster.people("alice", "bob")
    await bob.post(f"/api/v1/accounts/{alice.account_id}/follow")
    await alice.write("before")
    await until(lambda: has_on_home(bob, "before"))

    redis.stop()
    stopped = time.monotonic()
    texts = [f"without redis, {number}" for number in range(10)]
    for text in texts:
        started = time.monotonic()
        await alice.write(text)
        assert time.monotonic() - started < 1.5
    await alice.write("@bob a mail, please")
    await until(lambda: has_on_home(bob, *texts), 30)
    await smtp.wait_for(lambda: bool(smtp.to("bob@mail.example")), 30)
    took = time.monotonic() - stopped
    print(f"all that was owed is done {took:.1f} s after Redis went away")
    assert took < 30

    redis.start()
    await alice.write("after")
    await until(lambda: has_on_home(bob, "after"))
    assert len(smtp.mails) == 1


async def test_browsers_see_the_same_story_on_many_processes(
    cluster: Cluster, redis: RedisServer, smtp: MailServer
) -> None:
    async with cluster.site.inside():
        token = await setup.setup_token()
    first, second = cluster.urls

    async def confirm(address: str) -> str:
        await smtp.wait_for(lambda: bool(smtp.to(address)))
        redis.flush()
        found = re.search(r"https?://\S+token=\S+", smtp.to(address)[0].text())
        assert found is not None
        return found[0]

    await play(first, f"{first}/setup?token={token}", second, confirm)


async def has_on_home(app: App, *texts: str) -> bool:
    home = " ".join(await app.home())
    return all(text in home for text in texts)


async def has_notice(app: App, kind: str) -> bool:
    return kind in await kinds(app)


async def kinds(app: App) -> Counter[str]:
    return Counter(notice["type"] for notice in await app.get("/api/v1/notifications"))


async def five_minutes_pass(postgres: Postgres, database: str, poll_id: int) -> None:
    """For one poll, which cannot be shorter."""
    connection: Any = await postgres.connect(database.rpartition("/")[2])
    try:
        await connection.execute("UPDATE poll SET expires_at = expires_at - 300000 WHERE id = $1", poll_id)
        await connection.execute(
            "UPDATE work SET not_before = not_before - 300000 WHERE kind = 'close_poll' AND key = $1",
            str(poll_id),
        )
    finally:
        await connection.close()


def waiting(redis: RedisServer, queue: str) -> int:
    with redis.client() as client:
        return int(client.llen(queue))
