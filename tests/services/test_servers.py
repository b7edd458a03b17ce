"""Other servers: known once, heard from, and listed when they fail."""

import asyncio

import pytest

from fediblog import db, moments
from fediblog.errors import NotFound
from fediblog.services import servers

HOST = "remote.example"


async def fails(times: int, since: int, next_at: int | None) -> None:
    async with db.transaction():
        await servers.numbers([HOST])
        await db.execute(
            "UPDATE server SET fails = $1, failing_since = $2, next_at = $3, last_error = 'time'",
            *(times, since, next_at),
        )


async def state() -> tuple[int, int, int]:
    found = await db.row("SELECT fails, next_at, round FROM server WHERE domain = $1", HOST)
    assert found is not None
    return found["fails"], found["next_at"], found["round"]


async def made(*domains: str) -> dict[str, int]:
    async with db.transaction():
        return await servers.numbers(domains)


async def test_a_server_has_one_row_whoever_meets_it_first(database: None):
    found = await asyncio.gather(*(made("a.example", "b.example:8443") for _ in range(5)))
    assert all(each == found[0] for each in found)
    assert await db.value("SELECT count(*) FROM server") == 2
    assert await made() == {}


async def test_a_server_that_was_given_up_and_is_heard_from_is_due_at_once(database: None):
    now = moments.now()
    await fails(99, now - 8 * moments.DAY, now + moments.DAY)
    await servers.heard_from(HOST)
    times, next_at, number = await state()
    assert (times, number) == (1, 1)
    assert now <= next_at <= moments.now()


@pytest.mark.parametrize("times", [0, 5])
async def test_hearing_of_one_that_is_well_or_due_already_writes_nothing(database: None, queries, times: int):
    await fails(times, moments.now() - moments.HOUR, moments.now() - 1)
    with queries() as sent:
        await servers.heard_from(HOST)
        await servers.heard_from("unknown.example")
    assert sent.writes == []


async def test_one_that_writes_much_and_takes_nothing_is_not_tried_each_time(database: None):
    later = moments.now() + moments.HOUR
    # It was heard from a moment ago, tried for that, and failed again.
    await fails(2, moments.now() - moments.SECOND, later)
    await servers.heard_from(HOST)
    assert await state() == (2, later, 0)


async def test_those_that_fail_are_listed_with_what_they_are_owed(database: None):
    await made("well.example")
    await fails(3, moments.now() - 8 * moments.DAY, None)
    async with db.transaction():
        await db.execute("UPDATE server SET fails = 0, failing_since = NULL WHERE domain = 'well.example'")
    (failing,) = await servers.failing()
    assert (failing.domain, failing.waiting, failing.last_error, failing.given_up) == (HOST, 0, "time", True)


async def test_one_that_fails_can_be_tried_by_hand_and_no_other(database: None):
    with pytest.raises(NotFound):
        await servers.retry(HOST)
    await fails(3, moments.now(), moments.now() + moments.DAY)
    await servers.retry(HOST)
    assert (await state())[0] == 1


async def test_how_a_server_wants_signatures_is_remembered(database: None):
    assert await servers.scheme(HOST) == ""
    await servers.remember_scheme(HOST, "rfc9421")
    assert await servers.scheme(HOST) == "rfc9421"
