"""Following: who agrees to what, what is counted and told, and who may see the lists."""

import asyncio
from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import blocks, follows, mutes, people
from fediblog.services.follows import State
from tests.harness.statements import analyse
from tests.people import person, remote
from tests.services.making import counts, owed, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def row(follower: Account, target: Account, table: str = "follow") -> dict[str, Any] | None:
    sql = f"SELECT * FROM {table} WHERE follower_id = $1 AND target_id = $2"
    return await db.row(sql, follower.id, target.id)


async def lock(account: Account, locked: bool = True) -> None:
    await Account.filter(id=account.id).update(locked=locked)


async def test_an_open_account_is_followed_at_once(alice: Account, bob: Account) -> None:
    assert await follows.follow(alice, bob) is State.FOLLOWING == "following"

    found = await row(alice, bob)
    assert found is not None
    assert found["uri"] == f"http://localhost:8000/ap/follows/{found['id']}"
    assert (bool(found["show_boosts"]), bool(found["notify"]), found["languages"]) == (True, False, None)
    assert (await counts(alice), await counts(bob)) == ((0, 1), (1, 0))
    assert await told(bob) == [("follow", alice.id, None)]
    assert await owed("backfill") == [f"{alice.id}:{bob.id}"]


async def test_following_again_changes_only_what_is_said(alice: Account, bob: Account) -> None:
    await follows.follow(alice, bob, notify=True, languages=["de", "pt-BR", "de"])
    before = await row(alice, bob)
    assert await follows.follow(alice, bob, show_boosts=False) is State.FOLLOWING

    after = await row(alice, bob)
    assert before is not None and after is not None
    assert (after["id"], after["uri"]) == (before["id"], before["uri"])
    assert (bool(after["show_boosts"]), bool(after["notify"])) == (False, True)
    assert after["languages"].replace(" ", "") == '["de","pt-BR"]'
    assert (await counts(alice), await counts(bob)) == ((0, 1), (1, 0))
    assert len(await told(bob)) == 1


async def test_a_locked_account_is_asked_first(alice: Account, bob: Account) -> None:
    await lock(bob)
    assert await follows.follow(alice, bob, show_boosts=False) is State.REQUESTED

    assert await row(alice, bob) is None
    assert (await counts(alice), await counts(bob)) == ((0, 0), (0, 0))
    assert await told(bob) == [("follow_request", alice.id, None)]
    assert await owed("backfill") == []
    assert (await follows.requests(bob, P20)).ids == [alice.id]
    assert await follows.count_requests(bob) == 1


