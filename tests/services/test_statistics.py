"""Daily statistics against a count by hand, and the exact borders of a day."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fediblog import db, ids, moments, uris
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Visibility
from fediblog.services import statistics
from fediblog.services.statistics import AccountDay, ServerDay
from tests.harness.statements import analyse
from tests.people import person, remote
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]

pytestmark = pytest.mark.usefixtures("database")

EPOCH = date(1970, 1, 1)
NOON = datetime(2027, 3, 10, 12, 34, 56, tzinfo=UTC)
DAYS = 60


_given: set[int] = set()


def fresh_id(at: int) -> int:
    """Many things happen in the same millisecond here, and two would have the same number some day."""
    while (number := ids.at(at)) in _given:
        pass
    _given.add(number)
    return number


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def number(day: date) -> int:
    return (day - EPOCH).days


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The time stands still at noon of a certain day. Gives the number of that day."""
    monkeypatch.setattr(moments, "now", lambda: ms(NOON))
    monkeypatch.setattr(ids, "_last", 0)
    yield number(NOON.date())


# ------------------------------------------------------------------------------------- things that happen


async def post(author: Account, at: int, **columns: Any) -> Post:
    post_id = fresh_id(at)
    return await Post.create(
        **{
            "id": post_id,
            "uri": uris.post_uri(post_id),
            "author_id": author.id,
            "thread_id": post_id,
            "visibility": Visibility.PUBLIC,
            "local": author.local,
            "created_at": at,
            **columns,
        }
    )


async def reply(author: Account, parent: Post, at: int) -> Post:
    return await post(
        author,
        at,
        reply_to_id=parent.id,
        reply_to_author_id=parent.author_id,
        reply_to_uri=parent.uri,
        thread_id=parent.thread_id,
    )


async def boost(author: Account, original: Post, at: int) -> Post:
    return await post(author, at, boost_of_id=original.id, boost_of_author_id=original.author_id)


async def like(account: Account, liked: Post, at: int) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO post_like (account_id, post_id, id, created_at) VALUES ($1, $2, $3, $4)",
            *(account.id, liked.id, fresh_id(at), at),
        )


async def follow(account: Account, target: Account, at: int) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO follow (follower_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, $5)",
            *(account.id, target.id, fresh_id(at), f"follow:{account.id}:{target.id}", at),
        )


