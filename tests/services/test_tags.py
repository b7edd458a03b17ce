"""Following hashtags, what comes home by them, and those that stand on somebody's page."""

import pytest

from fediblog import db, moments
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.paging import Page
from fediblog.services import (
    blocks,
    boosts,
    featured_tags,
    follows,
    home,
    listed,
    mutes,
    posts,
    receiving,
    tags,
    timelines,
)
from fediblog.services.composing import Draft
from fediblog.services.events import Event
from tests.harness.statements import recorded
from tests.people import remote
from tests.services.elsewhere import said

pytestmark = pytest.mark.usefixtures("database")


async def publish(author: Account, source: str, **more: object) -> Post:
    made = await posts.publish(author, Draft(source, **more))  # type: ignore[arg-type]
    await home.fan_out(made.id)
    return made


async def shown(account: Account) -> list[int]:
    return [entry.id for entry in reversed((await timelines.home(account, Page())).entries)]


async def rows(account: Account) -> list[int]:
    return await db.column(
        "SELECT post_id FROM home_entry WHERE account_id = $1 ORDER BY post_id", account.id
    )


async def test_public_posts_with_a_followed_tag_come_home_once_as_long_as_it_is_followed(
    alice: Account, bob: Account, carol: Account
) -> None:
    before = await publish(bob, "Early #Cats")
    await tags.follow(alice, "cats")
    await tags.follow(alice, "#dogs")
    await follows.follow(alice, carol)
    both = await publish(bob, "#cats and #DOGS")
    hers = await publish(carol, "Mine: #cats")
    reply = await publish(bob, "an answer #cats", reply_to_id=hers.id)
    for level in (Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT):
        await publish(bob, "@alice #cats", visibility=level)
    await publish(bob, "#birds")
    assert await shown(alice) == [both.id, hers.id, reply.id]
    assert before.id not in await rows(alice) and await shown(bob) != []

    await tags.unfollow(alice, "CATS")
    assert await shown(alice) == [both.id, hers.id]
    await tags.unfollow(alice, "dogs")
    assert await shown(alice) == [hers.id]


async def test_posts_from_elsewhere_come_home_by_their_tags_in_the_transaction_that_stores_them(
    alice: Account,
) -> None:
    rita = await remote("rita", "far.example")
    await tags.follow(alice, "cats")
    post = await receiving.receive(rita, said(rita, hashtags=("Cats",)))
    assert post is not None and await shown(alice) == [post.id]
    await receiving.receive(rita, said(rita, hashtags=("cats",), visibility=Visibility.UNLISTED))
    await receiving.receive(rita, said(rita))
    assert await shown(alice) == [post.id]


async def test_who_is_muted_blocked_or_silenced_does_not_come_home_by_a_tag(
    alice: Account, bob: Account, carol: Account
) -> None:
    dave = await remote("dave", "far.example")
    await tags.follow(alice, "cats")
    for author in (bob, carol):
        await publish(author, "#cats")
    post = await receiving.receive(dave, said(dave, hashtags=("cats",)))
    assert post is not None and len(await shown(alice)) == 3
    await mutes.mute(alice, bob)
    await blocks.block(carol, alice)
    await Account.filter(id=dave.id).update(silenced_at=1)
    assert await shown(alice) == []
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    assert await shown(alice) == [post.id]


async def test_boosts_do_not_come_home_by_the_tags_of_what_they_pass_on(
    alice: Account, bob: Account, carol: Account
) -> None:
    post = await publish(bob, "#cats")
    await tags.follow(alice, "cats")
    await home.fan_out((await boosts.boost(carol, post)).id)
    assert await shown(alice) == []


