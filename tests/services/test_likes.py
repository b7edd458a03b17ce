"""Likes: counted once, told once, taken back without a trace."""

import asyncio
from typing import Any

import pytest

from fediblog import db
from fediblog.errors import Forbidden, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import blocks, boosts, likes, people
from tests.people import person, remote
from tests.services.making import post, told

pytestmark = pytest.mark.usefixtures("database")

P20 = Page(limit=20)


async def counted(made: Post) -> tuple[int, int]:
    """Likes and version."""
    found = await Post.get(id=made.id)
    return found.likes, found.version


async def test_liking_twice_counts_and_tells_once(alice: Account, bob: Account) -> None:
    made = await post(alice)
    for _ in range(2):
        assert (await likes.like(bob, made)).id == made.id

    assert await counted(made) == (1, 1)
    assert await told(alice) == [("like", bob.id, made.id)]


async def test_unliking_takes_everything_back(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await likes.like(bob, made)
    for _ in range(2):
        assert (await likes.unlike(bob, made)).id == made.id

    assert await counted(made) == (0, 1)
    assert await told(alice) == []
    assert await db.rows("SELECT 1 FROM post_like") == []


async def test_one_may_like_ones_own_post_and_is_not_told(alice: Account) -> None:
    made = await post(alice)
    await likes.like(alice, made)
    assert await counted(made) == (1, 1)
    assert await told(alice) == []


async def test_liking_a_boost_likes_what_it_passes_on(alice: Account, bob: Account, carol: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(bob, made)
    assert (await likes.like(carol, boost)).id == made.id
    assert await counted(made) == (1, 1)
    assert await counted(boost) == (0, 1)
    assert (await likes.liked_by(boost, None, P20)).ids == [carol.id]
    assert (await likes.unlike(carol, boost)).id == made.id
    assert await counted(made) == (0, 1)


async def test_a_like_from_elsewhere_keeps_its_uri(alice: Account) -> None:
    dave = await remote("dave", "far.example")
    await likes.like(dave, await post(alice), uri="https://far.example/l/1")
    assert await db.column("SELECT uri FROM post_like") == ["https://far.example/l/1"]


async def test_nobody_likes_across_a_block(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await blocks.block(alice, bob)
    with pytest.raises(NotFound):
        await likes.like(bob, made)
    await blocks.unblock(alice, bob)
    await blocks.block(bob, alice)
    with pytest.raises(Forbidden):
        await likes.like(bob, made)
    assert await counted(made) == (0, 1)
    assert await told(alice) == []


async def test_a_like_from_before_a_block_can_be_taken_back(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await likes.like(bob, made)
    await blocks.block(alice, bob)
    await likes.unlike(bob, made)
    assert await counted(made) == (0, 1)


async def test_what_was_deleted_meanwhile_cannot_be_liked(alice: Account, bob: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(alice, made)
    await made.delete()
    for gone in (made, boost):
        with pytest.raises(NotFound):
            await likes.like(bob, gone)
    assert await db.rows("SELECT 1 FROM post_like") == []


async def test_many_at_once_are_counted_right(alice: Account) -> None:
    made = await post(alice)
    fans = [await person(f"fan{number}") for number in range(5)]
    await asyncio.gather(*(likes.like(fan, made) for fan in fans for _ in range(4)))
    assert await counted(made) == (5, 1)
    await asyncio.gather(*(likes.unlike(fan, made) for fan in fans for _ in range(4)))
    assert await counted(made) == (0, 1)


async def test_who_likes_a_post_is_listed_without_those_hidden_from_the_viewer(
    alice: Account, bob: Account, carol: Account, queries: Any
) -> None:
    made = await post(alice, Visibility.UNLISTED)
    for fan in (bob, carol):
        await likes.like(fan, made)
    await blocks.block(alice, carol)

    with queries() as sent:
        assert (await likes.liked_by(made, alice, P20)).ids == [bob.id]
    assert len(sent) == 1
    found = await likes.liked_by(made, None, P20)
    assert found.ids == [carol.id, bob.id]
    assert (await likes.liked_by(made, None, Page(20, max_id=found.cursors[0]))).ids == [bob.id]


@pytest.mark.parametrize("viewed", [True, False])
async def test_the_list_walks_its_index(alice: Account, explain: Any, viewed: bool) -> None:
    page = Page(20)
    values = (page.before, page.after, 1, *([alice.id] if viewed else []))
    plan = "\n".join(await explain(people.statement(likes.LIKED_BY, page, viewed), *values))
    assert db.dialect() == "postgres" or ("post_like_post" in plan and "B-TREE" not in plan), plan


async def test_liking_takes_few_statements(alice: Account, bob: Account, queries: Any) -> None:
    made = await post(alice)
    with queries() as sent:
        await likes.like(bob, made)
    assert len(sent) == 5, sent.sql
    # The hot row is locked late; after it there is only the question whether anybody elsewhere is concerned.
    assert sent.sql[-2].startswith("UPDATE post ")
