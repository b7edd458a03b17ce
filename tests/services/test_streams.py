"""What is said to those who listen: ids, after the commit, and nothing when nobody hears."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fediblog import bus, db
from fediblog.models import Account, Visibility
from fediblog.services import follows, home, posts, streams
from fediblog.services.composing import Draft
from fediblog.services.streams import Kind, News


@pytest.fixture
def heard() -> Iterator[list[News]]:
    """All that is said while somebody hears."""
    found: list[News] = []
    hear = streams.understood(found.append)
    bus.hear(hear)
    yield found
    bus.ignore(hear)


async def test_each_home_is_told_of_once_however_often_it_is_filled(
    heard: list[News], alice: Account, bob: Account
) -> None:
    await follows.follow(alice, bob)
    heard.clear()
    post = await posts.publish(bob, Draft(source="hello"))
    await home.fan_out(post.id)
    await home.fan_out(post.id)
    told = [(news.kind, list(news.account_ids)) for news in heard]
    assert sorted(told) == [(Kind.HOME, [alice.id]), (Kind.HOME, [bob.id]), (Kind.POST, [])]
    assert {news.post_id for news in heard} == {post.id}


async def test_what_is_rolled_back_has_not_happened(heard: list[News], bob: Account) -> None:
    with suppress(RuntimeError):
        async with db.transaction():
            await posts.publish(bob, Draft(source="hello"))
            raise RuntimeError
    assert heard == []


async def test_it_costs_nothing_when_nobody_hears(
    alice: Account, bob: Account, queries: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "say", None)
    post = await posts.publish(bob, Draft(source="@alice hello", visibility=Visibility.DIRECT))
    with queries() as sent:
        await posts.delete(bob, post.id)
    with queries() as more:
        hear = streams.understood(lambda news: None)
        monkeypatch.undo()
        bus.hear(hear)
        await posts.delete(bob, (await posts.publish(bob, Draft(source="x"))).id)
        bus.ignore(hear)
    mentions = "SELECT account_id FROM mention WHERE post_id"
    # An author's own servers are told by this statement, too.
    assert sum(mentions in sql for sql in sent.sql) + 1 == sum(mentions in sql for sql in more.sql)
