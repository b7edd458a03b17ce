"""A post in its thread."""

import asyncio
from typing import Any

import pytest

from fediblog import db
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, mutes, posts, threads
from fediblog.services.composing import Draft

pytestmark = pytest.mark.usefixtures("database")


async def say(author: Account, source: str, to: Post | None = None, **options: Any) -> Post:
    return await posts.publish(author, Draft(source, reply_to_id=to.id if to else None, **options))


async def ids_of(post: Post, viewer: Account | None) -> tuple[list[int], list[int]]:
    found = await threads.context(post, viewer)
    return [e.id for e in found.ancestors], [e.id for e in found.descendants]


async def test_ancestors_come_root_first_and_replies_depth_first_with_the_authors_own_before_others(
    alice: Account, bob: Account
) -> None:
    root = await say(alice, "root")
    his = await say(bob, "his", root)
    under_his = await say(alice, "under his", his)
    own = await say(alice, "own", root)
    late = await say(bob, "late", root)

    assert await ids_of(root, None) == ([], [own.id, his.id, under_his.id, late.id])
    assert await ids_of(under_his, bob) == ([root.id, his.id], [])


async def test_what_the_viewer_may_not_see_or_hides_is_missing_and_what_hangs_on_it_stays(
    alice: Account, bob: Account, carol: Account
) -> None:
    root = await say(alice, "root")
    private = await say(bob, "@alice psst", root, visibility=Visibility.DIRECT)
    public = await say(alice, "@bob loud", private, visibility=Visibility.PUBLIC)

    assert await ids_of(root, None) == ([], [public.id])
    assert await ids_of(public, carol) == ([root.id], [])
    assert await ids_of(root, bob) == ([], [private.id, public.id])
    await blocks.block(carol, alice)
    assert await ids_of(root, carol) == ([], [])


async def test_a_visitor_reads_a_bounded_part_of_a_long_thread(alice: Account) -> None:
    chain = [await say(alice, "0")]
    for number in range(1, 46):
        chain.append(await say(alice, str(number), chain[-1]))

    above, _ = await ids_of(chain[-1], None)
    assert len(above) == 40
    _, below = await ids_of(chain[0], None)
    assert len(below) == 20
    _, all_below = await ids_of(chain[0], alice)
    assert all_below == [post.id for post in chain[1:]]


async def test_a_thread_takes_three_statements_whatever_its_size(alice: Account, queries: Any) -> None:
    root = await say(alice, "root")
    answers = [await say(alice, str(number), root) for number in range(30)]
    with queries() as sent:
        await threads.context(answers[-1], alice)
    assert len(sent) == 3, sent.sql
    with queries() as sent:
        await threads.context(root, alice)
    assert len(sent) == 2, sent.sql


async def test_a_thread_reads_the_index_of_replies(alice: Account, explain: Any) -> None:
    plan = await explain(threads._down(alice), 1, alice.id, 100, 100)
    if db.dialect() == "sqlite":
        assert any("post_reply" in line for line in plan), plan


async def test_those_whom_the_viewer_hides_are_missing_above_as_below(
    alice: Account, bob: Account, carol: Account
) -> None:
    root = await say(bob, "root")
    middle = await say(alice, "middle", root)
    below = await say(bob, "below", middle)
    await mutes.mute(carol, bob)

    assert await ids_of(middle, carol) == ([], [])
    assert await ids_of(middle, alice) == ([root.id], [below.id])


async def test_a_thread_that_bites_its_tail_ends(alice: Account) -> None:
    """Other servers may say that each of two posts answers the other."""
    one = await say(alice, "one")
    two = await say(alice, "two", one)
    await Post.filter(id=one.id).update(reply_to_id=two.id)

    async with asyncio.timeout(10):
        assert await ids_of(await Post.get(id=one.id), alice) == ([two.id], [two.id])
        assert await ids_of(two, alice) == ([one.id], [one.id])


async def test_of_a_thread_without_end_what_is_near_is_read(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_MOST_READ", 6)
    root = await say(alice, "root")
    near = [await say(alice, str(number), root) for number in range(4)]
    for parent in near:
        await say(alice, "far", parent)

    _, below = await ids_of(root, alice)
    assert len(below) == 5 and {post.id for post in near} <= set(below)
