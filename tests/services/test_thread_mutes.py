"""Muted conversations: nothing in them is told."""

import pytest

from fediblog import db
from fediblog.models import Account
from fediblog.services import boosts, likes, thread_mutes
from tests.services.making import post, told

pytestmark = pytest.mark.usefixtures("database")


async def muted(account: Account) -> list[int]:
    return await db.column("SELECT thread_id FROM thread_mute WHERE account_id = $1", account.id)


async def test_muting_any_post_mutes_the_conversation(alice: Account, bob: Account) -> None:
    root = await post(bob)
    answer = await post(alice, thread_id=root.id, reply_to_id=root.id, reply_to_author_id=bob.id)
    for _ in range(2):
        assert (await thread_mutes.mute(alice, root)).id == root.id
    assert await muted(alice) == [root.id]
    await likes.like(bob, answer)
    assert await told(alice) == []

    for _ in range(2):
        await thread_mutes.unmute(alice, answer)
    assert await muted(alice) == []
    await boosts.boost(bob, answer)
    assert await told(alice) == [("boost", bob.id, answer.id)]


async def test_muting_a_boost_mutes_the_conversation_of_the_original(alice: Account, bob: Account) -> None:
    root = await post(bob)
    boost = await boosts.boost(bob, root)
    assert (await thread_mutes.mute(alice, boost)).id == root.id
    assert await muted(alice) == [root.id]
    await thread_mutes.unmute(alice, boost)
    assert await muted(alice) == []


async def test_a_muted_conversation_is_muted_for_the_muter_alone(alice: Account, bob: Account) -> None:
    root = await post(bob)
    await thread_mutes.mute(alice, root)
    await likes.like(alice, root)
    assert await told(bob) == [("like", alice.id, root.id)]
