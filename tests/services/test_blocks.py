"""Blocking, and `hidden`, which follows from blocks and mutes whatever people do in whatever order."""

import random
from typing import Any

import pytest

from fediblog import db
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import blocks, follows, mutes
from tests.people import person, remote
from tests.services.making import counts, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def hidden() -> set[tuple[int, int]]:
    found = await db.rows("SELECT account_id, target_id FROM hidden")
    return {(line["account_id"], line["target_id"]) for line in found}


async def test_blocking_ends_follows_and_requests_both_ways_and_hides_both(
    alice: Account, bob: Account
) -> None:
    await follows.follow(alice, bob)
    await Account.filter(id=alice.id).update(locked=True)
    await follows.follow(bob, alice)
    await blocks.block(alice, bob)

    assert await db.rows("SELECT 1 FROM follow") == [] == await db.rows("SELECT 1 FROM follow_request")
    assert (await counts(alice), await counts(bob)) == ((0, 0), (0, 0))
    assert await told(alice) == [] == await told(bob)
    assert await hidden() == {(alice.id, bob.id), (bob.id, alice.id)}
    found = await db.row("SELECT id, uri FROM block")
    assert found is not None and found["uri"] == f"http://localhost:8000/ap/blocks/{found['id']}"


async def test_blocking_twice_is_the_same_as_once(alice: Account, bob: Account) -> None:
    await blocks.block(alice, bob)
    before = await db.rows("SELECT * FROM block")
    await blocks.block(alice, bob)
    assert await db.rows("SELECT * FROM block") == before


async def test_a_block_that_is_lifted_hides_nobody_and_brings_no_follow_back(
    alice: Account, bob: Account
) -> None:
    await follows.follow(alice, bob)
    await blocks.block(alice, bob)
    for _ in range(2):
        await blocks.unblock(alice, bob)
    assert await hidden() == set()
    assert await db.rows("SELECT 1 FROM follow") == []


async def test_what_is_hidden_for_two_reasons_stays_hidden_when_one_goes(
    alice: Account, bob: Account
) -> None:
    both = {(alice.id, bob.id), (bob.id, alice.id)}
    await blocks.block(alice, bob)
    await blocks.block(bob, alice)
    await mutes.mute(alice, bob)
    await blocks.unblock(alice, bob)
    assert await hidden() == both
    await blocks.unblock(bob, alice)
    assert await hidden() == {(alice.id, bob.id)}
    await mutes.unmute(alice, bob)
    assert await hidden() == set()


async def test_nobody_blocks_themselves(alice: Account) -> None:
    with pytest.raises(Invalid):
        await blocks.block(alice, alice)
    assert await hidden() == set()


async def test_a_block_from_elsewhere_keeps_its_uri(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    await blocks.block(dave, alice, uri="https://far.example/b/1")
    assert await db.column("SELECT uri FROM block") == ["https://far.example/b/1"]


async def test_the_blocked_are_listed_newest_first_for_the_blocker_alone(
    alice: Account, bob: Account, carol: Account, queries: Any
) -> None:
    await blocks.block(alice, bob)
    await blocks.block(alice, carol)
    with queries() as sent:
        found = await blocks.blocked(alice, P20)
    assert found.ids == [carol.id, bob.id]
    assert len(sent) == 1
    assert (await blocks.blocked(alice, Page(20, max_id=found.cursors[0]))).ids == [bob.id]
    assert (await blocks.blocked(bob, P20)).ids == []


@pytest.mark.parametrize("seed", range(5))
async def test_hidden_rows_are_those_that_rebuilding_gives_after_any_acts(database: None, seed: int) -> None:
    chance = random.Random(seed)
    people = [await person(f"p{number}") for number in range(3)] + [await remote("r", "far.example")]
    acts = [blocks.block, blocks.unblock, mutes.mute, mutes.unmute, follows.follow]

    for _ in range(60):
        one, other = chance.sample(people, 2)
        act = chance.choice(acts)
        if act is follows.follow and (one.id, other.id) in await hidden():
            continue
        await act(one, other)

    kept = await hidden()
    for account in people:
        await blocks.rebuild_hidden(account.id)
    assert await hidden() == kept
    wanted = await db.rows(
        "SELECT account_id, target_id FROM mute UNION SELECT account_id, target_id FROM block"
    )
    backwards = await db.rows("SELECT target_id, account_id FROM block")
    assert kept == {(line["account_id"], line["target_id"]) for line in wanted} | {
        (line["target_id"], line["account_id"]) for line in backwards
    }
    assert await crossed() == 0


async def crossed() -> int:
    """How many follows stand where a block is."""
    return int(
        await db.value(
            "SELECT count(*) FROM follow f JOIN block b"
            " ON (b.account_id = f.follower_id AND b.target_id = f.target_id)"
            " OR (b.account_id = f.target_id AND b.target_id = f.follower_id)"
        )
    )


async def test_rebuilding_repairs_what_was_damaged(alice: Account, bob: Account, carol: Account) -> None:
    await mutes.mute(alice, bob)
    await blocks.block(carol, alice)
    kept = await hidden()
    async with db.transaction():
        await db.execute("DELETE FROM hidden WHERE account_id = $1 AND target_id = $2", alice.id, bob.id)
        await db.execute("INSERT INTO hidden (account_id, target_id) VALUES ($1, $2)", alice.id, alice.id)
    await blocks.rebuild_hidden(alice.id)
    assert await hidden() == kept
