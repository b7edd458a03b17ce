"""Conversations: in step with direct posts, whoever writes, edits or deletes them, here or elsewhere."""

from typing import Any

import pytest

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import blocks, conversations, mutes, posts, receiving
from fediblog.services.composing import Draft
from tests.harness.statements import analyse, recorded
from tests.people import remote
from tests.services.elsewhere import said

pytestmark = pytest.mark.usefixtures("database")


async def write(author: Account, source: str, **more: Any) -> Post:
    return await posts.publish(author, Draft(source, visibility=Visibility.DIRECT, **more))


async def seen(owner: Account) -> list[tuple[int, bool, set[int]]]:
    found = await conversations.listing(owner, Page())
    return [(one.last_post_id, one.unread, set(one.with_ids)) for one in found]


async def test_a_direct_post_is_a_conversation_of_all_who_live_here_and_unread_for_the_others(
    alice: Account, bob: Account, carol: Account
) -> None:
    await remote("dave", "far.example")
    first = await write(alice, "@bob @dave@far.example hello")
    dave = await Account.get(username="dave")
    assert await seen(alice) == [(first.id, False, {bob.id, dave.id})]
    assert await seen(bob) == [(first.id, True, {alice.id, dave.id})]
    assert await seen(carol) == []
    answer = await write(bob, "@alice yes", reply_to_id=first.id)
    assert await seen(alice) == [(answer.id, True, {bob.id})]
    assert await seen(bob) == [(answer.id, False, {alice.id})]
    other = await write(bob, "@alice something else")
    assert [line[0] for line in await seen(alice)] == [other.id, answer.id]
    for level in (Visibility.PUBLIC, Visibility.FOLLOWERS):
        await posts.publish(alice, Draft("@bob", visibility=level))
    assert len(await seen(bob)) == 2
    assert await db.value("SELECT count(*) FROM conversation WHERE account_id = $1", dave.id) == 0


async def test_direct_posts_from_elsewhere_are_there_with_their_arrival(alice: Account, bob: Account) -> None:
    rita = await remote("rita", "far.example")
    hers = said(rita, visibility=Visibility.DIRECT, named=(alice.uri, bob.uri), tagged=(alice.uri,))
    post = await receiving.receive(rita, hers)
    assert post is not None
    assert await seen(alice) == [(post.id, True, {bob.id, rita.id})]
    assert await seen(bob) == [(post.id, True, {alice.id, rita.id})]


async def test_what_comes_late_is_not_the_last_and_makes_nothing_unread(alice: Account) -> None:
    rita = await remote("rita", "far.example")
    mine = await write(alice, "@rita@far.example hello")
    old = said(rita, visibility=Visibility.DIRECT, named=(alice.uri,), reply_to_uri=mine.uri)
    assert await receiving.receive(rita, old)  # It says that it was written before.
    assert await seen(alice) == [(mine.id, False, {rita.id})]


async def test_an_edit_that_names_somebody_brings_them_the_conversation(alice: Account, bob: Account) -> None:
    post = await write(alice, "to myself")
    assert await seen(alice) == [(post.id, False, set())] and await seen(bob) == []
    await posts.edit(alice, post.id, Draft("and to @bob"))
    assert await seen(bob) == [(post.id, True, {alice.id})]


async def test_deleting_the_last_post_brings_back_the_one_before_and_the_only_one_ends_it(
    alice: Account, bob: Account, carol: Account
) -> None:
    first = await write(alice, "@bob hello")
    aside = await write(bob, "@carol look", reply_to_id=first.id)
    second = await write(bob, "@alice @carol yes", reply_to_id=first.id)
    await posts.delete(bob, second.id)
    assert [await seen(one) for one in (alice, bob, carol)] == [
        [(first.id, True, {bob.id})],
        [(aside.id, False, {carol.id})],
        [(aside.id, True, {bob.id})],
    ]
    await posts.delete(alice, first.id)
    assert await seen(alice) == [] and len(await seen(bob)) == 1


async def test_threads_that_turn_out_to_be_one_are_one_conversation(alice: Account) -> None:
    rita = await remote("rita", "far.example")
    uri = "https://far.example/notes/root"
    direct: dict[str, Any] = {"visibility": Visibility.DIRECT, "named": (alice.uri,)}
    for _ in range(2):
        assert await receiving.receive(rita, said(rita, reply_to_uri=uri, **direct))
    assert len(await seen(alice)) == 2
    last = (await seen(alice))[0]
    assert await receiving.receive(rita, said(rita, uri=uri, **direct))
    rows = await db.rows("SELECT thread_id FROM conversation")
    assert len(rows) == 1 and (await seen(alice))[0][1] is True
    assert (await seen(alice))[0][0] >= last[0]


async def test_who_is_muted_or_blocked_begins_no_conversation_and_leaves_those_there_are(
    alice: Account, bob: Account, carol: Account
) -> None:
    await mutes.mute(alice, bob)
    await write(bob, "@alice hello")
    assert await seen(alice) == []
    await write(carol, "@alice hello")
    assert len(await seen(alice)) == 1
    await blocks.block(alice, carol)
    assert await seen(alice) == []


async def test_reading_and_removing_are_for_the_owner_alone(
    alice: Account, bob: Account, carol: Account
) -> None:
    first = await write(alice, "@bob hello")
    (his,) = await conversations.listing(bob, Page())
    for act in (conversations.mark_read, conversations.remove):
        with pytest.raises(NotFound):
            await act(carol, his.id)
    read = await conversations.mark_read(bob, his.id)
    assert (read.id, read.unread) == (his.id, False)
    await conversations.remove(bob, his.id)
    assert await seen(bob) == [] and len(await seen(alice)) == 1
    for act in (conversations.mark_read, conversations.remove):
        with pytest.raises(NotFound):
            await act(bob, his.id)
    again = await write(alice, "@bob still there?", reply_to_id=first.id)
    assert await seen(bob) == [(again.id, True, {alice.id})]


async def test_a_page_takes_two_statements_and_walks_its_index(
    alice: Account, bob: Account, explain: Any
) -> None:
    made = [await write(bob, "@alice hello") for _ in range(5)]
    with recorded() as statements:
        found = await conversations.listing(alice, Page(limit=3))
    assert [one.last_post_id for one in found] == [post.id for post in reversed(made[2:])]
    assert len(statements) == 2
    older = await conversations.listing(alice, Page(limit=3, max_id=found[-1].last_post_id))
    assert [one.last_post_id for one in older] == [made[1].id, made[0].id]
    if db.dialect() == "sqlite":
        await analyse()
        plan = "\n".join(await explain(conversations.statement(Page()), 1 << 62, 0, alice.id))
        assert "conversation_list" in plan and "TEMP B-TREE" not in plan, plan
