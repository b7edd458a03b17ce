"""The rule of who sees what, as a question and as a query, walked over everything there is."""

from itertools import product
from typing import Any

import pytest

from fediblog import db, ids, moments, uris
from fediblog.models import Account, Post, Visibility
from fediblog.services import posts, visibility
from fediblog.services.visibility import Relation

pytestmark = pytest.mark.usefixtures("database")


async def note(author: Account, level: Visibility, **columns: object) -> Post:
    number = ids.new()
    return await Post.create(
        id=number, uri=uris.post_uri(number), author_id=author.id, thread_id=number, visibility=level,
        local=True, content="<p>Hello</p>", **columns,
    )  # fmt: skip


async def relate(viewer: Account, post: Post, *, follows: bool, mentioned: bool, blocked: bool) -> None:
    now = moments.now()
    async with db.transaction():
        if follows:
            await db.execute(
                "INSERT INTO follow (follower_id, target_id, id, uri, created_at)"
                " VALUES ($1, $2, $3, $4, $5)",
                viewer.id, post.author_id, ids.new(), f"f{post.id}", now,
            )  # fmt: skip
        if mentioned:
            await db.execute("INSERT INTO mention (post_id, account_id) VALUES ($1, $2)", post.id, viewer.id)
        if blocked:
            await db.execute(
                "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, $5)",
                post.author_id, viewer.id, ids.new(), f"b{post.id}", now,
            )  # fmt: skip


async def unrelate() -> None:
    async with db.transaction():
        for table in ("follow", "mention", "block"):
            await db.execute(f"DELETE FROM {table}")


async def by_query(viewer: Account | None, post: Post) -> bool:
    return await visibility.visible([post.id], viewer) == {post.id}


async def test_query_and_question_agree_for_every_viewer_level_and_relation(
    alice: Account, bob: Account, carol: Account
) -> None:
    for level in Visibility:
        post = await note(alice, level)
        for follows, mentioned, blocked in product([False, True], repeat=3):
            await relate(bob, post, follows=follows, mentioned=mentioned, blocked=blocked)
            wanted = visibility.allows(level, Relation(follows=follows, mentioned=mentioned, blocked=blocked))
            assert await visibility.may_see(bob, post) is wanted
            assert await by_query(bob, post) is wanted
            for other, expected in ((alice, True), (carol, level <= 1), (None, level <= 1)):
                assert await visibility.may_see(other, post) is expected
                assert await by_query(other, post) is expected
            await unrelate()


async def test_nobody_sees_what_a_suspended_author_wrote(alice: Account, bob: Account) -> None:
    post = await note(alice, Visibility.PUBLIC)
    await Account.filter(id=alice.id).update(suspended_at=moments.now())

    for viewer in (None, bob, alice):
        assert not await visibility.may_see(viewer, post)
        assert not await by_query(viewer, post)


async def test_a_direct_post_is_seen_by_those_it_names_and_by_nobody_else(
    alice: Account, bob: Account, carol: Account
) -> None:
    post = await note(alice, Visibility.DIRECT)
    await relate(bob, post, follows=False, mentioned=True, blocked=False)
    await relate(carol, post, follows=True, mentioned=False, blocked=False)

    assert await visibility.may_see(bob, post)
    assert not await visibility.may_see(carol, post)
    assert not await visibility.may_see(None, post)


async def test_a_boost_of_what_the_viewer_may_not_see_is_not_there(alice: Account, bob: Account) -> None:
    private = await note(alice, Visibility.FOLLOWERS)
    boost = await note(alice, Visibility.PUBLIC, boost_of_id=private.id, boost_of_author_id=alice.id)

    for viewer, expected in ((bob, False), (None, False), (alice, True)):
        assert await visibility.may_see(viewer, boost) is expected
        assert await by_query(viewer, boost) is expected
    with pytest.raises(posts.NotFound):
        await posts.get(boost.id, bob)
    assert (await posts.get(boost.id, alice)).id == boost.id


async def test_of_many_posts_the_visible_ones_are_found_in_one_statement(
    alice: Account, bob: Account, queries: Any
) -> None:
    made = {level: await note(alice, level) for level in Visibility}
    everything = [post.id for post in made.values()] + [4711]
    with queries() as sent:
        found = await visibility.visible(everything, bob)
    assert found == {made[Visibility.PUBLIC].id, made[Visibility.UNLISTED].id}
    assert len(sent) == 1
