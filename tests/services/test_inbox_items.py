"""The rows of the inbox: who may have which, and what becomes of them."""

import asyncio

import pytest

from fediblog import db, ids, moments
from fediblog.errors import NotFound
from fediblog.services import dropped, inbox_items, statistics, upkeep
from fediblog.services.inbox_items import New

pytestmark = pytest.mark.usefixtures("database")

RITA, OLGA = "https://remote.example/users/rita", "https://far.example/users/olga"


async def arrive(*actors: str) -> None:
    number = await db.value("SELECT count(*) FROM inbox_item")
    await inbox_items.add(
        [New(f"{actor}/{number + place}", actor, b'{"a":1}') for place, actor in enumerate(actors)]
    )


async def states() -> list[str]:
    return await db.column("SELECT state FROM inbox_item ORDER BY id")


async def later(milliseconds: int) -> None:
    """So much time passes for all that is held."""
    async with db.transaction():
        await db.execute("UPDATE inbox_item SET lease_until = lease_until - $1", milliseconds)
        await db.execute("UPDATE inbox_item SET due_at = due_at - $1", milliseconds)


async def test_many_are_kept_at_once_and_what_is_known_is_not_kept_again():
    await inbox_items.add([New(f"u:{number % 200}", RITA, b"{}") for number in range(256)])
    await inbox_items.add([New("u:0", OLGA, b"{}"), New("u:new", OLGA, b"{}")])
    assert await db.value("SELECT count(*) FROM inbox_item") == 201
    assert await db.value("SELECT actor_uri FROM inbox_item WHERE uri = 'u:0'") == RITA


async def test_bodies_come_back_to_the_byte():
    body = bytes(range(256))
    await inbox_items.add([New("u", RITA, body)])
    [item] = await inbox_items.lease("one", 50)
    assert item.body == body


async def test_the_oldest_are_taken_first_and_nobody_gets_one_twice():
    await arrive(RITA, OLGA, "https://a.example/1", "https://a.example/2")
    first = await inbox_items.lease("one", 2)
    second = await inbox_items.lease("two", 50)
    assert [item.actor_uri for item in first] == [RITA, OLGA]
    assert [item.actor_uri for item in second] == ["https://a.example/1", "https://a.example/2"]
    assert await inbox_items.lease("three", 50) == []


async def test_while_a_row_of_an_actor_is_held_no_other_is_taken():
    await arrive(RITA, RITA, OLGA)
    [first] = await inbox_items.lease("one", 1)
    assert [item.actor_uri for item in await inbox_items.lease("two", 50)] == [OLGA]
    await inbox_items.settle("one", [inbox_items.done(first)])
    [second] = await inbox_items.lease("two", 50)
    assert second.actor_uri == RITA
    assert second.id > first.id


async def test_many_who_take_at_once_never_share_an_actor():
    await arrive(*[RITA, OLGA, "https://a.example/1", "https://a.example/2"] * 10)
    taken = await asyncio.gather(*(inbox_items.lease(f"worker {number}", 5) for number in range(6)))
    holders = [{item.actor_uri for item in items} for items in taken]
    assert sum(map(len, holders)) == len(set().union(*holders))


async def test_what_is_done_stays_without_its_body():
    await arrive(RITA, OLGA)
    one, two = await inbox_items.lease("one", 50)
    await inbox_items.settle("one", [inbox_items.done(one), inbox_items.done(two, "forged: origin")])
    found = await db.rows("SELECT state, body, error, lease_owner FROM inbox_item ORDER BY id")
    assert [(row["state"], bytes(row["body"]), row["error"]) for row in found] == [
        ("done", b"", ""),
        ("done", b"", "forged: origin"),
    ]
    await arrive(RITA)
    await inbox_items.add([New(one.uri, RITA, b"{}")])
    assert await states() == ["done", "done", "due"]


async def test_what_is_put_off_comes_again_with_its_body():
    await arrive(RITA)
    [item] = await inbox_items.lease("one", 50)
    await inbox_items.settle("one", [inbox_items.later(item, "unreachable: time", moments.MINUTE)])
    assert await inbox_items.lease("one", 50) == []
    await later(moments.MINUTE)
    [again] = await inbox_items.lease("one", 50)
    assert (again.body, again.attempts, again.crashes) == (item.body, 1, 0)