async def crowd(target: Account, noon: int) -> None:
    """Two thousand followers from elsewhere, over as many hours: of a handful no planner asks an index."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    async with db.transaction():
        await db.execute(
            "INSERT INTO account (id, username, username_key, domain, local, uri, fields, also_known_as,"
            f" created_at) {numbers}"
            " SELECT i, 'u' || i, 'u' || i, 'far.example', FALSE, 'u' || i, '[]', '[]', 1 FROM n"
        )
        await db.execute(
            f"INSERT INTO follow (follower_id, target_id, id, uri, created_at) {numbers}"
            " SELECT i, CAST($1 AS BIGINT), i, 'f' || i, CAST($2 AS BIGINT) - i * CAST($3 AS BIGINT) FROM n",
            *(target.id, moments.day_start(noon), moments.HOUR),
        )


async def sign_up(name: str, at: int) -> Account:
    account = await person(name, id=fresh_id(at), created_at=at)
    async with db.transaction():
        await db.execute(
            "UPDATE person SET created_at = $1 WHERE email = $2", at, f"{name.lower()}@mail.example"
        )
    return account


async def met(name: str, domain: str, at: int) -> Account:
    """Somebody from elsewhere, met at a moment and born long before."""
    return await remote(name, domain, id=fresh_id(at), created_at=at - 1000 * moments.DAY)


# ---------------------------------------------------------------------------------- a history and its count


class History:
    """Some days of nine accounts, drawn by a fixed seed, with much of it right at the borders of days."""

    def __init__(self, days: int = DAYS) -> None:
        self._dice = random.Random(60)
        self._days = days
        self._first = NOON - timedelta(days=days - 1)
        self.here: list[Account] = []
        self.elsewhere: list[Account] = []
        self.posts: list[Post] = []

    def moment(self) -> int:
        midnight = datetime.combine(self._first.date(), datetime.min.time(), UTC)
        start = ms(midnight + timedelta(days=self._dice.randrange(self._days)))
        within = self._dice.choice([0, 0, 1, moments.DAY - 1, moments.DAY - 1, None, None, None, None])
        at = start + (self._dice.randrange(moments.DAY) if within is None else within)
        return min(at, ms(NOON))

    async def write(self) -> None:
        """In one transaction: a thousand waits for the disk take a minute."""
        async with db.transaction():
            await self._write()

    async def _write(self) -> None:
        for name in ("Ada", "Ben", "Cyd", "Dot", "Eli"):
            self.here.append(await sign_up(name, self.moment()))
        for name in ("Fay", "Gus", "Hal", "Ivy"):
            domain = self._dice.choice(["far.example", "near.example", "new.example"])
            self.elsewhere.append(await met(name, domain, self.moment()))
        for _ in range(400):
            await self._post()
        for act in (self._like, self._boost, self._follow):
            for _ in range(300):
                await act()

    def _anybody(self) -> Account:
        return self._dice.choice(self.here * 2 + self.elsewhere)

    async def _post(self) -> None:
        author, at = self._anybody(), self.moment()
        match self._dice.randrange(4) if self.posts else 0:
            case 0 | 1:
                level = self._dice.choice(list(Visibility))
                made = await post(author, at, visibility=level)
            case 2:
                made = await reply(author, self._dice.choice(self.posts), at)
            case _:
                made = await post(author, at, reply_to_uri="https://unknown.example/1")
        self.posts.append(made)

    async def _like(self) -> None:
        who, what = self._anybody(), self._dice.choice(self.posts)
        sql = "SELECT 1 FROM post_like WHERE account_id = $1 AND post_id = $2"
        if not await db.value(sql, who.id, what.id):
            await like(who, what, self.moment())

    async def _boost(self) -> None:
        who, what = self._anybody(), self._dice.choice(self.posts)
        if not await Post.exists(author_id=who.id, boost_of_id=what.id):
            await boost(who, what, self.moment())

    async def _follow(self) -> None:
        who, whom = self._anybody(), self._anybody()
        sql = "SELECT 1 FROM follow WHERE follower_id = $1 AND target_id = $2"
        if who.id != whom.id and not await db.value(sql, who.id, whom.id):
            await follow(who, whom, self.moment())


async def count_by_hand() -> tuple[dict[int, ServerDay], dict[tuple[int, int], AccountDay]]:
    """The whole database, row by row, with Python's own idea of a day."""

    def day(moment: int) -> int:
        return number(datetime.fromtimestamp(moment / 1000, UTC).date())

    accounts = {row["id"]: row for row in await db.rows("SELECT id, local, domain FROM account")}
    posts = {row["id"]: row for row in await db.rows("SELECT * FROM post")}
    people = await db.rows("SELECT created_at FROM person")
    done: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)

    def note(account_id: int, moment: int, kind: str) -> None:
        if accounts[account_id]["local"]:
            done[account_id, day(moment)][kind] += 1

    for row in posts.values():
        at = row["created_at"]
        if row["boost_of_id"]:
            note(row["author_id"], at, "boosts")
            note(row["boost_of_author_id"], at, "boosts_received")
        else:
            note(row["author_id"], at, "replies" if row["reply_to_id"] or row["reply_to_uri"] else "posts")
    for row in await db.rows("SELECT * FROM post_like"):
        note(row["account_id"], row["created_at"], "likes")
        note(posts[row["post_id"]]["author_id"], row["created_at"], "likes_received")
    for row in await db.rows("SELECT * FROM follow"):
        note(row["follower_id"], row["created_at"], "follows")
        note(row["target_id"], row["created_at"], "new_followers")

    own = ("posts", "replies", "boosts", "likes", "follows")
    today = number(NOON.date())
    first = min(day(row["created_at"]) for row in [*people, *(p for p in posts.values() if p["local"])])
    server = {}
    for which in range(first, today + 1):
        counts = [counter for (_, on), counter in done.items() if on == which]
        met = [ids.moment_of(row["id"]) for row in accounts.values() if row["domain"]]
        assert len(met) == 4
        server[which] = ServerDay(
            which,
            **{kind: sum(counter[kind] for counter in counts) for kind in own},
            active_people=sum(any(counter[kind] for kind in own) for counter in counts),
            sign_ups=sum(day(row["created_at"]) == which for row in people),
            known_servers=len(
                {
                    row["domain"]
                    for row in accounts.values()
                    if row["domain"] and day(ids.moment_of(row["id"])) <= which
                }
            ),
        )
    return server, {key: AccountDay(key[1], **counter) for key, counter in done.items()}


