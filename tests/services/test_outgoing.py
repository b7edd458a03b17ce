"""The tray of letters: servers are leased, and what becomes of their letters is written down."""

import asyncio

import pytest

from fediblog import db, ids, moments
from fediblog.models import Account
from fediblog.services import outgoing, servers
from fediblog.services.outgoing import Host, Left, Put
from tests.harness import statements
from tests.people import remote


async def activity(author: Account) -> int:
    number = ids.new()
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, kind, body, created_at)"
            " VALUES ($1, $2, $3, 'Create', $4, $5)",
            *(number, f"x:{number}", author.id, b"{}", moments.now()),
        )
    return number


async def owe(author: Account, *domains: str) -> int:
    number = await activity(author)
    async with db.transaction():
        await outgoing.enqueue(number, {domain: [f"https://{domain}/inbox"] for domain in domains})
    return number


async def sql(statement: str, *values: object) -> None:
    async with db.transaction():
        await db.execute(statement, *values)


async def lease(owner: str = "one", most: int = 64, failing: bool = False) -> list[Host]:
    return await outgoing.lease(owner, most, failing)


async def test_workers_that_ask_at_once_share_the_servers_and_none_has_two(alice: Account):
    await owe(alice, *(f"s{number}.example" for number in range(40)))
    found = await asyncio.gather(*(lease(f"worker{number}", 10) for number in range(6)))
    domains = [host.domain for hosts in found for host in hosts]
    assert len(domains) == len(set(domains))
    domains += [host.domain for host in await lease("last")]
    assert len(domains) == len(set(domains)) == 40


async def test_a_lease_that_ran_out_is_anybodys(alice: Account):
    await owe(alice, "a.example")
    await lease("one")
    await sql("UPDATE server SET lease_until = $1", moments.now() - 1)
    (host,) = await lease("two")
    assert host.domain == "a.example"


async def test_a_look_that_finds_nothing_writes_nothing(alice: Account, queries):
    with queries() as sent:
        assert await lease() == []
    assert sent.writes == []


async def test_of_each_server_the_next_letters_come_in_their_order(alice: Account):
    numbers = [await owe(alice, "a.example", "b.example") for _ in range(5)]
    hosts = await lease()
    found = await outgoing.letters(hosts, 3)
    assert {host.id for host in hosts} == set(found)
    for letters in found.values():
        assert [letter.activity_id for letter in letters] == numbers[:3]


async def test_a_failing_server_is_tried_with_its_next_letter_until_that_is_suspect(alice: Account):
    first, second = await owe(alice, "a.example"), await owe(alice, "a.example")
    (host,) = await lease()
    for _ in range(outgoing._SUSPECT):
        (letter,) = (await outgoing.probes([host]))[host.id]
        assert letter.activity_id == first
        await outgoing.settle("one", [Put(letter.id, "due", "status 500")], [])
    (letter,) = (await outgoing.probes([host]))[host.id]
    assert letter.activity_id == second


async def test_what_a_worker_says_of_a_server_that_it_lost_is_not_heard(alice: Account):
    await owe(alice, "a.example")
    (host,) = await lease("one")
    await sql("UPDATE server SET lease_owner = 'two'")
    await outgoing.settle("one", [], [Left(host, fails=3)])
    assert await db.row("SELECT fails, lease_owner FROM server") == {"fails": 0, "lease_owner": "two"}


async def test_what_is_put_in_for_a_failing_server_waits_for_its_plan(alice: Account):
    await owe(alice, "a.example")
    (host,) = await lease()
    later = moments.now() + moments.HOUR
    await outgoing.settle("one", [], [Left(host, 1, moments.now(), "time", later)])
    await owe(alice, "a.example")
    assert await db.value("SELECT next_at FROM server") == later


async def test_a_letter_that_is_due_later_makes_its_server_due_then(alice: Account):
    await owe(alice, "a.example")
    (host,) = await lease()
    (letter,) = (await outgoing.letters([host], 1))[host.id]
    await outgoing.settle("one", [Put(letter.id, "due", "status 422", 5_000, 1)], [Left(host)])
    assert await db.value("SELECT next_at FROM server") == 5_000


