"""Hiding a whole server from oneself: who disappears, who stays, and who comes later."""

import pytest

from fediblog import db
from fediblog.errors import Forbidden, Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    follows,
    hidden_domains,
    mutes,
    notifications,
    receiving,
    remote_accounts,
    timelines,
)
from fediblog.services.notifications import Kind
from tests.people import remote
from tests.services.elsewhere import profile, said
from tests.services.making import owed

pytestmark = pytest.mark.usefixtures("database")


async def hidden() -> set[tuple[int, int]]:
    found = await db.rows("SELECT account_id, target_id FROM hidden")
    return {(line["account_id"], line["target_id"]) for line in found}


async def carry_out() -> None:
    for key in await owed("hide_domain"):
        await hidden_domains.carry_out(key)


async def test_nobody_of_a_hidden_server_is_seen_or_heard_and_others_are(
    alice: Account, bob: Account
) -> None:
    dave, erin = await remote("dave", "far.example"), await remote("erin", "near.example")
    theirs = [await receiving.receive(one, said(one)) for one in (dave, erin)]
    await hidden_domains.hide(alice, "FAR.example")
    assert await hidden() == {(alice.id, dave.id)}

    async def public(viewer: Account) -> list[int]:
        return [entry.id for entry in (await timelines.public(viewer, Page())).entries]

    assert await public(alice) == [post.id for post in theirs if post and post.author_id == erin.id]
    assert len(await public(bob)) == 2
    async with db.transaction():
        for one in (dave, erin):
            await notifications.tell(Kind.FOLLOW, alice.id, one)
    assert [notice.from_id for notice in await notifications.listing(alice, Page())] == [erin.id]


async def test_who_comes_from_a_hidden_server_later_is_hidden_too(alice: Account, bob: Account) -> None:
    await hidden_domains.hide(alice, "remote.example")
    rita = await remote_accounts.store(profile("rita"))
    await remote_accounts.store(profile("otto", "other.example"))
    assert await hidden() == {(alice.id, rita.id)}


async def test_followers_and_requests_from_there_end_and_no_new_ones_begin(alice: Account) -> None:
    dave, erin, frank = [await remote(name, "far.example") for name in ("dave", "erin", "frank")]
    await follows.follow(dave, alice)
    await Account.filter(id=alice.id).update(locked=True)
    await follows.follow(erin, alice)
    await hidden_domains.hide(alice, "far.example")
    await carry_out()
    assert await db.rows("SELECT 1 FROM follow") == [] == await db.rows("SELECT 1 FROM follow_request")
    assert (await Account.get(id=alice.id)).followers_count == 0
    for one, other in ((frank, alice), (alice, frank)):
        with pytest.raises(Forbidden):
            await follows.follow(one, other)


async def test_many_are_hidden_in_batches_by_owed_work(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [await remote(f"r{number}", "far.example") for number in range(5)]
    monkeypatch.setattr(hidden_domains, "_BATCH", 2)
    await hidden_domains.hide(alice, "far.example")
    assert len(await hidden()) == 2
    assert sorted(await owed("hide_domain")) == [f"{alice.id}:far.example", f"{alice.id}:far.example again"]
    await carry_out()
    assert await hidden() == {(alice.id, one.id) for one in there}


async def test_showing_a_server_again_leaves_hidden_who_is_so_for_a_reason_of_their_own(
    alice: Account, bob: Account
) -> None:
    dave, erin, frank = [await remote(name, "far.example") for name in ("dave", "erin", "frank")]
    for one in (alice, bob):
        await hidden_domains.hide(one, "far.example")
    await mutes.mute(alice, dave)
    await blocks.block(erin, alice)
    await mutes.unmute(alice, frank)
    assert (alice.id, frank.id) in await hidden()
    await blocks.rebuild_hidden(alice.id)
    assert len(await hidden()) == 7
    await hidden_domains.show(alice, "far.example")
    await hidden_domains.show(alice, "far.example")
    assert {pair for pair in await hidden() if alice.id in pair} == {
        (alice.id, dave.id),
        (alice.id, erin.id),
        (erin.id, alice.id),
    }
    await carry_out()
    assert (alice.id, frank.id) not in await hidden()


@pytest.mark.parametrize("typed", ["", "a b", "localhost:8000", "https://far.example", "x/y"])
async def test_what_is_no_server_or_our_own_cannot_be_hidden(alice: Account, typed: str) -> None:
    with pytest.raises(Invalid):
        await hidden_domains.hide(alice, typed)
    assert (await hidden_domains.listing(alice, Page())).names == []


async def test_there_is_a_bound_and_the_list_pages_by_its_rows(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_domains, "_MOST", 2)
    for name in ("one.example", "two.example", "one.example"):
        await hidden_domains.hide(alice, name)
    with pytest.raises(Invalid):
        await hidden_domains.hide(alice, "three.example")
    found = await hidden_domains.listing(alice, Page())
    assert found.names == ["two.example", "one.example"]
    older = await hidden_domains.listing(alice, Page(max_id=found.cursors[0]))
    assert older.names == ["one.example"] and (await hidden_domains.listing(bob, Page())).names == []
