"""Relationships: every field, both sides, one statement."""

from dataclasses import asdict
from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.models import Account
from fediblog.services import blocks, follows, mutes, relationships
from tests.harness.statements import analyse
from tests.people import remote

pytestmark = pytest.mark.usefixtures("database")

NOTHING = {
    "following": False,
    "requested": False,
    "showing_boosts": False,
    "notifying": False,
    "languages": None,
    "followed_by": False,
    "requested_by": False,
    "blocking": False,
    "blocked_by": False,
    "muting": False,
    "muting_notifications": False,
    "muting_expires_at": None,
    "domain_blocking": False,
    "endorsed": False,
    "note": "",
}


async def between(viewer: Account, other: Account) -> dict[str, Any]:
    """The fields that are not as between strangers."""
    found = asdict((await relationships.between(viewer, [other.id]))[other.id])
    assert found.pop("id") == other.id
    assert set(found) == set(NOTHING)
    return {name: value for name, value in found.items() if value != NOTHING[name]}


async def test_strangers_have_nothing_between_them(alice: Account, bob: Account) -> None:
    assert await between(alice, bob) == {} == await between(alice, alice)


async def test_a_follow_is_seen_from_both_sides_with_its_options(alice: Account, bob: Account) -> None:
    await follows.follow(alice, bob, show_boosts=True, notify=True, languages=["de", "en"])
    assert await between(alice, bob) == {
        "following": True, "showing_boosts": True, "notifying": True, "languages": ("de", "en"),
    }  # fmt: skip
    assert await between(bob, alice) == {"followed_by": True}
    await follows.follow(alice, bob, show_boosts=False, notify=False, languages=[])
    assert await between(alice, bob) == {"following": True}


async def test_a_request_is_no_follow(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    await follows.follow(alice, dave)
    assert await between(alice, dave) == {"requested": True, "showing_boosts": True}
    assert await between(dave, alice) == {"requested_by": True}


async def test_a_block_is_seen_from_both_sides(alice: Account, bob: Account) -> None:
    await blocks.block(alice, bob)
    assert await between(alice, bob) == {"blocking": True}
    assert await between(bob, alice) == {"blocked_by": True}


async def test_a_mute_is_seen_by_the_muter_alone(alice: Account, bob: Account) -> None:
    await mutes.mute(alice, bob, notifications=False)
    assert await between(alice, bob) == {"muting": True}
    await mutes.mute(alice, bob, seconds=60)
    found = await between(alice, bob)
    assert moments.now() < found.pop("muting_expires_at") <= moments.now() + 60_000
    assert found == {"muting": True, "muting_notifications": True}
    assert await between(bob, alice) == {}


async def test_accounts_that_do_not_exist_are_left_out(alice: Account, bob: Account) -> None:
    assert list(await relationships.between(alice, [bob.id, 4711, bob.id])) == [bob.id]
    assert await relationships.between(alice, []) == {}


async def strangers(number: int) -> list[int]:
    made = [
        Account(
            id=ids.new(), username=f"s{n}", username_key=f"s{n}", local=True, uri=f"https://s.example/{n}"
        )
        for n in range(number)
    ]
    await Account.bulk_create(made)
    return [account.id for account in made]


@pytest.mark.parametrize("number", [1, 20, 200])
async def test_it_is_one_statement_whatever_the_number(alice: Account, queries: Any, number: int) -> None:
    others = await strangers(number)
    with queries() as sent:
        found = await relationships.between(alice, others)
    assert (len(found), len(sent)) == (number, 1)


async def test_it_looks_up_by_key_and_scans_nothing(alice: Account, explain: Any) -> None:
    others = await strangers(2000)
    async with db.transaction():
        for table, columns in (
            ("follow", "follower_id, target_id, id, uri, created_at"),
            ("follow_request", "follower_id, target_id, id, uri, created_at"),
            ("block", "account_id, target_id, id, uri, created_at"),
            ("mute", "account_id, target_id, id, created_at"),
        ):
            uri = f"'{table}' || a.id || '-' || b.id, " if "uri" in columns else ""
            await db.execute(
                f"INSERT INTO {table} ({columns}) SELECT a.id, b.id, a.id, {uri}1 FROM account a"
                " JOIN (SELECT id FROM account ORDER BY id LIMIT 3) b ON a.id <> b.id"
            )
        pairs = "FROM account a JOIN (SELECT id FROM account ORDER BY id LIMIT 3) b ON a.id <> b.id"
        await db.execute(f"INSERT INTO endorsement SELECT a.id, b.id, a.id {pairs}")
        await db.execute(f"INSERT INTO account_note SELECT a.id, b.id, 'x' {pairs}")
        await db.execute(f"INSERT INTO hidden_domain SELECT a.id, 'x' || b.id, a.id {pairs}")
    await analyse()
    plan = "\n".join(await explain(relationships.statement(), alice.id, db.array(others[:40])))
    for bad in ("Seq Scan", "Hash", "Merge Join", "SCAN f", "SCAN q", "SCAN m", "SCAN a", "SCAN x", "B-TREE"):
        assert bad not in plan, plan