async def test_how_many_went_is_written_with_three_statements(alice: Account, queries):
    await owe(alice, *(f"s{number}.example" for number in range(10)))
    hosts = await lease()
    letters = [some[0] for some in (await outgoing.letters(hosts, 1)).values()]
    puts = [Put(letter.id, "done") for letter in letters[:6]]
    puts += [Put(letter.id, "failed", "status 403") for letter in letters[6:]]
    with queries() as sent:
        await outgoing.settle("one", puts, [Left(host) for host in hosts])
    assert len(sent.writes) == 3
    found = await db.rows("SELECT state, count(*) AS number FROM delivery GROUP BY state ORDER BY state")
    assert found == [{"state": "done", "number": 6}, {"state": "failed", "number": 4}]
    assert await db.value("SELECT count(*) FROM server WHERE next_at IS NOT NULL") == 0


async def test_those_who_owe_and_those_who_write_down_do_not_wait_crosswise(alice: Account):
    domains = [f"s{number}.example" for number in range(60)]
    await owe(alice, *domains)
    hosts = await lease()

    async def settle(some: list[Host]) -> None:
        await outgoing.settle("one", [], [Left(host) for host in some])

    await asyncio.gather(
        *(owe(alice, *reversed(domains)) for _ in range(4)),
        *(owe(alice, *domains) for _ in range(4)),
        settle(hosts[::-1]),
        settle(hosts),
    )
    assert await db.value("SELECT count(*) FROM delivery") == 9 * 60


async def test_what_ended_a_month_ago_is_thrown_away(alice: Account):
    old = moments.now() - outgoing.KEPT - 1
    await owe(alice, "a.example")
    await owe(alice, "b.example")
    await sql("UPDATE activity SET created_at = $1", old)
    await sql(
        "UPDATE delivery SET state = 'done', ended_at = $1 WHERE inbox = $2", old, "https://a.example/inbox"
    )
    assert await outgoing.prune() == 2
    assert await db.column("SELECT inbox FROM delivery") == ["https://b.example/inbox"]
    assert await outgoing.prune() == 0


async def test_looking_for_letters_reads_no_table_whole(alice: Account, explain):
    known = await servers_with_many_rows(alice)
    for order in ("x.id", f"x.attempts / {outgoing._SUSPECT}, x.id"):
        plan = await explain(outgoing._letters(order, 8), db.array(known), moments.now())
        assert any("delivery_due" in line for line in plan), plan
        assert not any("Seq Scan on delivery" in line or "SCAN d" in line for line in plan), plan
    plan = "\n".join(await explain(outgoing._lease(outgoing._FREE[False]), 5, "one", 9, 64))
    assert "server_due" in plan


async def test_those_behind_an_inbox_are_found_by_index(alice: Account, explain):
    people = [await remote(name, "a.example") for name in ("rita", "rob")]
    await remote("rita", "b.example")
    assert sorted(await outgoing.behind("https://a.example/inbox")) == sorted(one.id for one in people)
    assert await outgoing.behind(people[0].inbox) == [people[0].id]
    assert await outgoing.behind(alice.inbox) == []
    crowd = [
        Account(
            local=False,
            username="x",
            username_key=f"x{n}",
            domain="c.example",
            uri=f"u:{n}",
            inbox=f"i:{n}",
            shared_inbox=f"s:{n}",
        )
        for n in range(2_000)
    ]
    await Account.bulk_create(crowd)
    await statements.analyse()
    plan = "\n".join(await explain(outgoing._BEHIND, people[0].inbox))
    assert "account_inbox" in plan
    assert "account_shared_inbox" in plan


async def servers_with_many_rows(author: Account) -> list[int]:
    number = await activity(author)
    domains = [f"s{number}.example" for number in range(100)]
    async with db.transaction():
        known = await servers.numbers(domains)
        await outgoing.enqueue(
            number, {domain: [f"https://{domain}/{n}" for n in range(20)] for domain in domains}
        )
        await db.execute("UPDATE delivery SET state = 'done', ended_at = 1 WHERE inbox NOT LIKE '%/7'")
    return list(known.values())


@pytest.mark.parametrize("fails", [0, 2])
async def test_releasing_gives_servers_back_as_they_were(alice: Account, fails: int):
    await owe(alice, "a.example")
    await sql("UPDATE server SET fails = $1", fails)
    assert len(await lease(failing=fails > 0)) == 1
    assert await outgoing.release("another") == 0
    assert await outgoing.release("one") == 1
    assert len(await lease("two", failing=fails > 0)) == 1
