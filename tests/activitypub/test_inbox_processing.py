"""What was taken in has its effect: once, in order, and whatever goes wrong goes wrong alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from fediblog import db, http, moments
from fediblog.activitypub import handlers
from fediblog.activitypub.inbox import effects, processing, verdicts
from fediblog.activitypub.inbox.courtesy import crowd
from fediblog.activitypub.ownership import Forged
from fediblog.activitypub.ownership import Reason as Why
from fediblog.errors import Conflict, FediblogError, Malformed, NotFound, Unavailable
from fediblog.models import Account, Post, Visibility
from fediblog.queue import Job
from fediblog.services import domains, dropped, inbox_items, servers, signers
from fediblog.services.inbox_items import New
from fediblog.tasks import inbox as inbox_task
from fediblog.tasks.runner import Runner, duties, trays
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import remote
from tests.services.making import post as write
from tests.tasks.conftest import until

pytestmark = pytest.mark.usefixtures("database")

Act = Callable[[Node, Account], Awaitable[object]]


class Handled:
    """What the handlers were given, in order. `act` is what they do then."""

    def __init__(self) -> None:
        self.began: list[Node] = []
        self.ended: list[Node] = []
        self.actors: list[str] = []
        self.act: Act | None = None
        self.now = self.most = 0

    async def handle(self, activity: Node, actor: Account) -> None:
        self.began.append(activity)
        self.actors.append(actor.uri)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.act is not None:
                await self.act(activity, actor)
        finally:
            self.now -= 1
        self.ended.append(activity)

    @property
    def numbers(self) -> list[int]:
        return [activity["object"] for activity in self.began]


@pytest.fixture
def handled(monkeypatch) -> Handled:
    made = Handled()
    monkeypatch.setattr(handlers, "handle", made.handle)
    return made


@pytest.fixture
async def rita(database) -> Account:
    return await remote("rita", "remote.example")


@pytest.fixture
def patience(monkeypatch) -> None:
    """On a busy machine nobody counts as slow just because it is."""
    monkeypatch.setattr(processing, "_PATIENCE", 60)


async def many(number: int) -> list[Account]:
    return [await remote(f"p{n}", "remote.example") for n in range(number)]


async def arrive(actor: Account, number: int = 1, kind: str = "Like") -> None:
    """So many activities, numbered by their objects."""
    have = await db.value("SELECT count(*) FROM inbox_item")
    bodies = {n: {"type": kind, "actor": actor.uri, "object": n} for n in range(have, have + number)}
    await inbox_items.add([New(f"u:{n}", actor.uri, orjson.dumps(body)) for n, body in bodies.items()])


async def table(columns: str = "state") -> list[Any]:
    found = await db.rows(f"SELECT {columns} FROM inbox_item ORDER BY id")
    return [tuple(row.values()) if len(row) > 1 else next(iter(row.values())) for row in found]


async def hours_pass(hours: float) -> None:
    async with db.transaction():
        await db.execute("UPDATE inbox_item SET due_at = due_at - $1", round(hours * moments.HOUR))


async def drops() -> dict[str, int]:
    today = moments.day(moments.now())
    return await dropped.numbers(today - 1, today)


# ---------------------------------------------------------------------------------------------- the good case


async def test_what_is_due_has_its_effect_once(rita, handled):
    await arrive(rita, 3)
    await processing.drain()
    await processing.drain()
    assert handled.numbers == [0, 1, 2]
    assert set(handled.actors) == {rita.uri}
    assert await table() == ["done"] * 3
    assert await drops() == {}


async def test_who_stands_at_the_door_goes_first(rita, handled, monkeypatch):
    monkeypatch.setattr(processing, "_COURTESY", 10_000)
    await arrive(rita, 3)
    with crowd.one_more():
        draining = asyncio.create_task(processing.drain())
        while await table() != ["leased"] * 3:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert handled.numbers == []
    await draining
    assert handled.numbers == [0, 1, 2]


async def test_a_door_that_is_never_empty_stops_no_work(rita, handled):
    await arrive(rita, 3)
    with crowd.one_more():
        await processing.drain()
    assert handled.numbers == [0, 1, 2]


async def test_hundreds_of_many_actors_are_all_done(handled):
    people = await many(40)
    for _ in range(8):
        for each in people:
            await arrive(each)
    await processing.drain()
    assert sorted(handled.numbers) == list(range(320))
    assert set(await table()) == {"done"}


async def test_what_one_actor_sent_is_done_in_order_and_others_beside_it(handled, patience):
    people = await many(30)
    for _ in range(4):
        for each in people:
            await arrive(each)

    async def act(activity: Node, _: Account) -> None:
        await asyncio.sleep(0.001 if activity["object"] % 3 else 0.005)

    handled.act = act
    await processing.drain()
    order: dict[str, list[int]] = {}
    for activity, actor in zip(handled.began, handled.actors, strict=True):
        order.setdefault(actor, []).append(activity["object"])
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert handled.most == 8


async def test_who_asks_while_it_runs_only_wakes_it(rita, handled):
    started, go = asyncio.Event(), asyncio.Event()

    async def act(activity: Node, _: Account) -> None:
        started.set()
        await go.wait()

    handled.act = act
    await arrive(rita)
    running = asyncio.create_task(processing.drain())
    await started.wait()
    await arrive(await remote("olga", "far.example"))
    await processing.drain()
    assert not running.done()
    go.set()
    await running
    assert await table() == ["done", "done"]


async def test_a_server_that_is_heard_from_is_known_to_live(rita, handled, monkeypatch):
    heard: list[str] = []

    async def heard_from(*domains: str) -> None:
        heard.extend(domains)

    monkeypatch.setattr(servers, "heard_from", heard_from)
    await arrive(rita, 3)
    await arrive(await remote("olga", "remote.example"))
    await arrive(await remote("put.away", "far.example", suspended_at=1))
    await processing.drain()
    assert heard == ["remote.example"]


async def test_who_was_taken_for_dead_gets_what_is_owed_to_them(rita, handled):
    async with db.transaction():
        await db.execute(
            "INSERT INTO server (id, domain, first_seen_at, fails, failing_since, next_at)"
            " VALUES (1, 'remote.example', 1, 9, 1, $1)",
            moments.now() + moments.DAY,
        )
    await arrive(rita)
    await processing.drain()
    assert await db.value("SELECT next_at FROM server") <= moments.now()


# ------------------------------------------------------------------------------------------------ what fails


async def test_poison_is_put_aside_alone_and_the_rest_goes_on(handled, monkeypatch):
    people = await many(10)
    for each in people:
        await arrive(each, 5)

    async def act(activity: Node, _: Account) -> None:
        if activity["object"] == 7:
            raise ZeroDivisionError("poison")

    handled.act = act
    for _ in range(inbox_items.MOST_CRASHES):
        await processing.drain()
        await hours_pass(1)
    await processing.drain()
    states = await table()
    assert states[7] == "quarantined"
    assert states[:7] + states[8:] == ["done"] * 49
    assert handled.numbers.count(7) == inbox_items.MOST_CRASHES
    assert handled.numbers.count(8) == 1
    [aside] = await inbox_items.quarantined()
    assert aside.error == "ZeroDivisionError: poison"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Forged(Why.ORIGIN), "forged: origin"),
        (Malformed(), "malformed"),
        (NotFound(), "notfound"),
        (http.Refused("address"), "refused: address"),
        (http.TooMuch("bytes"), "toomuch: bytes"),
        (http.Unwelcome("status", 404), "unwelcome: status"),
        (http.Unwelcome("type", 200), "unwelcome: type"),
    ],
    ids=str,
)
async def test_what_will_never_have_an_effect_is_dropped_and_counted(rita, handled, error, reason):
    async def act(*_: object) -> None:
        raise error

    handled.act = act
    await arrive(rita, 2)
    await processing.drain()
    assert await table("state, error") == [("done", reason)] * 2
    assert await drops() == {reason: 2}


@pytest.mark.parametrize(
    "error", [http.Unreachable("time"), http.Unwelcome("status", 503), http.Unwelcome("status", 429)], ids=str
)
async def test_when_another_server_is_away_it_is_tried_again_and_dropped_in_the_end(rita, handled, error):
    async def act(*_: object) -> None:
        raise error

    handled.act = act
    await arrive(rita)
    await processing.drain()
    assert await table("state, attempts, crashes") == [("due", 1, 0)]
    await processing.drain()
    assert len(handled.began) == 1
    for _ in range(len(verdicts._PLAN)):
        await hours_pass(24)
        await processing.drain()
    assert await table() == ["done"]
    assert list((await drops()).values()) == [1]
    assert len(handled.began) == len(verdicts._PLAN) + 1


@pytest.mark.parametrize("error", [Unavailable(), Conflict()], ids=str)
async def test_our_own_troubles_pass(rita, handled, error):
    async def act(*_: object) -> None:
        raise error

    handled.act = act
    await arrive(rita)
    await processing.drain()
    assert await table("state, crashes") == [("due", 0)]
    handled.act = None
    await hours_pass(1)
    await processing.drain()
    assert await table() == ["done"]


async def test_nothing_acknowledged_is_lost_however_long_the_database_is_away(rita, handled):
    async def act(*_: object) -> None:
        raise Unavailable()

    handled.act = act
    await arrive(rita)
    for _ in range(20):
        await processing.drain()
        await hours_pass(24)
    assert await table("state, crashes") == [("due", 0)]


async def test_an_error_that_nobody_named_is_a_crash(rita, handled):
    async def act(*_: object) -> None:
        raise FediblogError()

    handled.act = act
    await arrive(rita)
    await processing.drain()
    assert await table("state, crashes") == [("due", 1)]


async def test_what_takes_too_long_is_a_crash(rita, handled, monkeypatch):
    monkeypatch.setattr(processing, "_SECONDS", 0.02)

    async def act(*_: object) -> None:
        await asyncio.Event().wait()

    handled.act = act
    await arrive(rita)
    await processing.drain()
    [(state, crashes, error)] = await table("state, crashes, error")
    assert (state, crashes) == ("due", 1)
    assert error.startswith("TimeoutError")


async def test_who_was_blocked_or_suspended_since_has_no_effect_any_more(handled, rita):
    sid = await remote("sid", "remote.example", suspended_at=moments.now())
    eve = await remote("eve", "blocked.example")
    gone = await remote("gone", "remote.example", deleted_at=moments.now())
    for each in (sid, eve, gone):
        await arrive(each)
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at)"
            " VALUES (1, 'blocked.example', 'suspend', 1)"
        )
    domains.forget()
    await processing.drain()
    assert handled.began == []
    assert await drops() == {"forbidden": 2, "notfound": 1}


async def test_a_body_that_cannot_be_read_is_dropped(rita, handled):
    await inbox_items.add([New("u", rita.uri, b"<html>")])
    await processing.drain()
    assert await drops() == {"malformed": 1}


# -------------------------------------------------------------------------------------------- what takes long


async def test_slow_ones_give_their_places_to_others(handled, monkeypatch):
    monkeypatch.setattr(processing, "_PATIENCE", 0.02)
    slow, quick = (await many(12))[:10], await remote("quick", "far.example")
    go = asyncio.Event()

    async def act(_: Node, actor: Account) -> None:
        if actor.uri != quick.uri:
            await go.wait()

    handled.act = act
    for each in slow:
        await arrive(each)
    await arrive(quick)
    running = asyncio.create_task(processing.drain())
    await until(lambda: quick.uri in handled.actors)
    await until(lambda: handled.now == 10)
    go.set()
    await running
    assert await table() == ["done"] * 11


async def test_what_a_slow_one_sent_waits_and_is_not_overtaken(rita, handled, monkeypatch):
    monkeypatch.setattr(processing, "_PATIENCE", 0.02)
    go = asyncio.Event()

    async def act(activity: Node, _: Account) -> None:
        if activity["object"] == 0:
            await go.wait()

    handled.act = act
    await arrive(rita, 4)
    running = asyncio.create_task(processing.drain())
    await until(lambda: handled.now == 1)
    while await table() != ["leased", "due", "due", "due"]:
        await asyncio.sleep(0.01)
    assert handled.numbers == [0]
    go.set()
    await running
    assert handled.numbers == [0, 1, 2, 3]
    assert await table("state, crashes") == [("done", 0)] * 4


# ------------------------------------------------------------------------------------- stopping and beginning


async def hanging(handled: Handled) -> asyncio.Event:
    go = asyncio.Event()

    async def act(*_: object) -> None:
        await go.wait()

    handled.act = act
    return go


async def test_cancelled_it_returns_what_is_in_hand_and_nobody_is_blamed(handled, patience):
    for each in await many(12):
        await arrive(each, 3)
    await hanging(handled)
    running = asyncio.create_task(processing.drain())
    await until(lambda: handled.now == 8)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert set(await table("state, crashes, attempts")) == {("due", 0, 0)}
    handled.act = None
    await processing.drain()
    assert set(await table()) == {"done"}


async def test_told_to_stop_it_ends_what_it_does_and_begins_nothing_more(handled, patience):
    for each in await many(12):
        await arrive(each, 3)
    go = await hanging(handled)
    running = asyncio.create_task(processing.drain())
    await until(lambda: handled.now == 8)
    processing.stop()
    go.set()
    await running
    states = await table("state, crashes")
    assert states.count(("done", 0)) == 8
    assert states.count(("due", 0)) == 28


async def test_a_worker_that_comes_back_frees_what_it_held(rita, handled):
    await arrive(rita)
    await inbox_items.lease("worker-1", 50)
    await processing.drain()
    assert handled.began == []
    await processing.begin("worker-1")
    await hours_pass(1)
    await processing.drain()
    assert await table() == ["done"]


async def test_leases_that_ran_out_are_taken_up(rita, handled):
    await arrive(rita)
    await inbox_items.lease("dead", 50)
    async with db.transaction():
        await db.execute("UPDATE inbox_item SET lease_until = 1")
    await processing.drain()
    await hours_pass(1)
    await processing.drain()
    assert await table("state, crashes") == [("done", 1)]


async def test_a_database_that_is_away_for_a_moment_is_waited_for(rita, handled, monkeypatch):
    monkeypatch.setattr(processing, "_PAUSE", 0.01)
    settle, fails = inbox_items.settle, [Unavailable(), Unavailable()]

    async def settling(*args: Any) -> None:
        if fails:
            raise fails.pop()
        await settle(*args)

    monkeypatch.setattr(inbox_items, "settle", settling)
    await arrive(rita, 3)
    await processing.drain()
    assert await table() == ["done"] * 3
    assert len(handled.began) == 3


async def test_a_database_that_goes_away_within_a_lane_is_nobodys_crash(rita, handled, monkeypatch):
    monkeypatch.setattr(processing, "_PAUSE", 0.01)
    accounts, asked = signers.accounts, []

    async def looking(uris: Any) -> Any:
        asked.append(uris)
        if len(asked) in (2, 4):
            raise Unavailable()
        return await accounts(uris)

    monkeypatch.setattr(signers, "accounts", looking)
    await arrive(rita, 4, "Update")
    await processing.drain()
    assert len(asked) > 4
    assert await table("state, crashes") == [("done", 0)] * 4
    assert handled.numbers == [0, 1, 2, 3]


async def test_two_processes_share_the_work_and_do_nothing_twice(handled):
    for each in await many(20):
        await arrive(each, 3)
    await asyncio.gather(*(processing._Drain(f"process {n}").run() for n in range(3)))
    assert sorted(handled.numbers) == list(range(60))
    assert set(await table()) == {"done"}


async def test_the_worker_does_what_waits_when_it_begins_and_stops_in_order(rita, handled):
    assert duties[Job.RECEIVE] is inbox_task.receive
    assert Job.RECEIVE in trays
    await arrive(rita)
    await inbox_items.lease("me", 50)
    await arrive(await remote("olga", "far.example"))
    go = await hanging(handled)
    runner = Runner("me", [Job.RECEIVE])
    await runner.begin()
    await until(lambda: handled.now == 2)
    finishing = asyncio.create_task(runner.finish(10))
    await asyncio.sleep(0)
    await arrive(rita)
    go.set()
    await finishing
    assert await table("state, crashes") == [("done", 1), ("done", 0), ("due", 0)]


# ------------------------------------------------------------------------------------- what was passed on


@pytest.fixture
def far(fediverse: Fediverse) -> Peer:
    return fediverse.server("far.example")


async def pass_on(passer: Account, activity: Node) -> None:
    await inbox_items.add([New(f"passed-on:{activity['id']}", passer.uri, orjson.dumps(activity))])
    await processing.drain()


async def owed() -> list[str]:
    return await db.column("SELECT key FROM work WHERE kind = $1", Job.RESOLVE.value)


async def test_an_answer_to_a_post_of_ours_that_is_passed_on_is_asked_for(alice, rita, far, handled):
    post = await write(alice)
    olga = far.actor("olga")
    answer = far.note(olga, inReplyTo=post.uri)
    await pass_on(rita, far.activity("Create", olga, answer))
    assert await owed() == [answer["id"]]
    assert handled.began == []


async def test_what_is_passed_on_and_concerns_nobody_here_is_left(rita, far, handled):
    olga = far.actor("olga")
    await pass_on(rita, far.activity("Create", olga, far.note(olga)))
    await pass_on(rita, far.activity("Delete", olga, far.note(olga)))
    await pass_on(rita, far.activity("Update", olga, far.note(olga)["id"]))
    assert await owed() == []
    assert far.asked == []


async def test_what_a_relay_passes_on_is_asked_for(rita, far, handled):
    async with db.transaction():
        await db.execute(
            "INSERT INTO relay (id, inbox, actor_uri, follow_uri, state, created_at)"
            " VALUES (1, 'x', $1, 'y', 'accepted', 1)",
            rita.uri,
        )
    olga = far.actor("olga")
    note = far.note(olga)
    await pass_on(rita, far.activity("Create", olga, note))
    assert await owed() == [note["id"]]


async def stored(far: Peer, olga: Node, note: Node) -> Post:
    author = await remote("olga", "far.example")
    return await Post.create(
        id=77,
        uri=note["id"],
        author_id=author.id,
        thread_id=77,
        visibility=Visibility.PUBLIC,
        local=False,
        content="<p>Hello</p>",
        created_at=moments.now(),
    )


async def test_that_a_post_is_deleted_is_believed_of_its_own_server_only(rita, far, handled):
    olga = far.actor("olga")
    note = far.note(olga)
    await stored(far, olga, note)
    await pass_on(rita, far.activity("Delete", olga, note["id"]))
    assert await Post.exists(uri=note["id"])
    far.answers[note["id"]] = (410, "text/plain", b"")
    await pass_on(rita, far.activity("Delete", olga, note["id"]))
    assert not await Post.exists(uri=note["id"])


async def test_an_edit_that_is_passed_on_is_read_from_its_own_server(rita, far, handled):
    olga = far.actor("olga")
    note = far.note(olga)
    post = await stored(far, olga, note)
    far.keep({**note, "content": "<p>True</p>", "updated": moments.iso(moments.now() + 1)})
    await pass_on(rita, far.activity("Update", olga, {**note, "content": "<p>False</p>"}))
    assert (await Post.get(id=post.id)).content == "<p>True</p>"


def test_effects_are_those_of_the_handlers():
    assert effects.handlers is handlers