async def test_what_crashed_is_taken_alone_and_the_fifth_crash_puts_it_aside():
    await arrive(RITA, OLGA)
    poison, _ = await inbox_items.lease("one", 50)
    for number in range(1, inbox_items.MOST_CRASHES):
        await inbox_items.settle("one", [inbox_items.crashed(poison, "ZeroDivisionError: x")])
        await later(number * moments.MINUTE)
        assert await inbox_items.lease("one", 50) == []
        [poison] = await inbox_items.lease("one", 50, suspects=True)
        assert poison.crashes == number
    await inbox_items.settle("one", [inbox_items.crashed(poison, "ZeroDivisionError: x")])
    assert await inbox_items.lease("one", 50, suspects=True) == []
    [aside] = await inbox_items.quarantined()
    assert (aside.uri, aside.error) == (poison.uri, "ZeroDivisionError: x")

    await inbox_items.retry(aside.id)
    [fresh] = await inbox_items.lease("one", 50)
    assert (fresh.crashes, fresh.body) == (0, poison.body)
    with pytest.raises(NotFound):
        await inbox_items.retry(aside.id)


async def test_a_lease_that_ran_out_is_free_and_its_holder_may_write_nothing_more():
    await arrive(RITA)
    [item] = await inbox_items.lease("one", 50)
    assert await inbox_items.expire() == 0
    await later(inbox_items.LEASE + 1)
    assert await inbox_items.expire() == 1
    await later(moments.MINUTE)
    [again] = await inbox_items.lease("two", 50, suspects=True)
    await inbox_items.settle("one", [inbox_items.done(item)])
    assert await states() == ["leased"]
    await inbox_items.settle("two", [inbox_items.done(again)])
    assert await states() == ["done"]


async def test_a_name_that_comes_back_frees_what_it_held():
    await arrive(RITA, OLGA)
    await inbox_items.lease("one", 1)
    await inbox_items.lease("two", 1)
    assert await inbox_items.release("one") == 1
    assert await states() == ["due", "leased"]
    assert await db.column("SELECT crashes FROM inbox_item ORDER BY id") == [1, 0]


async def test_an_orderly_end_is_no_crash():
    await arrive(RITA)
    [item] = await inbox_items.lease("one", 50)
    await inbox_items.give_back("one")
    [again] = await inbox_items.lease("two", 50)
    assert (again.id, again.crashes, again.attempts) == (item.id, 0, 0)
    assert await inbox_items.waiting() == 1


async def test_an_empty_tray_is_only_read(queries):
    with queries() as sent:
        assert await inbox_items.lease("one", 50) == []
        assert await inbox_items.expire() == 0
    assert all("UPDATE" not in sql for sql in sent.sql)


async def test_rows_that_are_done_go_after_their_day_has_been_counted():
    old = moments.now() - inbox_items.KEPT - moments.DAY
    await arrive(RITA, OLGA)
    one, _ = await inbox_items.lease("one", 50)
    await inbox_items.settle("one", [inbox_items.done(one)])
    async with db.transaction():
        await db.execute("UPDATE inbox_item SET received_at = $1", old)
    assert (await upkeep.prune())["activities"] == 0

    await statistics.compute_day(moments.day(old))
    assert (await upkeep.prune())["activities"] == 1
    assert await states() == ["leased"]
    await statistics.compute_day(moments.day(old))
    [day] = await statistics.server_days(moments.day(old), moments.day(old))
    assert day.inbound == 2


async def test_what_is_dropped_is_counted_by_reason_and_day():
    await asyncio.gather(*(dropped.count("forged: origin") for _ in range(5)))
    await dropped.count("notfound", 7)
    today = moments.day(moments.now())
    assert await dropped.numbers(today, today) == {"notfound": 7, "forged: origin": 5}
    assert await dropped.numbers(today - 2, today - 1) == {}


async def test_counts_of_drops_go_after_a_year():
    async with db.transaction():
        await db.execute("INSERT INTO dropped (day, reason, number) VALUES (1, 'x', 1)")
    await dropped.count("x")
    assert (await upkeep.prune())["drops"] == 1


async def test_taking_rows_reads_no_table_whole(explain):
    async with db.transaction():
        for number in range(2_000):
            await db.execute(
                "INSERT INTO inbox_item (id, uri, actor_uri, body, due_at, received_at, state)"
                " VALUES ($1, $2, $3, $4, 1, 1, $5)",
                *(ids.new(), f"u:{number}", f"a:{number % 50}", b"", "due" if number < 20 else "done"),
            )
    plan = "\n".join(await explain(inbox_items._LEASE[False], 5, 5, "one", 50))
    assert "inbox_item_due" in plan