async def test_an_account_elsewhere_is_asked_first(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    assert await follows.follow(alice, dave) is State.REQUESTED
    assert await row(alice, dave) is None


async def test_somebody_elsewhere_follows_an_open_account_at_once_under_their_own_uri(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    assert await follows.follow(dave, alice, uri="https://far.example/f/1") is State.FOLLOWING

    found = await row(dave, alice)
    assert found is not None and found["uri"] == "https://far.example/f/1"
    assert await owed("backfill") == []
    assert await told(alice) == [("follow", dave.id, None)]


async def test_who_is_silenced_asks_first(alice: Account) -> None:
    loud = await person("loud", silenced_at=moments.now())
    assert await follows.follow(loud, alice) is State.REQUESTED


async def test_asking_again_changes_only_the_options_also_after_unlocking(
    alice: Account, bob: Account
) -> None:
    await lock(bob)
    await follows.follow(alice, bob)
    await lock(bob, False)
    assert await follows.follow(alice, bob, notify=True) is State.REQUESTED

    found = await row(alice, bob, "follow_request")
    assert found is not None and bool(found["notify"])
    assert await row(alice, bob) is None


async def test_locking_counts_from_the_moment_it_is_done(alice: Account, bob: Account) -> None:
    before = await Account.get(id=bob.id)
    await lock(bob)
    assert await follows.follow(alice, before) is State.REQUESTED


async def test_accepting_begins_the_follow_with_the_options_and_the_uri_asked_for(
    alice: Account, bob: Account
) -> None:
    await lock(bob)
    await follows.follow(alice, bob, show_boosts=False, notify=True, languages=["eo"])
    asked = await row(alice, bob, "follow_request")
    await follows.accept(bob, alice.id)

    found = await row(alice, bob)
    assert asked is not None and found is not None
    assert found["uri"] == asked["uri"]
    assert (bool(found["show_boosts"]), bool(found["notify"])) == (False, True)
    assert found["languages"] == '["eo"]'
    assert await row(alice, bob, "follow_request") is None
    assert (await counts(alice), await counts(bob)) == ((0, 1), (1, 0))
    assert await told(bob) == []
    assert await owed("backfill") == [f"{alice.id}:{bob.id}"]


async def test_rejecting_leaves_nothing(alice: Account, bob: Account) -> None:
    await lock(bob)
    await follows.follow(alice, bob)
    await follows.reject(bob, alice.id)

    assert await row(alice, bob, "follow_request") is None
    assert await told(bob) == []
    assert (await counts(alice), await counts(bob)) == ((0, 0), (0, 0))


async def test_nobody_accepts_or_rejects_who_did_not_ask(
    alice: Account, bob: Account, carol: Account
) -> None:
    await lock(bob)
    await follows.follow(alice, bob)
    for answer in (follows.accept, follows.reject):
        with pytest.raises(NotFound):
            await answer(carol, alice.id)
        with pytest.raises(NotFound):
            await answer(bob, carol.id)
    assert await row(alice, bob, "follow_request") is not None
    assert await db.value("SELECT count(*) FROM follow") == 0


async def test_unfollowing_ends_the_follow_and_takes_the_notice_back(alice: Account, bob: Account) -> None:
    await follows.follow(alice, bob)
    for _ in range(2):
        await follows.unfollow(alice, bob)

    assert await row(alice, bob) is None
    assert (await counts(alice), await counts(bob)) == ((0, 0), (0, 0))
    assert await told(bob) == []


async def test_unfollowing_withdraws_a_request(alice: Account, bob: Account) -> None:
    await lock(bob)
    await follows.follow(alice, bob)
    await follows.unfollow(alice, bob)
    assert await row(alice, bob, "follow_request") is None
    assert await told(bob) == []


async def test_a_follower_can_be_removed(alice: Account, bob: Account) -> None:
    await follows.follow(alice, bob)
    await follows.follow(bob, alice)
    for _ in range(2):
        await follows.remove_follower(bob, alice.id)

    assert await row(alice, bob) is None
    assert await row(bob, alice) is not None
    assert (await counts(alice), await counts(bob)) == ((1, 0), (0, 1))


async def test_nobody_follows_themselves(alice: Account) -> None:
    with pytest.raises(Invalid):
        await follows.follow(alice, alice)


async def test_nobody_follows_across_a_block(alice: Account, bob: Account) -> None:
    await blocks.block(bob, alice)
    for follower, target in ((alice, bob), (bob, alice)):
        with pytest.raises(Forbidden):
            await follows.follow(follower, target)
    assert await db.value("SELECT count(*) FROM follow") == 0
    assert await told(bob) == [] == await told(alice)


@pytest.mark.parametrize("column", ["suspended_at", "deleted_at"])
async def test_nobody_follows_who_is_gone(alice: Account, bob: Account, column: str) -> None:
    await Account.filter(id=bob.id).update(**{column: moments.now()})
    with pytest.raises(NotFound):
        await follows.follow(alice, bob)


async def test_nobody_follows_who_has_moved(alice: Account, bob: Account, carol: Account) -> None:
    await Account.filter(id=bob.id).update(moved_to_id=carol.id)
    with pytest.raises(Forbidden):
        await follows.follow(alice, bob)


@pytest.mark.parametrize("codes", [["deutsch!"], [""], ["de"] * 51, ["de\n"]])
async def test_broken_language_codes_are_refused(alice: Account, bob: Account, codes: list[str]) -> None:
    with pytest.raises(Invalid) as fault:
        await follows.follow(alice, bob, languages=codes)
    assert "languages" in fault.value.fields
    assert await row(alice, bob) is None


async def test_many_at_once_follow_once_and_are_counted_right(alice: Account, bob: Account) -> None:
    pairs = [(alice, bob), (bob, alice)] * 10
    await asyncio.gather(*(follows.follow(one, other) for one, other in pairs))
    assert await counts(alice) == (1, 1) == await counts(bob)
    await asyncio.gather(*(follows.unfollow(one, other) for one, other in pairs))
    assert await counts(alice) == (0, 0) == await counts(bob)


async def test_a_follow_and_a_block_that_cross_leave_the_block_alone(alice: Account, bob: Account) -> None:
    for _ in range(10):
        await asyncio.gather(follows.follow(alice, bob), blocks.block(bob, alice), return_exceptions=True)
        assert await row(alice, bob) is None
        assert await counts(alice) == (0, 0) == await counts(bob)
        await blocks.unblock(bob, alice)


# ---------------------------------------------------------------------------------------------- lists


async def test_lists_page_by_the_moment_of_the_follow_in_both_directions(alice: Account) -> None:
    fans = [await person(f"fan{number}") for number in range(5)]
    for fan in reversed(fans):
        await follows.follow(fan, alice)
        await follows.follow(alice, fan)

    for read in (follows.followers, follows.following):
        first = await read(alice, None, Page(2))
        assert first.ids == [fans[0].id, fans[1].id]
        older = await read(alice, None, Page(2, max_id=first.cursors[-1]))
        assert older.ids == [fans[2].id, fans[3].id]
        assert (await read(alice, None, Page(2, min_id=older.cursors[0]))).ids == first.ids
        newest = await read(alice, None, Page(2, since_id=older.cursors[0]))
        assert newest.ids == first.ids


async def test_lists_leave_out_who_is_suspended_and_who_is_hidden_from_the_viewer(
    alice: Account, bob: Account, carol: Account
) -> None:
    others = [await person(name) for name in ("muted", "blocked", "blocking", "suspended")]
    for fan in (bob, *others):
        await follows.follow(fan, alice)
    muted, blocked, blocking, suspended = others
    await mutes.mute(carol, muted)
    await blocks.block(carol, blocked)
    await blocks.block(blocking, carol)
    await Account.filter(id=suspended.id).update(suspended_at=moments.now())

    assert (await follows.followers(alice, carol, P20)).ids == [bob.id]
    assert (await follows.followers(alice, None, P20)).ids == [blocking.id, blocked.id, muted.id, bob.id]
    await mutes.mute(alice, muted)
    assert muted.id in (await follows.followers(alice, alice, P20)).ids


async def test_hidden_collections_are_for_their_owner_alone(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    await follows.follow(alice, bob)
    alice.hide_collections = True
    await alice.save()

    for read in (follows.followers, follows.following):
        assert (await read(alice, None, P20)).ids == [] == (await read(alice, bob, P20)).ids
        assert (await read(alice, alice, P20)).ids == [bob.id]


async def test_nobody_reads_the_lists_of_who_is_suspended(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    await follows.follow(alice, bob)
    alice.suspended_at = moments.now()
    for read in (follows.followers, follows.following):
        assert (await read(alice, None, P20)).ids == [] == (await read(alice, bob, P20)).ids


async def test_who_is_blocked_by_an_account_sees_nothing_of_its_lists(
    alice: Account, bob: Account, carol: Account
) -> None:
    await follows.follow(bob, alice)
    await blocks.block(alice, carol)
    assert (await follows.followers(alice, carol, P20)).ids == []
    assert (await follows.followers(alice, None, P20)).ids == [bob.id]


async def test_requests_are_for_the_one_who_is_asked(alice: Account, bob: Account, carol: Account) -> None:
    await lock(bob)
    await follows.follow(alice, bob)
    await follows.follow(carol, bob)
    assert (await follows.requests(bob, P20)).ids == [carol.id, alice.id]
    assert (await follows.requests(alice, P20)).ids == []


async def crowd(target: Account, number: int) -> None:
    """Many accounts that follow somebody, without detours."""
    now = moments.now()
    made = [
        Account(
            id=ids.new(), username=f"c{n}", username_key=f"c{n}", local=True, uri=f"https://c.example/{n}"
        )
        for n in range(number)
    ]
    await Account.bulk_create(made)
    async with db.transaction():
        for account in made:
            await db.execute(
                "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
                " VALUES ($1, $2, $3, $4, $5)",
                *(account.id, target.id, ids.new(), f"f{account.id}", now),
            )


@pytest.mark.parametrize("limit", [20, 200])
async def test_a_list_is_one_statement_however_long(
    alice: Account, bob: Account, queries: Any, limit: int
) -> None:
    await crowd(alice, 210)
    for viewer in (None, bob, alice):
        with queries() as sent:
            found = await follows.followers(alice, viewer, Page(limit))
        assert (len(found.ids), len(sent)) == (limit, 1)


async def test_lists_walk_their_index_and_neither_scan_nor_sort(
    alice: Account, bob: Account, explain: Any
) -> None:
    await crowd(bob, 3000)
    await crowd_of(alice)
    await analyse()
    page = Page(20)
    for relation, index in ((follows.FOLLOWERS, "follow_followers"), (follows.FOLLOWING, "follow_following")):
        for viewed in (False, True):
            values = (page.before, page.after, alice.id, *([bob.id] if viewed else []))
            plan = await explain(people.statement(relation, page, viewed), *values)
            text = "\n".join(plan)
            assert index in text, text
            for bad in ("Seq Scan", "Sort", "Hash Join", "Merge Join", "TEMP B-TREE", "SCAN "):
                assert bad not in text, text


async def crowd_of(account: Account) -> None:
    """Everybody follows the account and is followed by it, and has muted some others."""
    async with db.transaction():
        await db.execute(
            "INSERT INTO hidden (account_id, target_id) SELECT a.id, b.id FROM account a"
            " JOIN (SELECT id FROM account ORDER BY id LIMIT 5) b ON a.id <> b.id"
        )
        for other in await db.column("SELECT id FROM account WHERE id <> $1", account.id):
            for follower, target in ((other, account.id), (account.id, other)):
                await db.execute(
                    "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
                    " VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO NOTHING",
                    *(follower, target, ids.new(), f"g{follower}:{target}"),
                )
