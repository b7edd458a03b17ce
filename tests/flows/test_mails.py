"""Mails from a worker that is killed, and to a mail server that is away."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from tests.harness.mail import MailServer, Received
from tests.harness.postgres import Postgres
from tests.harness.redis import RedisServer
from tests.harness.site import Site, until

pytestmark = pytest.mark.once

_MANY = 200
_SLOTS = 8
_AT_ONCE = 50  # So many mentions fit into a post.


async def test_a_worker_killed_in_the_middle_of_many_mails_loses_none_and_the_twins_are_known(
    install: Callable[..., Site],
    empty_database: str,
    postgres: Postgres,
    redis: RedisServer,
    smtp: MailServer,
) -> None:
    smtp.delay = 0.1
    site = install(database__url=empty_database, redis__url=redis.url, mail__url=smtp.url)
    names = [f"p{number}" for number in range(_MANY)]
    token = (await site.people("alice", *names))[0]
    web = site.start("web")
    worker = site.start("worker", "--name", "w1", "--concurrency", str(_SLOTS))
    await web.ready()
    await worker.says("worker ready")
    alice = await site.app(token)

    for start in range(0, _MANY, _AT_ONCE):
        await alice.write(" ".join(f"@{name}" for name in names[start : start + _AT_ONCE]))
    await smtp.wait(60)
    worker.kill()
    database: Any = await postgres.connect(empty_database.rpartition("/")[2])
    in_hand = await database.fetch("SELECT key FROM work WHERE kind = 'mail' AND state = 'leased'")
    assert 0 < len(in_hand) <= _SLOTS and len(smtp.mails) < _MANY

    worker = site.start("worker", "--name", "w1", "--concurrency", str(_SLOTS))
    await smtp.wait_for(lambda: len(addresses(smtp.mails)) == _MANY, 60)
    await until(lambda: nothing_owed(database))
    await database.close()

    arrived = addresses(smtp.mails)
    assert set(arrived) == {f"{name}@mail.example" for name in names}
    assert max(arrived.values()) <= 2
    twins = {mail.message["Message-ID"]: mail for mail in smtp.mails if arrived[mail.recipients[0]] == 2}
    assert len(twins) == sum(times == 2 for times in arrived.values()), "a twin has another Message-ID"
    assert {number_of(mail) for mail in twins.values()} <= {row["key"] for row in in_hand}
    print(f"killed with {len(in_hand)} mails in its hands, of which came twice: {sorted(twins)}")


def addresses(mails: list[Received]) -> Counter[str]:
    return Counter(mail.recipients[0] for mail in mails)


def number_of(mail: Received) -> str:
    """The number of the mail's row, which its Message-ID begins with."""
    found = re.match(r"<mail\.(\d+)\.", mail.message["Message-ID"])
    assert found is not None
    return found[1]


async def nothing_owed(database: "asyncpg.Connection[Any]") -> bool:
    return not await database.fetchval("SELECT count(*) FROM work")


async def test_a_mail_waits_for_the_server_and_its_link_ends_all_mails_of_its_kind(
    install: Callable[..., Site], smtp: MailServer
) -> None:
    smtp.stop()
    site = install(mail__url=smtp.url, mail__batch_minutes=0)
    token, _ = await site.people("alice", "bob")
    process = await site.run()
    alice = await site.app(token)
    await alice.write("@bob the first")
    await process.says("mail put off")
    smtp.start()
    [mail] = await smtp.wait(1, 40)
    assert mail.recipients == ["bob@mail.example"]
    await alice.write("@bob the second")
    await smtp.wait(2)

    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail.message["List-Unsubscribe"].strip("<>")
    assert address.startswith(f"{site.url}/")
    async with httpx.AsyncClient(trust_env=False) as mail_program:
        answer = await mail_program.post(address, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200, answer.text
    await alice.write("@bob the third")
    await until(lambda: tray_is_empty(site))
    assert [mail.recipients for mail in smtp.mails] == [["bob@mail.example"]] * 2
    assert len({mail.message["Message-ID"] for mail in smtp.mails}) == 2


async def tray_is_empty(site: Site) -> bool:
    tray = orjson.loads(await site.command("queue", "status", "--json"))
    assert not tray["quarantined"]
    return not tray["work"]
