"""Delivery under load and at its end: stops, kills, servers that hang, and how much may be lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fediblog import db, ids, moments, queue, uris
from fediblog.activitypub import delivery
from fediblog.activitypub.delivery import office, recorder, slots
from fediblog.errors import Unavailable
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import outgoing
from fediblog.services.outgoing import Put
from tests.harness.fediverse import Fediverse

pytestmark = pytest.mark.once

FEW, MANY = 24, 300


@pytest.fixture
def town(fediverse: Fediverse, alice: Account) -> Fediverse:
    """Servers `s0.example`, `s1.example` … that know alice's key."""
    fediverse.knows(alice.key_id, alice.public_key)
    return fediverse


@pytest.fixture(autouse=True)
async def _own_office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """No drain of another test, and none is left behind."""
    monkeypatch.setattr(office._drains, "current", None)
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def servers(town: Fediverse, number: int) -> list[str]:
    domains = [f"s{n}.example" for n in range(number)]
    for domain in domains:
        town.server(domain)
    return domains


async def letter(author: Account, domains: list[str], **columns: Any) -> int:
    """A letter to the shared inbox of each."""
    number = ids.new()
    values = {
        "id": number,
        "uri": uris.activity_uri(number),
        "account_id": author.id,
        "kind": "Create",
        "body": b'{"id":"%d"}' % number,
        "created_at": moments.now(),
        **columns,
    }
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    async with db.transaction():
        await db.execute(
            f"INSERT INTO activity ({', '.join(values)}) VALUES ({places})",
            *values.values(),
        )
        await delivery.enqueue(number, [f"https://{domain}/inbox" for domain in domains])
    return number


def arrived(town: Fediverse) -> list[str]:
    """Who got what, as often as they got it."""
    return [
        f"{peer.domain} {each.activity['id']}" for peer in town.servers.values() for each in peer.received
    ]


async def states() -> set[str]:
    return set(await db.column("SELECT state FROM delivery"))


class Gate(asyncio.Event):
    """What requests wait for, and how many have come to it."""

    reached = 0

    async def wait(self) -> Any:
        self.reached += 1
        return await super().wait()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def leased() -> int:
    return int(await db.value("SELECT count(*) FROM server WHERE lease_until IS NOT NULL"))


async def due_now() -> None:
    async with db.transaction():
        await db.execute("UPDATE server SET next_at = 0 WHERE next_at IS NOT NULL")


# ------------------------------------------------------------------------------------------- how much at once