async def test_many_readers_of_a_tag_are_served_in_batches(
    alice: Account, bob: Account, carol: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_BATCH", 1)
    for reader in (alice, carol):
        await tags.follow(reader, "cats")
        await tags.follow(reader, "dogs")
    post = await publish(bob, "#cats #dogs")
    assert [await shown(reader) for reader in (alice, carol)] == [[post.id], [post.id]]


async def test_a_tag_tells_of_its_last_seven_days_without_those_who_are_silenced(
    alice: Account, bob: Account, carol: Account
) -> None:
    for author in (alice, alice, bob, carol):
        await publish(author, "#cats")
    old = await publish(bob, "#cats")
    async with db.transaction():
        await db.execute(
            "UPDATE post SET created_at = $2 WHERE id = $1", old.id, moments.now() - 9 * moments.DAY
        )
    await Account.filter(id=carol.id).update(silenced_at=1)
    found = await tags.get("CATS", None)
    assert len(found.uses) == 7 and found.uses[0].day == moments.day(moments.now())
    assert (sum(use.posts for use in found.uses), found.uses[0].accounts) == (3, 2)
    assert (found.following, found.featuring) == (False, False)
    unused = await tags.get("birds", alice)
    assert (unused.id, unused.name, unused.uses[6].posts) == (0, "birds", 0)


@pytest.mark.parametrize("name", ["", "#", "a b", "123", "a/b", "two#tags"])
async def test_what_can_be_no_hashtag_is_not_found(alice: Account, name: str) -> None:
    for asked in (tags.get(name, alice), tags.follow(alice, name), tags.unfollow(alice, name)):
        with pytest.raises(NotFound):
            await asked
    with pytest.raises(Invalid):
        await featured_tags.feature(alice, name)


async def test_followed_tags_page_by_their_rows_and_take_two_statements(alice: Account, bob: Account) -> None:
    for name in ("one", "two", "three"):
        await tags.follow(alice, name)
        await tags.follow(alice, name)
    await tags.follow(bob, "four")
    with recorded() as statements:
        found = await tags.followed(alice, Page())
    assert [tag.name for tag in found.tags] == ["three", "two", "one"] and len(statements) == 2
    older = await tags.followed(alice, Page(limit=1, max_id=found.cursors[0]))
    assert [tag.name for tag in older.tags] == ["two"] and older.cursors == found.cursors[1:2]


async def test_nobody_follows_more_tags_than_there_are_places(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "_MOST_FOLLOWED", 1)
    await tags.follow(alice, "one")
    with pytest.raises(Invalid):
        await tags.follow(alice, "two")
    assert [tag.name for tag in (await tags.followed(alice, Page())).tags] == ["one"]


async def test_featured_tags_are_those_that_other_servers_see_and_hear_of(
    alice: Account, bob: Account
) -> None:
    for _ in range(2):
        await publish(alice, "#Cats")
    await publish(bob, "#cats")
    first = await featured_tags.feature(alice, "cats")
    again = await featured_tags.feature(alice, "CATS")
    second = await featured_tags.feature(alice, "#unused")
    assert again == first and (first.name, first.posts, second.posts) == ("Cats", 2, 0)
    assert first.last_post_at is not None and second.last_post_at is None
    assert await featured_tags.listing(alice, bob) == [first, second]
    assert await listed.featured_tags(alice) == ["Cats", "unused"]
    assert (await tags.get("cats", alice)).featuring and not (await tags.get("cats", bob)).featuring
    kinds = await db.column("SELECT kind FROM event WHERE account_id = $1", alice.id)
    assert kinds.count(Event.PROFILE_CHANGED.value) == 2

    with pytest.raises(NotFound):
        await featured_tags.remove(bob, first.id)
    await featured_tags.remove(alice, first.id)
    await featured_tags.unfeature(alice, "unused")
    await featured_tags.unfeature(alice, "unused")
    assert await listed.featured_tags(alice) == []


async def test_who_is_blocked_sees_no_featured_tags_and_who_is_suspended_shows_none(
    alice: Account, bob: Account
) -> None:
    await featured_tags.feature(alice, "cats")
    await blocks.block(alice, bob)
    assert await featured_tags.listing(alice, bob) == []
    await Account.filter(id=alice.id).update(suspended_at=1)
    assert await featured_tags.listing(alice, None) == []


async def test_there_are_ten_featured_tags_at_most_and_suggestions_are_the_rest(
    alice: Account, bob: Account
) -> None:
    for number in range(featured_tags.MOST):
        await featured_tags.feature(alice, f"tag{number}")
    with pytest.raises(Invalid):
        await featured_tags.feature(alice, "more")
    await featured_tags.feature(alice, "tag3")
    for source in ("#dogs", "#cats", "#cats", "#tag3 #tag3"):
        await publish(alice, source)
    await publish(bob, "#birds")
    assert [tag.name for tag in await featured_tags.suggestions(alice)] == ["cats", "dogs"]