async def stored() -> tuple[dict[int, ServerDay], dict[tuple[int, int], AccountDay]]:
    """What the two tables hold."""
    server = {}
    for row in await db.rows("SELECT * FROM server_day"):
        server[row["day"]] = ServerDay(**{name: row[name] for name in row if name != "computed_at"})
    accounts = {}
    for row in await db.rows("SELECT * FROM account_day"):
        key = (row["account_id"], row["day"])
        accounts[key] = AccountDay(**{name: row[name] for name in row if name != "account_id"})
    return server, accounts


async def test_sixty_days_equal_a_count_by_hand(noon: int) -> None:
    history = History()
    await history.write()

    assert await statistics.back_fill() == 0

    server, accounts = await count_by_hand()
    assert await stored() == (server, accounts)
    assert len(server) == DAYS
    assert all(sum(getattr(day, name) for day in server.values()) > 30 for name in ("replies", "boosts"))

    assert await statistics.back_fill() == 0
    assert await statistics.rebuild() == DAYS
    assert await stored() == (server, accounts)

    ada = history.here[0]
    shown = await statistics.account_days(ada, noon - DAYS + 1, noon)
    assert [day.day for day in shown] == list(range(noon - DAYS + 1, noon + 1))
    assert [day for day in shown if any(astuple(day)[1:])] == [
        accounts[key] for key in sorted(accounts) if key[0] == ada.id
    ]


async def test_what_is_deleted_goes_when_its_day_is_counted_again(noon: int) -> None:
    await History(days=8).write()
    await statistics.rebuild()
    before = await stored()

    async with db.transaction():
        await db.execute("DELETE FROM post WHERE id % 3 = 0")
        await db.execute("DELETE FROM follow WHERE id % 3 = 0")
    assert await stored() == before
    await statistics.rebuild()

    assert await stored() == await count_by_hand()
    assert await stored() != before


# ------------------------------------------------------------------------------------- borders and meaning


async def test_a_day_begins_and_ends_on_the_millisecond(alice: Account) -> None:
    start, end = moments.day_start(20_000), moments.day_start(20_001)
    assert datetime.fromtimestamp(start / 1000, UTC) == datetime(2024, 10, 4, tzinfo=UTC)
    liked = await post(alice, start - 1)
    for at in (start, end - 1, end):
        await post(alice, at)
    await like(alice, liked, end - 1)
    await follow(alice, await met("erin", "far.example", end - 1), end)
    for day in (19_999, 20_000, 20_001):
        await statistics.compute_day(day)

    days = await statistics.server_days(19_999, 20_001)
    assert [day.posts for day in days] == [1, 2, 1]
    assert [day.likes for day in days] == [0, 1, 0]
    assert [day.follows for day in days] == [0, 0, 1]
    assert [day.known_servers for day in days] == [0, 1, 1]


async def test_only_what_people_here_do_counts_for_the_server(alice: Account) -> None:
    erin = await remote("erin", "far.example")
    at = moments.day_start(20_000)
    hers, foreign = await post(alice, at), await post(erin, at)
    await reply(erin, hers, at)
    await boost(erin, hers, at)
    await like(erin, hers, at)
    await like(erin, foreign, at)
    await follow(erin, alice, at)
    await statistics.compute_day(20_000)

    [day] = await statistics.server_days(20_000, 20_000)
    assert (day.posts, day.replies, day.boosts, day.likes, day.follows, day.active_people) == (
        1,
        0,
        0,
        0,
        0,
        1,
    )
    assert await statistics.account_days(alice, 20_000, 20_000) == [
        AccountDay(20_000, posts=1, boosts_received=1, likes_received=1, new_followers=1)
    ]
    assert await db.value("SELECT count(*) FROM account_day WHERE account_id = $1", erin.id) == 0


async def test_a_post_fetched_late_counts_for_nobody_here(alice: Account) -> None:
    erin = await remote("erin", "far.example")
    await post(erin, moments.day_start(20_000))
    await statistics.compute_day(20_000)
    assert (await statistics.server_days(20_000, 20_000))[0].posts == 0


async def test_one_who_only_receives_is_not_active(alice: Account, bob: Account) -> None:
    at = moments.day_start(20_000)
    hers = await post(alice, at - moments.DAY)
    await like(bob, hers, at)
    await follow(bob, alice, at)
    await statistics.compute_day(20_000)
    assert (await statistics.server_days(20_000, 20_000))[0].active_people == 1
    assert await statistics.active_people(20_000, 20_000) == 1


