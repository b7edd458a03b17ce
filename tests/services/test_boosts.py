"""Boosts: what may be passed on, to whom, once."""

import asyncio
from typing import Any

import pytest

from fediblog import db
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import blocks, boosts, follows
from tests.people import person, remote
from tests.services.making import mention, owed, post, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def counted(made: Post, booster: Account) -> tuple[int, int, int]:
    """Boosts and version of the post, posts of the booster."""
    found = await Post.get(id=made.id)
    return found.boosts, found.version, (await Account.get(id=booster.id)).posts_count


async def test_a_boost_is_a_post_of_its_own(alice: Account, bob: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(bob, made)

    assert (boost.author_id, boost.boost_of_id, boost.boost_of_author_id) == (bob.id, made.id, alice.id)
    assert (boost.thread_id, boost.visibility, boost.local) == (boost.id, Visibility.PUBLIC, True)
    assert boost.uri == f"http://localhost:8000/ap/posts/{boost.id}"
    assert boost.url == f"http://localhost:8000/@bob/{boost.id}"
    assert await counted(made, bob) == (1, 1, 1)
    assert (await Account.get(id=bob.id)).last_post_at is not None
    assert await told(alice) == [("boost", bob.id, made.id)]
    assert await owed("fan_out") == [str(boost.id)]
    assert await db.rows("SELECT account_id, post_id FROM home_entry") == [
        {"account_id": bob.id, "post_id": boost.id}
    ]


async def test_boosting_again_gives_the_first_boost(alice: Account, bob: Account) -> None:
    made = await post(alice)
    first = await boosts.boost(bob, made)
    again = await boosts.boost(bob, made, Visibility.UNLISTED)
    assert again.id == first.id
    assert await counted(made, bob) == (1, 1, 1)
    assert len(await told(alice)) == 1


async def test_boosting_a_boost_passes_the_original_on(alice: Account, bob: Account, carol: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(carol, await boosts.boost(bob, made))
    assert boost.boost_of_id == made.id
    assert await counted(made, carol) == (2, 1, 1)
    assert [kind for kind, *_ in await told(alice)] == ["boost", "boost"]
    assert await told(bob) == []


async def test_taking_a_boost_back_leaves_nothing(alice: Account, bob: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(bob, made)
    assert (await boosts.unboost(bob, boost)).id == made.id
    assert (await boosts.unboost(bob, made)).id == made.id

    assert await Post.get_or_none(id=boost.id) is None
    assert await counted(made, bob) == (0, 1, 0)
    assert await told(alice) == []


@pytest.mark.parametrize("level", [Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS])
async def test_who_sees_a_boost_is_the_boosters_choice(
    alice: Account, bob: Account, level: Visibility
) -> None:
    assert (await boosts.boost(bob, await post(alice, Visibility.UNLISTED), level)).visibility is level


async def test_ones_own_followers_only_post_is_passed_on_to_the_followers_alone(alice: Account) -> None:
    made = await post(alice, Visibility.FOLLOWERS)
    boost = await boosts.boost(alice, made, Visibility.PUBLIC)
    assert boost.visibility is Visibility.FOLLOWERS
    assert await told(alice) == []


async def test_what_is_not_for_everybody_is_not_passed_on(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    private, direct = await post(alice, Visibility.FOLLOWERS), await post(alice, Visibility.DIRECT)
    await mention(direct, bob)
    for booster, made in ((bob, private), (bob, direct), (alice, direct)):
        with pytest.raises(Forbidden):
            await boosts.boost(booster, made)
    with pytest.raises(Invalid):
        await boosts.boost(bob, await post(alice), Visibility.DIRECT)
    assert await Post.filter(boost_of_id__not_isnull=True).count() == 0
    assert await counted(private, bob) == (0, 1, 0)


async def test_nobody_boosts_across_a_block(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await blocks.block(alice, bob)
    with pytest.raises(NotFound):
        await boosts.boost(bob, made)
    await blocks.unblock(alice, bob)
    await blocks.block(bob, alice)
    with pytest.raises(Forbidden):
        await boosts.boost(bob, made)
    assert await counted(made, bob) == (0, 1, 0)


async def test_what_was_deleted_meanwhile_cannot_be_boosted(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await made.delete()
    with pytest.raises(NotFound):
        await boosts.boost(bob, made)


async def test_a_boost_from_elsewhere_keeps_its_uri_and_has_no_home(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    boost = await boosts.boost(dave, await post(alice), uri="https://far.example/b/1")
    assert (boost.uri, boost.local) == ("https://far.example/b/1", False)
    assert await db.rows("SELECT 1 FROM home_entry") == []


async def test_many_at_once_boost_once_each(alice: Account) -> None:
    made = await post(alice)
    fans = [await person(f"fan{number}") for number in range(3)]
    found = await asyncio.gather(*(boosts.boost(fan, made) for fan in fans for _ in range(4)))
    assert len({boost.id for boost in found}) == 3
    assert [await counted(made, fan) for fan in fans] == [(3, 1, 1)] * 3
    await asyncio.gather(*(boosts.unboost(fan, made) for fan in fans for _ in range(4)))
    assert [await counted(made, fan) for fan in fans] == [(0, 1, 0)] * 3


async def test_who_boosted_is_told_to_those_who_may_see_the_boost(
    alice: Account, bob: Account, carol: Account, queries: Any
) -> None:
    made = await post(alice)
    loud = await boosts.boost(bob, made)
    quiet = await boosts.boost(carol, made, Visibility.FOLLOWERS)
    await follows.follow(bob, carol)

    with queries() as sent:
        found = await boosts.boosted_by(made, bob, P20)
    assert (found.ids, found.cursors, len(sent)) == ([carol.id, bob.id], [quiet.id, loud.id], 1)
    assert (await boosts.boosted_by(loud, None, P20)).ids == [bob.id]
    assert (await boosts.boosted_by(made, alice, P20)).ids == [bob.id]
    await blocks.block(alice, bob)
    assert (await boosts.boosted_by(made, alice, P20)).ids == []
