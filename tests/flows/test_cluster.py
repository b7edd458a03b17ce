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


async def test_many_processes_tell_the_story_of_one(
    cluster: Cluster, empty_database: str, postgres: Postgres, redis: RedisServer, smtp: MailServer
) -> None:
    first, second = cluster.urls
    async with cluster.site.inside():
        token = await setup.setup_token()

    async def confirm(address: str) -> str:
        await smtp.wait_for(lambda: bool(smtp.to(address)))
        redis.flush()
        found = re.search(r"https?://\S+token=\S+", smtp.to(address)[0].text())
        assert found is not None
        return found[0]

    await play(first, f"{first}/setup?token={token}", second, confirm)

    alice = await cluster.site.person("alice", role="admin", url=first)
    bob = await cluster.site.person("bob", url=second)
    await alice.write("@bob hello")
    await smtp.wait_for(lambda: len(smtp.to("bob@mail.example")) == 1)
    poll = (await alice.write("tea?", poll={"options": ["yes", "no"], "expires_in": 300}))["poll"]
    voted = await bob.post(f"/api/v1/polls/{poll['id']}/votes", json={"choices": [0]})
    assert [option["votes_count"] for option in voted["options"]] == [1, 0]
    await five_minutes_pass(postgres, empty_database, int(poll["id"]))
    for reader in (alice, bob):
        await until(lambda reader=reader: has_notice(reader, "poll"))
    assert (await alice.get(f"/api/v1/polls/{poll['id']}"))["expired"]


async def test_redis_may_forget_everything_and_go_away(
    cluster: Cluster, redis: RedisServer, smtp: MailServer
) -> None:
    alice, bob, carol = await cluster.people("alice", "bob", "carol")
    for follower in (bob, carol):
        await follower.post(f"/api/v1/accounts/{alice.account_id}/follow")
    await alice.write("before")
    await until(lambda: has_on_home(bob, "before"))

    cluster.freeze()
    texts = [f"written before the flush, {number}" for number in range(10)]
    for text in texts:
        await alice.write(text)
    await bob.write("@carol a mail from before the flush")
    # Messages are sent by a thread, after the answer.
    await until(lambda: waiting(redis, "local") + waiting(redis, "deliver") >= 8)
    redis.flush()
    cluster.thaw()
    flushed = time.monotonic()
    await all_of_it_arrives(texts, [bob, carol], smtp, "carol@mail.example", 60)
    print(f"all that was owed is done {time.monotonic() - flushed:.1f} s after the flush")

    redis.stop()
    stopped = time.monotonic()
    texts = [f"written without redis, {number}" for number in range(10)]
    for text in texts:
        started = time.monotonic()
        await alice.write(text)
        assert time.monotonic() - started < 1.5
    await alice.write("@bob a mail from without redis")
    await all_of_it_arrives(texts, [bob, carol], smtp, "bob@mail.example", 30)
    took = time.monotonic() - stopped
    print(f"all that was owed is done {took:.1f} s after Redis went away")
    assert took < 30

    redis.start()
    await alice.write("after")
    await until(lambda: has_on_home(bob, "after"))
    assert Counter(mail.recipients[0] for mail in smtp.mails) == Counter(
        {"bob@mail.example": 1, "carol@mail.example": 1}
    )


async def all_of_it_arrives(
    texts: list[str], readers: list[App], smtp: MailServer, address: str, seconds: float
) -> None:
    """The posts on all homes, and the mail."""
    for reader in readers:
        await until(lambda reader=reader: has_on_home(reader, *texts), seconds)
    await smtp.wait_for(lambda: bool(smtp.to(address)), seconds)


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
