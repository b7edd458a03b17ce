"""Lists: who may be on them, what they show, and what exclusive ones keep off home."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import blocks, boosts, deletion, follows, home, lists, mutes, posts, timelines
from fediblog.services.composing import Draft
from fediblog.services.lists import AccountList, Replies
from fediblog.services.views import Listing
from tests.people import person, user_of
from tests.services import making

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(20)


async def write(author: Account, source: str = "hi", **options: Any) -> Post:
    made = await posts.publish(author, Draft(source, **options))
    await home.fan_out(made.id)
    return made


async def pass_on(booster: Account, original: Post) -> Post:
    made = await boosts.boost(booster, original)
    await home.fan_out(made.id)
    return made


async def with_members(owner: Account, *members: Account, **options: Any) -> AccountList:
    made = await lists.create(owner, "Friends", **options)
    for member in members:
        await follows.follow(owner, member)
    await lists.add(owner, made.id, [member.id for member in members])
    return made


def shown(listing: Listing) -> list[int]:
    return [entry.id for entry in listing.entries]


async def on(owner: Account, which: AccountList) -> list[int]:
    return (await lists.members(owner, which.id, P20)).ids


async def test_only_who_is_followed_gets_on_a_list_and_all_or_nobody(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = await with_members(alice, bob)
    for wrong in ([carol.id], [bob.id, carol.id], [4711]):
        with pytest.raises(NotFound):
            await lists.add(alice, made.id, wrong)
    await lists.add(alice, made.id, [bob.id, bob.id, alice.id])
    assert await on(alice, made) == [alice.id, bob.id]

    await lists.remove(alice, made.id, [alice.id, carol.id])
    assert await on(alice, made) == [bob.id]


async def test_lists_are_their_owners_alone(alice: Account, bob: Account) -> None:
    made = await with_members(alice, bob)
    assert await lists.listing(bob) == []
    for verb in (
        lists.get(bob, made.id),
        lists.edit(bob, made.id, "Mine"),
        lists.delete(bob, made.id),
        lists.members(bob, made.id, P20),
        lists.add(bob, made.id, [bob.id]),
        lists.remove(bob, made.id, [bob.id]),
    ):
        with pytest.raises(NotFound):
            await verb
    assert await lists.listing(alice) == [made]
    assert (await lists.holding(alice, bob.id), await lists.holding(bob, bob.id)) == ([made], [])


async def test_unfollowing_and_blocking_take_somebody_off_ones_own_lists(
    alice: Account, bob: Account, carol: Account
) -> None:
    made, his = await with_members(alice, bob, carol), await with_members(bob, carol)
    await follows.unfollow(alice, carol)
    await blocks.block(bob, alice)
    assert await on(alice, made) == []
    assert await on(bob, his) == [carol.id]


async def test_who_is_unfollowed_while_being_added_is_not_left_on_the_list(
    alice: Account, bob: Account
) -> None:
    made = await lists.create(alice, "Friends")
    for _ in range(5):
        await follows.follow(alice, bob)
        await asyncio.gather(
            lists.add(alice, made.id, [bob.id]), follows.unfollow(alice, bob), return_exceptions=True
        )
        assert await on(alice, made) == []


async def test_faults_of_a_list_are_refused(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (
        lists.create(alice, " "),
        lists.create(alice, "x" * 257),
        lists.create(alice, "x", replies="some"),
    ):
        with pytest.raises(Invalid):
            await wrong
    monkeypatch.setattr(lists, "MOST_LISTS", 1)
    monkeypatch.setattr(lists, "MOST_MEMBERS", 1)
    made = await lists.create(alice, "one")
    with pytest.raises(Invalid):
        await lists.create(alice, "two")
    with pytest.raises(Invalid):
        await with_members_of(made, alice, 2)
    assert await on(alice, made) == []


async def with_members_of(which: AccountList, owner: Account, number: int) -> list[Account]:
    people = [await person(f"p{count}") for count in range(number)]
    for each in people:
        await follows.follow(owner, each)
    await lists.add(owner, which.id, [each.id for each in people])
    return people


async def test_a_list_shows_what_its_members_wrote_and_passed_on_as_far_as_the_follow_takes_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = await with_members(alice, bob)
    await follows.follow(alice, carol)
    first, private = await write(bob), await write(bob, "psst", visibility=Visibility.FOLLOWERS)
    await write(bob, "@alice you alone", visibility=Visibility.DIRECT)
    boost = await pass_on(bob, await write(carol))
    german = await write(bob, "hallo", language="de")
    assert shown(await timelines.members(alice, made, P20)) == [german.id, boost.id, private.id, first.id]

    await follows.follow(alice, bob, show_boosts=False, languages=["en"])
    assert shown(await timelines.members(alice, made, P20)) == [private.id, first.id]
    await mutes.mute(alice, bob)
    assert shown(await timelines.members(alice, made, P20)) == []


async def test_a_list_leaves_out_boosts_of_those_who_are_hidden(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = await with_members(alice, bob)
    await pass_on(bob, await write(carol))
    await blocks.block(carol, alice)
    assert shown(await timelines.members(alice, made, P20)) == []


async def test_the_policy_says_which_replies_are_shown(alice: Account, bob: Account, carol: Account) -> None:
    dave, erin = await person("dave"), await person("erin")
    made = await with_members(alice, bob, carol)
    await follows.follow(alice, dave)
    roots = {author.username: await write(author) for author in (alice, bob, carol, dave, erin)}
    replies = {name: (await write(bob, f"to {name}", reply_to_id=root.id)).id for name, root in roots.items()}

    async def answered(policy: Replies) -> set[str]:
        which = await lists.edit(alice, made.id, replies=policy)
        seen = set(shown(await timelines.members(alice, which, P20)))
        return {name for name, number in replies.items() if number in seen}

    assert await answered(Replies.NONE) == {"alice", "bob"}
    assert await answered(Replies.LIST) == {"alice", "bob", "carol"}
    assert await answered(Replies.FOLLOWED) == {"alice", "bob", "carol", "dave"}


async def test_pages_of_a_list_meet_without_gap_or_overlap_in_both_directions(alice: Account) -> None:
    made = await lists.create(alice, "many")
    people = await with_members_of(made, alice, 5)
    every = [(await making.post(people[number % 5])).id for number in range(23)][::-1]

    seen: list[int] = []
    page = Page(4)
    while found := shown(await timelines.members(alice, made, page)):
        seen += found
        page = Page(4, max_id=found[-1])
    assert seen == every
    assert shown(await timelines.members(alice, made, Page(4, min_id=every[10]))) == every[6:10]
    assert shown(await timelines.members(alice, made, Page(4, since_id=every[10]))) == every[:4]


async def test_an_exclusive_list_keeps_its_members_off_home_what_is_there_already_too(
    alice: Account, bob: Account, carol: Account
) -> None:
    made = await with_members(alice, bob)
    await lists.add(alice, made.id, [alice.id])
    await follows.follow(alice, carol)
    his, hers, mine = await write(bob), await write(carol), await write(alice)
    passed_on, theirs = await pass_on(carol, his), await pass_on(bob, hers)
    everything = [theirs.id, passed_on.id, mine.id, hers.id, his.id]
    # Neither boost is stored: both originals stood on home. So look below what is stored, too.
    assert shown(await timelines.home(alice, P20)) == [mine.id, hers.id, his.id]

    await lists.edit(alice, made.id, exclusive=True)
    assert shown(await timelines.home(alice, P20)) == [mine.id, hers.id]
    assert shown(await timelines.members(alice, made, P20)) == [theirs.id, mine.id, his.id]
    async with db.transaction():
        await db.execute("DELETE FROM home_entry WHERE account_id = $1", alice.id)
    assert shown(await timelines.home(alice, P20)) == [passed_on.id, mine.id, hers.id]

    await lists.edit(alice, made.id, exclusive=False)
    assert shown(await timelines.home(alice, P20)) == everything
    await lists.edit(alice, made.id, exclusive=True)
    await lists.delete(alice, made.id)
    assert shown(await timelines.home(alice, P20)) == everything


async def test_the_lists_of_others_change_nothing_on_ones_home(
    alice: Account, bob: Account, carol: Account
) -> None:
    await with_members(carol, bob, exclusive=True)
    await follows.follow(alice, bob)
    his = await write(bob)
    assert shown(await timelines.home(alice, P20)) == [his.id]


async def test_a_deleted_account_leaves_no_list_behind(alice: Account, bob: Account) -> None:
    await with_members(alice, bob)
    his = await with_members(bob, alice)
    await deletion.delete(alice, await user_of(alice))
    await deletion.erase(alice.id)
    assert await db.column("SELECT id FROM list") == [his.id]
    assert await db.column("SELECT account_id FROM list_member") == []


@pytest.mark.parametrize("number", [2, 30])
async def test_lists_take_the_same_number_of_statements_whatever_they_hold(
    alice: Account, queries: Callable[[], Any], number: int
) -> None:
    made = await lists.create(alice, "many")
    people = [await person(f"p{count}") for count in range(number)]
    for each in people:
        await follows.follow(alice, each)
        await making.post(each)
    with queries() as adding:
        await lists.add(alice, made.id, [each.id for each in people])
    with queries() as reading:
        await lists.members(alice, made.id, P20)
        assert len((await timelines.members(alice, made, P20)).entries) == min(number, 20)
    assert (len(adding.reads) <= 4, len(adding.writes), len(reading)) == (True, 1, 3), adding.sql