async def test_a_reply_stays_a_reply_when_its_parent_is_gone(alice: Account) -> None:
    parent = await post(alice, moments.day_start(19_000))
    await reply(alice, parent, moments.day_start(20_000))
    await parent.delete()
    await statistics.compute_day(20_000)
    [day] = await statistics.server_days(20_000, 20_000)
    assert (day.posts, day.replies) == (0, 1)


async def test_rows_that_became_empty_are_removed(alice: Account) -> None:
    made = await post(alice, moments.day_start(20_000))
    await statistics.compute_day(20_000)
    assert await db.value("SELECT count(*) FROM account_day") == 1
    await made.delete()
    await statistics.compute_day(20_000)
    assert await db.value("SELECT count(*) FROM account_day") == 0
    assert await db.value("SELECT posts FROM server_day WHERE day = 20000") == 0


async def test_people_active_on_many_days_are_counted_once(alice: Account, bob: Account) -> None:
    for day in (20_000, 20_001, 20_005):
        await post(alice, moments.day_start(day))
    await post(bob, moments.day_start(20_005))
    for day in range(20_000, 20_006):
        await statistics.compute_day(day)
    assert await statistics.active_people(20_000, 20_005) == 2
    assert await statistics.active_people(20_000, 20_004) == 1
    assert await statistics.active_people(20_002, 20_003) == 0


async def test_counting_a_day_twice_at_the_same_time_is_the_same_as_once(
    alice: Account, bob: Account
) -> None:
    for author in (alice, bob, alice):
        await post(author, moments.day_start(20_000))
    await asyncio.gather(*(statistics.compute_day(20_000) for _ in range(4)))
    assert (await statistics.server_days(20_000, 20_000))[0].posts == 3
    assert await db.value("SELECT count(*) FROM account_day") == 2


# ---------------------------------------------------------------------------------- filling back, rebuilding


async def test_without_anybody_there_is_nothing_to_count() -> None:
    assert await statistics.back_fill() == 0
    assert await statistics.rebuild() == 0
    assert await db.value("SELECT count(*) FROM server_day") == 0


async def test_today_is_counted_again_each_time(alice: Account) -> None:
    today = moments.day(moments.now())
    await statistics.back_fill()
    await post(alice, moments.now())
    await statistics.back_fill()
    assert (await statistics.server_days(today, today))[0].posts == 1


async def test_a_day_that_was_counted_before_its_end_is_counted_once_more(
    alice: Account, clock: Clock
) -> None:
    today = moments.day(moments.now())
    await statistics.back_fill()
    await post(alice, moments.day_start(today + 1) - 1)
    clock.forward(moments.day_start(today + 1) + 5 * moments.MINUTE - moments.now())
    await statistics.back_fill()
    assert (await statistics.server_days(today, today))[0].posts == 1


async def test_a_day_that_is_over_and_counted_is_left_alone(alice: Account, clock: Clock) -> None:
    today = moments.day(moments.now())
    clock.forward(2 * moments.DAY)
    await statistics.back_fill()
    await post(alice, moments.day_start(today + 1))
    clock.forward(moments.DAY)
    await statistics.back_fill()
    assert (await statistics.server_days(today + 1, today + 1))[0].posts == 0
    await statistics.rebuild()
    assert (await statistics.server_days(today + 1, today + 1))[0].posts == 1


async def test_filling_back_goes_on_where_it_stopped_newest_first(alice: Account) -> None:
    today = moments.day(moments.now())
    await post(alice, moments.day_start(today - 9))
    assert await statistics.back_fill(most=4) == 6
    assert await db.column("SELECT day FROM server_day ORDER BY day") == list(range(today - 3, today + 1))
    # Today is counted each time; the others are done.
    assert await statistics.back_fill(most=4) == 3
    assert await statistics.back_fill(most=4) == 0
    assert await db.value("SELECT count(*) FROM server_day") == 10


async def test_rebuilding_drops_days_that_never_were(alice: Account) -> None:
    today = moments.day(moments.now())
    async with db.transaction():
        for day in (today - 100, today + 1):
            await db.execute(statistics.SERVER, 0, 0, day, 0, 0)
    assert await statistics.rebuild() == 1
    assert await db.column("SELECT day FROM server_day") == [today]


# --------------------------------------------------------------------------------------------- reading


async def test_days_without_a_row_are_zeros(alice: Account) -> None:
    assert await statistics.server_days(20_000, 20_001) == [ServerDay(20_000), ServerDay(20_001)]
    assert await statistics.account_days(alice, 20_000, 20_001) == [AccountDay(20_000), AccountDay(20_001)]


