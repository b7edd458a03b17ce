"""What many talk about: counted by people, shown after review, without what ought not to be held up."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db, ids, moments
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, likes, posts, trending, trends
from fediblog.services.composing import Draft
from fediblog.services.trending import Kind
from tests.harness.statements import recorded
from tests.people import person, remote, user_of
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def crowd() -> list[Account]:
    return [await person(f"person{number}") for number in range(trending.FEW)]


@pytest.fixture
def at_once(configure: Callable[..., Any]) -> None:
    configure(trends__review=False)


async def say(author: Account, source: str, **options: Any) -> Post:
    return await posts.publish(author, Draft(source, **options))


async def names(viewer: Account | None = None) -> list[str]:
    return [tag.name for tag in await trends.hashtags(viewer, 10)]


async def test_a_hashtag_is_a_trend_when_several_people_use_it_and_not_when_one_does_it_often(
    crowd: list[Account], at_once: None
) -> None:
    for number in range(5):
        await say(crowd[0], f"#mine {number}")
    for one in crowd:
        await say(one, "#ours")
    await trending.compute()
    assert await names() == ["ours"]
    (tag,) = await trends.hashtags(crowd[0], 10)
    assert (tag.uses[0].posts, tag.uses[0].accounts) == (3, 3)


async def test_what_is_used_every_day_is_no_trend() -> None:
    assert trending.surprise(10, 10) == 0
    assert trending.surprise(trending.FEW - 1, 0) == 0
    assert trending.surprise(20, 10) < trending.surprise(20, 1) < trending.surprise(40, 1)


async def test_yesterdays_posts_are_what_is_usual(crowd: list[Account], at_once: None, clock: Clock) -> None:
    for _ in range(2):
        for one in crowd:
            await say(one, "#daily")
        clock.forward(moments.DAY)
    for one in (*crowd, await person("somebody")):
        await say(one, "#daily")
    await trending.compute()
    (one,) = await trends.standing(Kind.TAG)
    assert one.score == trending.surprise(4, 2 * 3 / 6) == 9
    clock.forward(2 * moments.DAY)
    await trending.compute()
    assert await names() == []


@pytest.mark.parametrize("fate", ["silenced_at", "suspended_at"])
async def test_who_ought_not_to_be_heard_makes_no_trend(
    crowd: list[Account], at_once: None, fate: str
) -> None:
    for one in crowd:
        await say(one, "#ours")
    await Account.filter(id=crowd[0].id).update(**{fate: 1})
    await trending.compute()
    assert await names() == []


@pytest.mark.parametrize(
    "visibility", [Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT], ids=lambda one: one.name
)
async def test_what_is_not_for_everybody_makes_no_trend(
    crowd: list[Account], at_once: None, visibility: Visibility
) -> None:
    for one in crowd:
        await say(one, "#secret", visibility=visibility)
    await trending.compute()
    assert await names() == []


async def test_nothing_is_shown_before_the_staff_has_let_it_pass_and_it_is_written_down(
    crowd: list[Account], alice: Account
) -> None:
    for one in crowd:
        await say(one, "#ours")
    await trending.compute()
    assert await names() == []
    (waiting,) = await trends.standing(Kind.TAG, waiting=True)
    assert (waiting.name, waiting.allowed) == ("ours", None)

    await trends.review(Kind.TAG, waiting.id, True, await user_of(alice))
    assert await names() == ["ours"] and await trends.standing(Kind.TAG, waiting=True) == []
    await trending.compute()
    assert await names() == ["ours"]
    await trends.review(Kind.TAG, waiting.id, False, None)
    assert await names() == []
    assert await db.column("SELECT action FROM audit_entry ORDER BY id") == ["trend.allow", "trend.refuse"]


async def test_what_was_refused_stays_so_where_nothing_is_reviewed(
    crowd: list[Account], at_once: None
) -> None:
    for one in crowd:
        await say(one, "#ours")
    await trending.compute()
    (one,) = await trends.standing(Kind.TAG)
    await trends.review(Kind.TAG, one.id, False, None)
    await trending.compute()
    assert await names() == []


async def test_what_is_no_trend_cannot_be_reviewed(alice: Account) -> None:
    with pytest.raises(NotFound):
        await trends.review(Kind.POST, 4711, True, None)
    assert await db.value("SELECT count(*) FROM audit_entry") == 0


async def test_posts_that_many_like_are_shown_best_first_but_not_to_those_whom_their_author_blocks(
    crowd: list[Account], alice: Account, bob: Account, at_once: None
) -> None:
    liked, loved, few = [await say(alice, text) for text in ("liked", "loved", "few")]
    for one in crowd:
        await likes.like(one, liked)
        await likes.like(one, loved)
    await likes.like(bob, loved)
    await likes.like(bob, few)
    await trending.compute()
    with recorded() as statements:
        assert [entry.id for entry in await trends.statuses(bob, 20)] == [loved.id, liked.id]
    assert len(statements) == 2
    assert [entry.id for entry in await trends.statuses(None, 1, 1)] == [liked.id]
    await blocks.block(alice, bob)
    assert await trends.statuses(bob, 20) == []
    assert len(await trends.statuses(None, 20)) == 2


async def test_posts_that_are_covered_answers_or_by_the_shy_are_not_held_up(
    crowd: list[Account], alice: Account, bob: Account, at_once: None
) -> None:
    await Account.filter(id=bob.id).update(discoverable=False)
    start = await say(alice, "start")
    for post in (
        await say(alice, "x", summary="covered"),
        await say(alice, "x", reply_to_id=start.id),
        await say(bob, "x"),
        await say(alice, "x", visibility=Visibility.UNLISTED),
    ):
        for one in crowd:
            await likes.like(one, post)
    await trending.compute()
    assert await trends.statuses(None, 20) == []


async def test_a_post_that_is_deleted_is_no_trend_any_more(
    crowd: list[Account], alice: Account, at_once: None
) -> None:
    post = await say(alice, "x")
    for one in crowd:
        await likes.like(one, post)
    await trending.compute()
    await posts.delete(alice, post.id)
    assert await trends.statuses(None, 20) == []
    await trending.compute()
    assert await db.value("SELECT count(*) FROM trend") == 0


async def test_pages_that_many_link_to(crowd: list[Account], at_once: None) -> None:
    rita = await remote("rita", "remote.example")
    card_id = await _page("https://news.example/story")
    await _page("https://news.example/other")
    for one in (*crowd, rita):
        post = await say(one, "https://news.example/story") if one.local else await _from_afar(rita)
        async with db.transaction():
            await db.execute("DELETE FROM post_card WHERE post_id = $1", post.id)
            await db.execute("INSERT INTO post_card (post_id, card_id) VALUES ($1, $2)", post.id, card_id)
    await trending.compute()
    (link,) = await trends.links(10)
    assert (link.card.url, link.card.title) == ("https://news.example/story", "A story")
    assert (link.uses[0].posts, link.uses[0].accounts) == (4, 4) and len(link.uses) == 7


async def test_counting_takes_as_many_statements_however_much_is_said(
    crowd: list[Account], at_once: None
) -> None:
    for one in crowd:
        await say(one, "#ours")
    await trending.compute()
    with recorded() as few:
        await trending.compute()
    for one in crowd:
        await say(one, "#ours again")
    with recorded() as more:
        await trending.compute()
    assert len(few.reads) == len(more.reads)


async def _page(url: str) -> int:
    number = ids.new()
    async with db.transaction():
        await db.execute(
            "INSERT INTO link_card (id, url, title, fetched_at) VALUES ($1, $2, 'A story', $3)"
            " ON CONFLICT (url) DO NOTHING",
            *(number, url, moments.now()),
        )
    return int(await db.value("SELECT id FROM link_card WHERE url = $1", url))


async def _from_afar(author: Account) -> Post:
    number = ids.new()
    return await Post.create(
        id=number,
        uri=f"{author.uri}/{number}",
        author_id=author.id,
        thread_id=number,
        visibility=Visibility.PUBLIC,
        local=False,
        created_at=moments.now(),
    )
