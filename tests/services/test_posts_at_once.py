"""Posts that are written, answered, changed and deleted at the same time: nothing lost, nothing twice.

On PostgreSQL the transactions really cross; on SQLite they take turns and the rules must hold all the same.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.errors import FediblogError, Gone, Invalid, NotFound
from fediblog.models import Account, Post
from fediblog.services import boosts, edits, likes, locks, media, polls, posts
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.people import person
from tests.services.making import file_of

pytestmark = pytest.mark.usefixtures("database")

Outcome = BaseException | Any


async def outcomes(*acts: Awaitable[Any]) -> list[Outcome]:
    """What came of each; whoever waits crosswise for somebody else would never come to an end."""
    async with asyncio.timeout(20):
        return await asyncio.gather(*acts, return_exceptions=True)


def unforeseen(found: list[Outcome]) -> list[Outcome]:
    """Everything that is neither success nor a refusal: a stranger must not meet a 5xx for bad luck."""
    return [
        one
        for one in found
        if isinstance(one, BaseException) and not (isinstance(one, FediblogError) and one.http_status < 500)
    ]


async def fresh(account: Account) -> Account:
    return await Account.get(id=account.id)


async def people(number: int) -> list[Account]:
    return [await person(f"p{count}") for count in range(number)]


async def test_a_post_that_is_deleted_twice_at_once_is_uncounted_once(alice: Account, bob: Account) -> None:
    root = await posts.publish(alice, Draft("root"))
    await posts.publish(bob, Draft("stays", reply_to_id=root.id))
    reply = await posts.publish(bob, Draft("goes", reply_to_id=root.id))

    found = await outcomes(*(posts.delete(bob, reply.id) for _ in range(4)))

    assert sum(isinstance(one, posts.Deleted) for one in found) == 1
    assert {type(one) for one in found} == {posts.Deleted, NotFound}
    assert (await Post.get(id=root.id)).replies == 1
    assert (await fresh(bob)).posts_count == 1


async def test_each_of_many_edits_at_once_leaves_its_version(alice: Account) -> None:
    post = await posts.publish(alice, Draft("version 0"))
    found = await outcomes(*(posts.edit(alice, post.id, Draft(f"version {n}")) for n in range(1, 9)))

    assert not [one for one in found if isinstance(one, BaseException)], found
    versions = await edits.history(await Post.get(id=post.id), alice)
    assert sorted(version.content for version in versions) == [f"<p>version {n}</p>" for n in range(9)]
    assert len({version.created_at for version in versions}) == 9
    assert (await Post.get(id=post.id)).version == 9


async def test_answers_to_a_post_that_is_being_deleted_are_refused_or_stand_alone(alice: Account) -> None:
    others = await people(5)
    for _ in range(3):
        root = await posts.publish(alice, Draft("root"))
        acts: list[Coroutine[Any, Any, Any]] = [
            posts.publish(other, Draft("re", reply_to_id=root.id)) for other in others
        ]
        acts.insert(2, posts.delete(alice, root.id))
        found = await outcomes(*acts)

        assert not unforeseen(found), found
        assert {type(one) for one in found} <= {Post, posts.Deleted, NotFound}
    assert await db.value("SELECT count(*) FROM post WHERE reply_to_id IS NOT NULL") == 0
    for other in others:
        stored = await db.value("SELECT count(*) FROM post WHERE author_id = $1", other.id)
        assert (await fresh(other)).posts_count == stored


async def test_a_thread_that_is_deleted_from_all_ends_at_once_is_gone(alice: Account, bob: Account) -> None:
    for _ in range(4):
        thread = [await posts.publish(alice, Draft("0"))]
        for number in range(1, 6):
            author = bob if number % 2 else alice
            thread.append(await posts.publish(author, Draft(str(number), reply_to_id=thread[-1].id)))
        found = await outcomes(*(posts.delete(bob if n % 2 else alice, p.id) for n, p in enumerate(thread)))
        assert not unforeseen(found), found
    assert await Post.all().count() == 0
    assert [(await fresh(one)).posts_count for one in (alice, bob)] == [0, 0]


async def test_whatever_is_done_to_a_post_while_it_is_deleted_counters_stay_true(
    alice: Account, bob: Account
) -> None:
    others = await people(6)
    for _ in range(4):
        root = await posts.publish(alice, Draft("root", poll=PollDraft(("a", "b"), 3600)))
        for other in others[:3]:
            await likes.like(other, root)
            await boosts.boost(other, root)
        acts: list[Coroutine[Any, Any, Any]] = []
        for other in others[:3]:
            acts += [likes.unlike(other, root), boosts.unboost(other, root)]
        for other in others[3:]:
            acts += [boosts.boost(other, root), likes.like(other, root), polls.vote(other, root, [0])]
            acts += [posts.publish(other, Draft("re", reply_to_id=root.id))]
        acts.insert(len(acts) // 2, posts.delete(alice, root.id))
        acts.append(posts.edit(alice, root.id, Draft("changed", poll=PollDraft(("c", "d"), 3600))))
        found = await outcomes(*acts)
        assert not unforeseen(found), found
    for one in (alice, bob, *others):
        stored = await db.value("SELECT count(*) FROM post WHERE author_id = $1", one.id)
        assert (await fresh(one)).posts_count == stored


async def test_posts_with_the_same_hashtags_in_another_order_do_not_wait_crosswise(
    alice: Account, bob: Account
) -> None:
    names = [f"#tag{number}" for number in range(12)]
    found = await outcomes(
        *(
            posts.publish(author, Draft(" ".join(words)))
            for _ in range(6)
            for author, words in ((alice, names), (bob, names[::-1]))
        )
    )
    assert not [one for one in found if isinstance(one, BaseException)], found
    assert await db.value("SELECT count(*) FROM tag") == 12
    assert await db.value("SELECT count(*) FROM post_tag") == 12 * 12


async def test_posts_that_mention_the_same_people_in_another_order_do_not_wait_crosswise(
    alice: Account, bob: Account
) -> None:
    names = [f"@{other.username}" for other in await people(8)]
    found = await outcomes(
        *(
            posts.publish(author, Draft(" ".join(words)))
            for _ in range(6)
            for author, words in ((alice, names), (bob, names[::-1]))
        )
    )
    assert not [one for one in found if isinstance(one, BaseException)], found
    assert await db.value("SELECT count(*) FROM notification") == 12 * 8


async def test_a_file_that_is_described_while_its_post_goes_does_no_harm(alice: Account) -> None:
    for _ in range(4):
        file = await file_of(alice)
        post = await posts.publish(alice, Draft("look", media_ids=(file.id,)))
        found = await outcomes(
            media.edit(alice, file.id, "one"),
            posts.delete(alice, post.id),
            media.edit(alice, file.id, "two"),
        )
        assert not unforeseen(found), found


async def test_a_key_whose_post_was_deleted_makes_no_second_one(alice: Account) -> None:
    draft = Draft("once", idempotency_key="k", idempotency_owner="token 1")
    post = await posts.publish(alice, draft)
    await posts.delete(alice, post.id)
    with pytest.raises(Gone):
        await posts.publish(alice, draft)
    assert await Post.all().count() == 0


async def test_a_vote_counts_for_the_question_that_was_asked(alice: Account) -> None:
    others = await people(6)
    post = await posts.publish(alice, Draft("?", poll=PollDraft(("a", "b"), 3600)))
    acts: list[Coroutine[Any, Any, Any]] = [polls.vote(other, post, [1]) for other in others]
    acts.insert(3, posts.edit(alice, post.id, Draft("?", poll=PollDraft(("c", "d"), 3600))))
    found = await outcomes(*acts)

    assert not unforeseen(found), found
    ballots = await db.value("SELECT count(*) FROM poll_ballot")
    assert await db.value("SELECT votes FROM poll_option WHERE position = 1") == ballots
    assert await db.value("SELECT voters FROM poll") == ballots


async def test_a_poll_that_ends_while_its_post_is_edited_or_deleted_holds_nobody_up(alice: Account) -> None:
    for act in (
        lambda post: posts.edit(alice, post.id, Draft("new", poll=PollDraft(("c", "d"), 3600))),
        lambda post: posts.delete(alice, post.id),
    ):
        post = await posts.publish(alice, Draft("?", poll=PollDraft(("a", "b"), 3600)))
        async with db.transaction():
            await db.execute("UPDATE poll SET expires_at = $2 WHERE id = $1", post.id, moments.now() - 1)
        found = await outcomes(polls.close(post.id), act(post), polls.close(post.id))
        assert not unforeseen(found), found


async def test_what_hangs_on_a_post_waits_for_who_deletes_it(alice: Account, bob: Account) -> None:
    post = await posts.publish(alice, Draft("x"))
    inside, go = asyncio.Event(), asyncio.Event()

    async def deleting() -> None:
        async with db.transaction():
            assert await locks.remove(post.id)
            inside.set()
            await go.wait()
            await db.execute("DELETE FROM post WHERE id = $1", post.id)

    task = asyncio.create_task(deleting())
    await inside.wait()
    late = asyncio.gather(
        likes.like(bob, post), boosts.boost(bob, post), posts.publish(bob, Draft("re", reply_to_id=post.id)),
        posts.edit(alice, post.id, Draft("y")), return_exceptions=True,
    )  # fmt: skip
    await asyncio.sleep(0.05)
    assert not late.done()
    go.set()
    await task
    assert {type(one) for one in await late} == {NotFound}


async def test_twins_that_want_the_same_files_do_not_wait_crosswise(alice: Account) -> None:
    files = [await file_of(alice) for _ in range(4)]
    numbers = tuple(file.id for file in files)
    found = await outcomes(
        *(
            posts.publish(alice, Draft("look", media_ids=order))
            for _ in range(3)
            for order in (numbers, numbers[::-1])
        )
    )
    assert sum(isinstance(one, Post) for one in found) == 1
    assert sum(isinstance(one, Invalid) for one in found) == 5
    shown = await db.column("SELECT id FROM media WHERE post_id IS NOT NULL ORDER BY position")
    assert tuple(shown) in (numbers, numbers[::-1])