@pytest.mark.parametrize(("first", "last"), [(5, 4), (0, 1_000_000), (-5, 0), (1 << 62, 1 << 62)])
async def test_a_span_that_makes_no_sense_is_refused(alice: Account, first: int, last: int) -> None:
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: statistics.server_days(first, last),
        lambda: statistics.account_days(alice, first, last),
        lambda: statistics.active_people(first, last),
    ]
    for ask in asked:
        with pytest.raises(Invalid):
            await ask()


def test_totals_leave_out_what_cannot_be_summed() -> None:
    days = [ServerDay(1, posts=2, active_people=3, known_servers=9), ServerDay(2, posts=5, sign_ups=1)]
    sums = statistics.totals(days)
    assert sums["posts"] == 7 and sums["sign_ups"] == 1
    assert not {"day", "active_people", "known_servers"} & set(sums)
    assert statistics.totals([AccountDay(1, likes_received=2)])["likes_received"] == 2
    assert statistics.totals([]) == {}


def test_days_as_csv() -> None:
    assert statistics.csv([ServerDay(20_000, posts=2, known_servers=4)]) == (
        "day,posts,replies,boosts,likes,follows,active_people,sign_ups,deliveries,inbound,known_servers\r\n"
        "2024-10-04,2,0,0,0,0,0,0,0,0,4\r\n"
    )
    assert statistics.csv([AccountDay(20_000, new_followers=1)]).endswith("2024-10-04,0,0,0,0,0,0,0,1\r\n")
    assert statistics.csv([]) == ""


# ----------------------------------------------------------------------------------------------- plans


async def test_a_day_is_found_by_indexes(noon: int, explain: Callable[..., Awaitable[list[str]]]) -> None:
    history = History()
    await history.write()
    await crowd(history.here[0], noon)
    await analyse()
    start = moments.day_start(noon - 3)
    plan = "\n".join(await explain(statistics.ACCOUNTS, start, start + moments.DAY, noon - 3))

    for index in ("post_local_day", "post_boost_day", "post_like_day", "follow_day"):
        assert index in plan
    if db.dialect() == "sqlite":
        assert "SCAN post" not in plan and "SCAN follow" not in plan and "SCAN l" not in plan


# ------------------------------------------------------------------------------ what comes in and goes out


async def arrived(at: int) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO inbox_item (id, uri, actor_uri, body, due_at, received_at, state)"
            " VALUES ($1, $2, 'x', $3, $4, $4, 'done')",
            *((number := ids.new()), f"activity:{number}", b"", at),
        )


async def delivered(at: int, state: str = "done") -> None:
    number = ids.new()
    async with db.transaction():
        await db.execute(
            "INSERT INTO server (id, domain, first_seen_at) VALUES ($1, $2, 1)", number, f"{number}.example"
        )
        await db.execute(
            "INSERT INTO activity (id, uri, kind, body, created_at) VALUES ($1, $2, 'Like', $3, 1)",
            *(number, f"letter:{number}", b"{}"),
        )
        await db.execute(
            "INSERT INTO delivery (id, activity_id, server_id, inbox, state, due_at, ended_at)"
            " VALUES ($1, $1, $1, 'x', $2, 1, $3)",
            *(number, state, at),
        )


async def test_what_comes_in_and_what_goes_out_is_counted_on_its_day() -> None:
    start, end = moments.day_start(20_000), moments.day_start(20_001)
    for at in (start - 1, start, end - 1, end):
        await arrived(at)
        await delivered(at)
    await delivered(start, state="failed")
    await statistics.compute_day(20_000)

    [day] = await statistics.server_days(20_000, 20_000)
    assert (day.inbound, day.deliveries) == (2, 2)


async def test_a_day_whose_rows_are_gone_keeps_its_count() -> None:
    at = moments.day_start(20_000)
    for _ in range(3):
        await arrived(at)
        await delivered(at)
    await statistics.compute_day(20_000)
    async with db.transaction():
        await db.execute("DELETE FROM inbox_item")
        await db.execute("DELETE FROM delivery")
    await arrived(at)
    await statistics.compute_day(20_000)

    [day] = await statistics.server_days(20_000, 20_000)
    assert (day.inbound, day.deliveries) == (3, 3)


async def test_counting_what_comes_in_reads_no_table_whole(explain) -> None:
    for at in range(2_000):
        await arrived(at)
    await analyse()
    plan = "\n".join(await explain(statistics.SERVER, 0, 5, 0, 0, 0))
    assert "inbox_item_received" in plan
