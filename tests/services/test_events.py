"""Each act writes down what others elsewhere have to hear of, and no other act does."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db, moments
from fediblog.config import Config
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.queue import Job
from fediblog.services import (
    accounts,
    blocks,
    boosts,
    deletion,
    events,
    follows,
    likes,
    moderation,
    pins,
    polls,
    posts,
    receiving,
)
from fediblog.services.accounts import Profile
from fediblog.services.composing import Draft
from fediblog.services.events import Event, Happened
from fediblog.services.polls import PollDraft
from tests.people import person, remote, user_of
from tests.services.elsewhere import said
from tests.services.making import mention, owed, post


@pytest.fixture
async def rita(database: None) -> Account:
    """Somebody who lives elsewhere."""
    return await remote("rita", "remote.example")


async def happened(account: Account | None) -> list[Happened]:
    """What was written down of somebody, and forgotten with that."""
    found = await events.waiting(account.id if account else events.SERVER, 100)
    async with db.transaction():
        for event in found:
            await events.take(event.id)
    return found


async def only(account: Account) -> Happened:
    """The one thing that was written down; nobody else has done anything."""
    [event] = await happened(account)
    assert await db.value("SELECT count(*) FROM event") == 0
    return event


async def nothing() -> bool:
    """Whether nobody has done anything."""
    return not await db.value("SELECT count(*) FROM event") and await owed("federate") == []


# ------------------------------------------------------------------------------------------------------ posts


async def test_a_post_is_written_down_with_the_names_nobody_knows(alice: Account, rita: Account) -> None:
    text = "Hello @rita@remote.example, @nobody@new.example and @ghost!"
    made = await posts.publish(alice, Draft(text))
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.POST_PUBLISHED, made.id)
    assert event.detail == {"unknown": ["nobody@new.example"]}
    assert await owed("federate") == [str(alice.id)]


async def test_known_people_elsewhere_are_linked_and_mentioned(alice: Account, rita: Account) -> None:
    made = await posts.publish(alice, Draft("Hello @rita@remote.example", visibility=Visibility.DIRECT))
    assert f'href="{rita.url}" class="u-url mention"' in made.content
    assert await db.column("SELECT account_id FROM mention WHERE post_id = $1", made.id) == [rita.id]


async def test_ten_names_that_nobody_knows_are_enough(alice: Account) -> None:
    text = " ".join(f"@someone{number}@new.example" for number in range(12))
    await posts.publish(alice, Draft(text))
    assert len((await only(alice)).detail["unknown"]) == 10


async def test_people_who_became_known_are_named(alice: Account) -> None:
    made = await posts.publish(alice, Draft("Hello @rita@remote.example"))
    rita = await remote("rita", "remote.example")
    await posts.name_people(made.id)
    named = await Post.get(id=made.id)
    assert rita.url in named.content
    assert named.version == made.version + 1
    assert await db.column("SELECT account_id FROM mention WHERE post_id = $1", made.id) == [rita.id]
    await posts.name_people(made.id)
    assert (await Post.get(id=made.id)).version == named.version


async def test_an_edit_is_written_down(alice: Account) -> None:
    made = await post(alice)
    await posts.edit(alice, made.id, Draft("Again, @nobody@new.example"))
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.POST_EDITED, made.id)
    assert event.detail == {"unknown": ["nobody@new.example"]}


async def test_a_deletion_says_who_may_have_the_post(alice: Account, rita: Account) -> None:
    parent = await post(rita)
    made = await post(alice, reply_to_id=parent.id, reply_to_author_id=rita.id)
    await mention(made, rita)
    boost = await boosts.boost(rita, made)
    await posts.delete(alice, made.id)
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.POST_DELETED, made.id)
    assert event.detail == {
        "uri": made.uri,
        "visibility": 0,
        "addressed": [rita.id],
        "boosters": [rita.id],
        "boosts": [boost.id],
        "reply_to_author_id": rita.id,
    }


async def test_boosts_and_their_end(alice: Account, rita: Account) -> None:
    original = await post(rita)
    boost = await boosts.boost(alice, original)
    await boosts.boost(alice, original)
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.BOOSTED, boost.id)
    await boosts.unboost(alice, original)
    await boosts.unboost(alice, original)
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.UNBOOSTED, boost.id)
    assert event.detail == {
        "uri": boost.uri,
        "visibility": 0,
        "of_uri": original.uri,
        "of_author_id": rita.id,
    }


async def test_pins_and_their_end(alice: Account) -> None:
    made = await post(alice)
    await pins.pin(alice, made)
    await pins.pin(alice, made)
    assert (await only(alice)).kind is Event.PINNED
    await pins.unpin(alice, made)
    await pins.unpin(alice, made)
    event = await only(alice)
    assert (event.kind, event.detail) == (Event.UNPINNED, {"uri": made.uri})


# ------------------------------------------------------------------------------------------------------- acts


async def test_likes_and_their_end(alice: Account, rita: Account) -> None:
    made = await post(rita)
    await likes.like(alice, made)
    await likes.like(alice, made)
    event = await only(alice)
    like_id = await db.value("SELECT id FROM post_like WHERE account_id = $1", alice.id)
    assert (event.kind, event.post_id, event.target_id) == (Event.LIKED, made.id, rita.id)
    assert event.detail == {"like_id": like_id}
    await likes.unlike(alice, made)
    event = await only(alice)
    assert (event.kind, event.target_id) == (Event.UNLIKED, rita.id)
    assert event.detail == {"like_id": like_id, "post_uri": made.uri}


async def test_votes_elsewhere_are_written_down(alice: Account, rita: Account) -> None:
    made = await _poll(rita)
    await polls.vote(alice, made, [0, 1])
    event = await only(alice)
    assert (event.kind, event.post_id, event.target_id) == (Event.VOTED, made.id, rita.id)
    assert event.detail == {"options": ["tea", "coffee"]}
    assert await owed("tally") == []


async def test_many_votes_make_one_tally_a_minute(alice: Account, bob: Account, rita: Account) -> None:
    made = await _poll(alice)
    before = moments.now()
    await polls.vote(bob, made, [0])
    await polls.choose(rita, made, "coffee")
    assert await db.value("SELECT count(*) FROM event") == 0
    [row] = await db.rows("SELECT key, not_before FROM work WHERE kind = 'tally'")
    assert row["key"] == str(made.id)
    assert row["not_before"] >= before + moments.MINUTE
    await polls.tell_tally(made.id)
    event = await only(alice)
    assert (event.kind, event.post_id) == (Event.POLL_CHANGED, made.id)


async def test_the_end_of_a_poll_is_written_down_once(alice: Account) -> None:
    made = await _poll(alice, expires_at=moments.now() - 1)
    await polls.close(made.id)
    await polls.close(made.id)
    assert (await only(alice)).kind is Event.POLL_CHANGED
    await polls.tell_tally(made.id)
    assert await db.value("SELECT count(*) FROM event") == 0


async def test_follows_that_are_asked_for_and_ended(alice: Account, rita: Account) -> None:
    await follows.follow(alice, rita)
    await follows.follow(alice, rita, notify=True)
    event = await only(alice)
    uri = await db.value("SELECT uri FROM follow_request WHERE follower_id = $1", alice.id)
    assert (event.kind, event.target_id, event.detail) == (Event.FOLLOW_ASKED, rita.id, {"uri": uri})
    await follows.accept(rita, alice.id)
    assert await happened(alice) == []
    await follows.unfollow(alice, rita)
    event = await only(alice)
    assert (event.kind, event.target_id, event.detail) == (Event.FOLLOW_ENDED, rita.id, {"uri": uri})


async def test_a_follow_from_elsewhere_is_agreed_to_each_time(alice: Account, rita: Account) -> None:
    for number in (1, 2):
        uri = f"https://remote.example/follows/{number}"
        await follows.follow(rita, alice, uri=uri)
        event = await only(alice)
        assert (event.kind, event.target_id) == (Event.FOLLOW_ACCEPTED, rita.id)
        assert event.detail == {"uri": uri}
    assert await db.column("SELECT uri FROM follow") == ["https://remote.example/follows/2"]


async def test_a_locked_account_answers_later(rita: Account) -> None:
    dora = await person("dora", locked=True)
    await follows.follow(rita, dora, uri="https://remote.example/follows/1")
    await follows.follow(rita, dora, uri="https://remote.example/follows/2")
    assert await nothing()
    await follows.accept(dora, rita.id)
    event = await only(dora)
    assert event.kind is Event.FOLLOW_ACCEPTED
    assert event.detail == {"uri": "https://remote.example/follows/2"}
    await follows.remove_follower(dora, rita.id)
    assert (await only(dora)).kind is Event.FOLLOW_REJECTED


async def test_a_refused_request_is_answered(rita: Account) -> None:
    dora = await person("dora", locked=True)
    await follows.follow(rita, dora, uri="https://remote.example/follows/1")
    await follows.reject(dora, rita.id)
    event = await only(dora)
    assert (event.kind, event.target_id) == (Event.FOLLOW_REJECTED, rita.id)


async def test_a_block_ends_follows_both_ways_and_says_so(alice: Account, rita: Account) -> None:
    await follows.follow(alice, rita)
    await follows.accept(rita, alice.id)
    await follows.follow(rita, alice, uri="https://remote.example/follows/1")
    await happened(alice)
    await blocks.block(alice, rita)
    await blocks.block(alice, rita)
    kinds = {event.kind for event in await happened(alice)}
    assert kinds == {Event.BLOCKED, Event.FOLLOW_ENDED, Event.FOLLOW_REJECTED}
    uri = await db.value("SELECT uri FROM block")
    await blocks.unblock(alice, rita)
    await blocks.unblock(alice, rita)
    event = await only(alice)
    assert (event.kind, event.detail) == (Event.UNBLOCKED, {"uri": uri})


# ----------------------------------------------------------------------------------------------------- people


async def test_a_new_profile_is_written_down(alice: Account) -> None:
    await accounts.edit_profile(alice, Profile(display_name="Alice Liddell"))
    assert (await only(alice)).kind is Event.PROFILE_CHANGED
    await accounts.remove_avatar(alice)
    assert (await only(alice)).kind is Event.PROFILE_CHANGED
    await accounts.edit_profile(alice, Profile())
    assert await db.value("SELECT count(*) FROM event") == 0


async def test_who_is_suspended_and_restored_looks_different(alice: Account) -> None:
    suspended = await moderation.suspend(alice, None)
    assert (await only(alice)).kind is Event.PROFILE_CHANGED
    await moderation.unsuspend(suspended, None)
    assert (await only(alice)).kind is Event.PROFILE_CHANGED
    await moderation.silence(alice, None)
    assert await db.value("SELECT count(*) FROM event") == 0


async def test_a_deleted_account_says_one_thing_and_no_more(alice: Account, rita: Account) -> None:
    await posts.publish(alice, Draft("Goodbye"))
    await likes.like(alice, await post(rita))
    await follows.follow(rita, alice, uri="https://remote.example/follows/1")
    await happened(alice)
    await deletion.delete(alice, await user_of(alice))
    assert (await only(alice)).kind is Event.ACCOUNT_DELETED
    await deletion.erase(alice.id)
    assert await db.value("SELECT count(*) FROM event") == 0
    assert await Post.filter(author_id=alice.id).count() == 0


async def test_acts_at_once_do_not_wait_crosswise(
    alice: Account, bob: Account, carol: Account, rita: Account
) -> None:
    mine = [await post(alice) for _ in range(3)]
    theirs = [await post(rita) for _ in range(3)]
    for _ in range(2):
        await asyncio.gather(
            *(posts.publish(alice, Draft("Hello")) for _ in range(3)),
            *(posts.edit(alice, each.id, Draft("Again")) for each in mine),
            *(boosts.boost(alice, each) for each in [*mine, *theirs]),
            *(likes.like(alice, each) for each in theirs),
            *(boosts.boost(bob, each) for each in [*mine, *theirs]),
            follows.follow(rita, alice, uri="https://remote.example/follows/1"),
            follows.follow(alice, rita),
            blocks.block(alice, carol),
        )
        await asyncio.gather(
            *(boosts.unboost(alice, each) for each in [*mine, *theirs]),
            *(likes.unlike(alice, each) for each in theirs),
            *(posts.edit(alice, each.id, Draft("And again")) for each in mine),
            *(boosts.unboost(bob, each) for each in [*mine, *theirs]),
            follows.unfollow(alice, rita),
            follows.remove_follower(alice, rita.id),
            blocks.unblock(alice, carol),
        )
    kinds = Counter(event.kind for event in await happened(alice))
    assert kinds[Event.BOOSTED] == kinds[Event.UNBOOSTED] == 12
    assert kinds[Event.LIKED] == kinds[Event.UNLIKED] == 6
    assert kinds[Event.POST_EDITED] == 12


# ------------------------------------------------------------------------------------------------ who is not


async def test_what_is_between_us_is_not_written_down(alice: Account, bob: Account) -> None:
    made = await post(alice)
    await likes.like(bob, made)
    await likes.unlike(bob, made)
    await follows.follow(bob, alice)
    await follows.unfollow(bob, alice)
    await blocks.block(bob, alice)
    await blocks.unblock(bob, alice)
    poll = await _poll(alice)
    await polls.vote(bob, poll, [0])
    assert await nothing()


async def test_what_others_do_is_not_written_down(alice: Account, rita: Account) -> None:
    mine, theirs = await post(alice), await post(rita)
    await likes.like(rita, mine)
    await likes.unlike(rita, mine)
    await boosts.boost(rita, mine)
    await boosts.unboost(rita, mine)
    received = await receiving.receive(rita, said(rita))
    assert received is not None
    await receiving.delete(rita, received.uri)
    await posts.remove(theirs)
    await polls.close((await _poll(rita, expires_at=moments.now() - 1)).id)
    await follows.unfollow(rita, alice)
    await blocks.block(rita, alice)
    await blocks.unblock(rita, alice)
    await moderation.suspend(rita, None)
    assert await nothing()


async def test_without_federation_nothing_is_written_down(
    alice: Account, rita: Account, configure: Callable[..., Config]
) -> None:
    configure(federation__enabled=False)
    await posts.publish(alice, Draft("Hello"))
    await follows.follow(alice, rita)
    assert await nothing()


async def test_an_act_that_fails_writes_nothing_down(alice: Account, rita: Account) -> None:
    with pytest.raises(RuntimeError):
        async with db.transaction():
            await follows.follow(alice, rita)
            raise RuntimeError
    assert await nothing()


# ---------------------------------------------------------------------------------------------------- tray


async def test_what_was_put_aside_waits_for_an_admin(alice: Account) -> None:
    await posts.publish(alice, Draft("one"))
    await posts.publish(alice, Draft("two"))
    first, second = await events.waiting(alice.id, 10)
    await events.put_aside(first.id, "ValueError: odd")
    assert await events.waiting(alice.id, 10) == [second]
    [aside] = await events.quarantined()
    assert (aside.id, aside.kind, aside.account_id, aside.error) == (
        first.id,
        "post_published",
        alice.id,
        "ValueError: odd",
    )
    await events.retry(first.id)
    assert await events.waiting(alice.id, 10) == [first, second]
    with pytest.raises(NotFound):
        await events.retry(first.id)


async def test_an_event_ends_once(alice: Account) -> None:
    await posts.publish(alice, Draft("one"))
    [event] = await events.waiting(alice.id, 10)
    async with db.transaction():
        assert await events.take(event.id)
        assert not await events.take(event.id)


def test_letters_wait_with_what_is_delivered() -> None:
    assert Job.FEDERATE.queue == Job.TALLY.queue == "deliver"


async def _poll(author: Account, **columns: Any) -> Post:
    made = await post(author)
    values = {"expires_at": moments.now() + moments.HOUR, **columns}
    async with db.transaction():
        await polls.create(made.id, PollDraft(("tea", "coffee"), 3600, multiple=True))
        await db.execute("UPDATE poll SET expires_at = $2 WHERE id = $1", made.id, values["expires_at"])
    return made
