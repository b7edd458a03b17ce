"""Bookmarks: nobody's business."""

import pytest

from fediblog import db
from fediblog.models import Account, Post
from fediblog.services import bookmarks, boosts
from tests.services.making import post, told

pytestmark = pytest.mark.usefixtures("database")


async def kept(account: Account) -> list[int]:
    return await db.column("SELECT post_id FROM bookmark WHERE account_id = $1 ORDER BY id", account.id)


async def test_keeping_twice_is_the_same_as_once_and_nobody_hears(alice: Account, bob: Account) -> None:
    made = await post(alice)
    for _ in range(2):
        assert (await bookmarks.bookmark(bob, made)).id == made.id
    assert await kept(bob) == [made.id]
    assert await told(alice) == []
    assert (await Post.get(id=made.id)).version == 1
    for _ in range(2):
        assert (await bookmarks.unbookmark(bob, made)).id == made.id
    assert await kept(bob) == []


async def test_keeping_a_boost_keeps_what_it_passes_on(alice: Account, bob: Account) -> None:
    made = await post(alice)
    boost = await boosts.boost(bob, made)
    await bookmarks.bookmark(bob, boost)
    assert await kept(bob) == [made.id]
    await bookmarks.unbookmark(bob, boost)
    assert await kept(bob) == []


async def test_what_was_deleted_meanwhile_is_not_kept(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await made.delete()
    await bookmarks.bookmark(bob, made)
    assert await kept(bob) == []