async def test_results_of_many_letters_are_written_together(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    sizes = []
    settle = outgoing.settle

    async def counted(owner: str, puts: list[Put], lefts: list[outgoing.Left]) -> None:
        sizes.append(len(puts))
        await settle(owner, puts, lefts)

    monkeypatch.setattr(outgoing, "settle", counted)
    await letter(alice, servers(town, 100))
    await delivery.drain()
    assert sum(sizes) == 100
    assert max(sizes) >= 10


async def test_no_more_than_a_few_hundred_are_sent_and_not_written_down(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder, "MOST_UNRECORDED", FEW)
    # On a busy machine an answer may be late, and who waits for a slow server does not count.
    monkeypatch.setattr(slots, "PATIENCE", 60)
    disk = asyncio.Event()
    settle = outgoing.settle

    async def slow(*given: Any) -> None:
        await disk.wait()
        await settle(*given)

    monkeypatch.setattr(outgoing, "settle", slow)
    await letter(alice, servers(town, 60))
    drain = asyncio.create_task(delivery.drain())
    await until(lambda: len(arrived(town)) == FEW)
    await asyncio.sleep(0.2)
    assert len(arrived(town)) == FEW
    disk.set()
    await drain
    assert len(arrived(town)) == 60
    assert await states() == {"done"}


async def test_hundreds_that_hang_do_not_keep_the_others_waiting(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(slots, "PATIENCE", 0.05)
    assert recorder.MOST_UNRECORDED < MANY
    domains = servers(town, MANY + FEW)
    answering = asyncio.Event()
    for domain in domains[:MANY]:
        town.server(domain).hangs = answering
    await letter(alice, domains[:MANY])
    await letter(alice, domains[MANY:])
    drain = asyncio.create_task(delivery.drain())
    await until(lambda: len(arrived(town)) == FEW)
    answering.set()
    await drain
    assert len(arrived(town)) == MANY + FEW


async def test_a_lane_with_several_connections_lends_only_its_one_place_out():
    places = slots.Slots(2)
    answer = asyncio.Event()

    @asynccontextmanager
    async def a_lane(connections: int) -> AsyncIterator[None]:
        async with places.place() as place:
            hung = [place.send(answer.wait(), _nothing()) for _ in range(connections)]
            async with asyncio.TaskGroup() as group:
                for each in hung:
                    group.create_task(each)
                yield

    async with a_lane(4):
        await asyncio.sleep(0)
        assert places.free == 1
        await until(lambda: places.free == 2)
        assert places.beside == 4
        answer.set()
    assert (places.free, places.beside) == (2, 0)


def _nothing() -> Any:
    return recorder.Permit(recorder.Recorder("x", lambda: None)).suspended()


async def test_while_too_many_wait_beside_nobody_else_goes_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slots, "MOST_BESIDE", 0)
    monkeypatch.setattr(slots, "PATIENCE", 0.01)
    places = slots.Slots(1)
    answer = asyncio.Event()
    async with places.place() as place, asyncio.TaskGroup() as group:
        group.create_task(place.send(answer.wait(), _nothing()))
        await asyncio.sleep(0.05)
        assert places.free == 0
        answer.set()


# ------------------------------------------------------------------------------------------------ at the end


async def test_asked_to_stop_it_ends_what_it_sends_and_returns_the_rest(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "_HEALTHY", 1)
    first, second = servers(town, 2)
    town.server(first).hangs = gate = Gate()
    for _ in range(3):
        await letter(alice, [first])
    await letter(alice, [second])
    drain = asyncio.create_task(delivery.drain())
    await until(lambda: gate.reached and town.server(second).received)
    delivery.stop()
    gate.set()
    await drain
    assert len(town.server(first).received) == 1
    assert await leased() == 0
    await delivery.drain()
    assert len(arrived(town)) == len(set(arrived(town))) == 4


async def test_cancelled_it_writes_down_what_arrived_and_returns_its_servers(town: Fediverse, alice: Account):
    domains = servers(town, 10)
    town.server(domains[0]).hangs = asyncio.Event()
    await letter(alice, domains)
    drain = asyncio.create_task(delivery.drain())
    await until(lambda: len(arrived(town)) == 9)
    # All others have been answered, too; what they heard may not be written down yet.
    await until(lambda: len(office._drains.current._lanes) == 1)
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    assert await leased() == 0
    assert await db.value("SELECT count(*) FROM delivery WHERE state = 'done'") == 9
    town.server(domains[0]).hangs = None
    await delivery.drain()
    assert len(arrived(town)) == len(set(arrived(town))) == 10


async def test_killed_in_the_middle_it_loses_nothing(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    """Nothing of the first drain is written any more once it is killed, not even at its end."""
    domains = servers(town, FEW)
    numbers = [await letter(alice, domains) for _ in range(4)]
    dead = False
    settle, release = outgoing.settle, outgoing.release

    async def mortal(work: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        if dead:
            await asyncio.Event().wait()
        return await work(*given)

    with monkeypatch.context() as patch:
        patch.setattr(outgoing, "settle", lambda *given: mortal(settle, *given))
        patch.setattr(outgoing, "release", lambda *given: mortal(release, *given))
        patch.setattr(office, "_PAUSE", 0.01)
        await delivery.begin("worker")
        drain = asyncio.create_task(delivery.drain())
        await until(lambda: len(arrived(town)) >= FEW)
        dead = True
        drain.cancel()
        await asyncio.sleep(0.1)
        assert await leased() > 0
        assert "due" in await states()

    office._drains.current = None
    await delivery.begin("worker")
    await delivery.drain()
    assert set(arrived(town)) == {f"{domain} {number}" for domain in domains for number in numbers}
    assert await states() == {"done"}


async def test_two_workers_bring_each_letter_once_and_in_order(town: Fediverse, alice: Account):
    domains = servers(town, FEW)
    numbers = [await letter(alice, domains) for _ in range(6)]
    await asyncio.gather(*(office._Office(f"worker{n}").run() for n in range(2)))
    assert await states() == {"done"}
    for domain in domains:
        got = [each.activity["id"] for each in town.server(domain).received]
        assert got == [str(number) for number in numbers]


async def test_asking_for_a_drain_while_one_runs_only_wakes_it(town: Fediverse, alice: Account):
    slow, other = servers(town, 2)
    town.server(slow).hangs = gate = Gate()
    await letter(alice, [slow])
    drain = asyncio.create_task(delivery.drain())
    await until(lambda: gate.reached)
    await letter(alice, [other])
    await delivery.drain()
    assert not drain.done()
    await until(lambda: town.server(other).received)
    gate.set()
    await drain


async def test_after_a_while_a_drain_lets_another_begin(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "_SPELL", 0)
    nudged = []
    monkeypatch.setattr(queue, "nudge", lambda job, *_: nudged.append(job))
    await letter(alice, servers(town, 1))
    nudged.clear()
    await delivery.drain()
    assert (arrived(town), nudged) == ([], [Job.DELIVER])


async def test_while_the_database_is_away_what_arrived_is_kept_in_mind(
    town: Fediverse, alice: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder, "_PAUSE", 0.01)
    faults = iter([Unavailable(), Unavailable()])
    settle = outgoing.settle

    async def shaky(*given: Any) -> None:
        if fault := next(faults, None):
            raise fault
        await settle(*given)

    monkeypatch.setattr(outgoing, "settle", shaky)
    await letter(alice, servers(town, 3))
    await delivery.drain()
    assert await states() == {"done"}
    assert len(arrived(town)) == 3


# -------------------------------------------------------------------------------------------- what is sent


async def test_every_attempt_sends_the_same_bytes_signed_anew(town: Fediverse, alice: Account):
    peer = town.server("s0.example")
    peer.inbox_status = 503
    await letter(alice, ["s0.example"])
    await delivery.drain()
    peer.inbox_status = 202
    await due_now()
    await delivery.drain()
    first, second = peer.asked
    assert first.content == second.content
    assert first.headers["digest"] == second.headers["digest"]
    assert "signature" in first.headers
    assert "signature" in second.headers


async def test_letters_for_followers_say_whom_we_take_for_one(town: Fediverse, alice: Account):
    peer = town.server("s0.example")
    await letter(alice, ["s0.example"])
    await letter(alice, ["s0.example"], for_followers=True)
    await delivery.drain()
    public, private = (each.headers for each in peer.received)
    assert "collection-synchronization" not in public
    assert alice.followers_uri in private["collection-synchronization"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_a_server_that_cannot_now_is_asked_later(town: Fediverse, alice: Account, status: int):
    peer = town.server("s0.example")
    peer.inbox_status = status
    await letter(alice, ["s0.example"])
    await letter(alice, ["s0.example"])
    await delivery.drain()
    assert len(peer.asked) == 1
    peer.inbox_status = 202
    await due_now()
    await delivery.drain()
    assert len(peer.received) == 2


async def test_who_asks_for_less_time_than_the_plan_gives_does_not_get_it(town: Fediverse, alice: Account):
    peer = town.server("s0.example")
    peer.inbox_status, peer.headers = 503, {"Retry-After": "1"}
    await letter(alice, ["s0.example"])
    await delivery.drain()
    assert await db.value("SELECT next_at FROM server") > moments.now() + 10 * moments.SECOND


async def test_after_a_recovery_a_backlog_flows_in_order(town: Fediverse, alice: Account):
    peer = town.server("s0.example")
    peer.down = True
    numbers = [await letter(alice, ["s0.example"]) for _ in range(20)]
    for _ in range(5):
        await delivery.drain()
        await due_now()
    peer.down = False
    await delivery.drain()
    assert [each.activity["id"] for each in peer.received] == [str(number) for number in numbers]
