"""Writing quotes: what may be quoted by whom, how narrow it becomes, what is counted and told."""

from typing import Any

import pytest

from fediblog import db, moments, uris
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Consent, Post, Quotable, Visibility
from fediblog.paging import Page
from fediblog.services import blocks, follows, mutes, posts, quotable, quotes, receiving, scheduled, views
from fediblog.services.composing import Draft
from fediblog.services.quotable import Answer
from fediblog.services.views import Standing
from tests.harness.statements import recorded
from tests.people import remote
from tests.services.elsewhere import said
from tests.services.making import post, told


async def quote(author: Account, quoted: Post, source: str = "Look", **more: Any) -> Post:
    return await posts.publish(author, Draft(source, quoted_id=quoted.id, **more))


async def count(made: Post) -> int:
    number: int = (await Post.get(id=made.id)).quotes
    return number


async def standing(made: Post, viewer: Account | None) -> Standing | None:
    found = (await views.entries([made.id], viewer))[made.id].quoting
    return found.standing if found else None


# ---------------------------------------------------------------------------------------------- the policy


@pytest.mark.parametrize(
    ("policy", "own", "follows", "expected"),
    [
        (Quotable.PUBLIC, False, False, Answer.AUTOMATIC),
        (Quotable.FOLLOWERS, False, True, Answer.AUTOMATIC),
        (Quotable.FOLLOWERS, False, False, Answer.DENIED),
        (Quotable.NOBODY, False, True, Answer.DENIED),
        (Quotable.NOBODY, True, False, Answer.AUTOMATIC),
        (Quotable.FOLLOWERS | Quotable.PUBLIC_ASKING, False, False, Answer.MANUAL),
        (Quotable.FOLLOWERS_ASKING, False, True, Answer.MANUAL),
        (Quotable.OTHERS, False, False, Answer.UNKNOWN),
        (Quotable.OTHERS_ASKING, False, False, Answer.UNKNOWN),
    ],
)
def test_a_policy_answers(policy: Quotable, own: bool, follows: bool, expected: Answer) -> None:
    assert quotable.answer(policy, own, follows) is expected


# -------------------------------------------------------------------------------------------------- writing


async def test_a_quote_between_two_people_here_is_agreed_to_at_once(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted, "")

    kept = await Post.get(id=made.id)
    assert (kept.quote_of_id, kept.quote_uri, kept.content) == (quoted.id, quoted.uri, "")
    assert (kept.quote_state, kept.quote_authorization) == (Consent.ACCEPTED, uris.quote_uri(made.id))
    assert await count(quoted) == 1 and await told(bob) == [("quote", alice.id, made.id)]


async def test_oneself_is_quoted_without_a_word(alice: Account) -> None:
    quoted = await posts.publish(alice, Draft("Hello", quote_policy=Quotable.NOBODY))
    made = await quote(alice, quoted)
    assert (made.quote_state, made.quote_authorization) == (Consent.ACCEPTED, "")
    assert await count(quoted) == 1 and await told(alice) == []


async def test_somebody_elsewhere_has_to_agree_first(alice: Account) -> None:
    rita = await remote("rita", "remote.example")
    quoted = await post(rita, uri="https://remote.example/1", quote_policy=Quotable.PUBLIC_ASKING)
    made = await quote(alice, quoted)
    assert made.quote_state is Consent.PENDING and await count(quoted) == 0
    kinds = await db.column("SELECT kind FROM event ORDER BY id")
    assert kinds == ["post_published", "quote_asked"]


@pytest.mark.parametrize(
    ("policy", "follows_her", "allowed"),
    [
        (Quotable.NOBODY, True, False),
        (Quotable.FOLLOWERS, False, False),
        (Quotable.FOLLOWERS, True, True),
    ],
)
async def test_the_policy_of_who_is_quoted_holds(
    alice: Account, bob: Account, policy: Quotable, follows_her: bool, allowed: bool
) -> None:
    if follows_her:
        await follows.follow(alice, bob)
    quoted = await posts.publish(bob, Draft("Hello", quote_policy=policy))
    if allowed:
        assert (await quote(alice, quoted)).quote_state is Consent.ACCEPTED
    else:
        with pytest.raises(Invalid):
            await quote(alice, quoted)


async def test_who_says_nothing_of_quotes_is_not_quoted(alice: Account) -> None:
    rita = await remote("rita", "remote.example")
    made = await receiving.receive(rita, said(rita))
    assert made is not None
    with pytest.raises(Invalid):
        await quote(alice, made)


async def test_what_one_may_not_see_one_cannot_quote(alice: Account, bob: Account) -> None:
    hidden = await post(bob, Visibility.FOLLOWERS)
    with pytest.raises(NotFound):
        await quote(alice, hidden)
    shown = await posts.publish(bob, Draft("Hello"))
    await blocks.block(bob, alice)
    with pytest.raises(NotFound):
        await quote(alice, shown)


async def test_nobody_quotes_whom_they_block(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    await blocks.block(alice, bob)
    with pytest.raises(Invalid):
        await quote(alice, quoted)
    assert await Post.filter(author_id=alice.id).count() == 0


async def test_direct_posts_are_quoted_by_nobody(alice: Account) -> None:
    quoted = await posts.publish(alice, Draft("Psst", visibility=Visibility.DIRECT))
    with pytest.raises(Invalid):
        await quote(alice, quoted)


async def test_what_is_for_followers_its_author_quotes_for_followers(alice: Account, bob: Account) -> None:
    await follows.follow(bob, alice)
    draft = Draft("Psst", visibility=Visibility.FOLLOWERS, quote_policy=Quotable.PUBLIC)
    quoted = await posts.publish(alice, draft)
    assert quoted.quote_policy == Quotable.NOBODY
    with pytest.raises(Invalid):
        await quote(bob, quoted)
    for wish in (None, Visibility.PUBLIC, Visibility.FOLLOWERS):
        assert (await quote(alice, quoted, visibility=wish)).visibility == Visibility.FOLLOWERS


async def test_a_direct_quote_is_to_whom_it_quotes(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    with pytest.raises(Invalid):
        await quote(alice, quoted, visibility=Visibility.DIRECT)
    made = await quote(alice, quoted, "@bob look", visibility=Visibility.DIRECT)
    assert made.quote_state is Consent.ACCEPTED


async def test_who_is_quoted_may_see_where(alice: Account, bob: Account, carol: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted, visibility=Visibility.FOLLOWERS)
    assert (await posts.get(made.id, bob)).id == made.id
    assert await told(bob) == [("quote", alice.id, made.id)]
    with pytest.raises(NotFound):
        await posts.get(made.id, carol)


async def test_an_edit_changes_neither_the_quote_nor_who_may_quote_without_a_wish(
    alice: Account, bob: Account
) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted, quote_policy=Quotable.FOLLOWERS)
    edited = await posts.edit(alice, made.id, Draft(""))
    assert (edited.quote_of_id, edited.quote_state) == (quoted.id, Consent.ACCEPTED)
    assert edited.quote_policy == Quotable.FOLLOWERS
    edited = await posts.edit(alice, made.id, Draft("x", quote_policy=Quotable.NOBODY))
    assert edited.quote_policy == Quotable.NOBODY


async def test_who_quotes_hears_of_an_edit_of_what_they_quote(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted)
    for text in ("Bye", "Bye bye"):
        await posts.edit(bob, quoted.id, Draft(text))
    assert await told(alice) == [("quoted_edit", bob.id, made.id)]


async def test_what_is_deleted_is_counted_no_more_and_leaves_the_quote(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made, other = await quote(alice, quoted), await quote(bob, quoted)
    await posts.delete(bob, other.id)
    assert await count(quoted) == 1
    await posts.delete(bob, quoted.id)
    found = (await views.entries([made.id], alice))[made.id].quoting
    assert found is not None and (found.post_id, found.state) == (None, Consent.ACCEPTED)


async def test_a_quote_for_later_is_checked_now_and_then(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    draft = Draft("Look", quoted_id=quoted.id, quote_policy=Quotable.FOLLOWERS)
    later = await scheduled.schedule(alice, draft, moments.now() + moments.HOUR)
    assert (later.draft.quoted_id, later.draft.quote_policy) == (quoted.id, Quotable.FOLLOWERS)
    async with db.transaction():
        await db.execute("UPDATE scheduled_post SET scheduled_at = 0")
    await quotes.set_policy(bob, quoted, Quotable.NOBODY)
    await scheduled.publish(later.id)
    assert (
        await scheduled.get(alice, later.id)
    ).error == "The author of this post does not let you quote it."
    with pytest.raises(Invalid):
        await scheduled.schedule(alice, draft, moments.now() + moments.HOUR)


# --------------------------------------------------------------------------------------------- taking back


async def test_a_consent_is_its_givers_to_take_back(alice: Account, bob: Account, carol: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made, own = await quote(alice, quoted), await quote(bob, quoted)
    for who in (alice, carol):
        with pytest.raises(NotFound):
            await quotes.revoke(who, quoted.id, made.id)
    with pytest.raises(Invalid):
        await quotes.revoke(bob, quoted.id, own.id)
    other = await posts.publish(bob, Draft("Hello"))
    with pytest.raises(NotFound):
        await quotes.revoke(bob, other.id, made.id)
    for _ in range(2):
        await quotes.revoke(bob, quoted.id, made.id)
    kept = await Post.get(id=made.id)
    assert (kept.quote_state, kept.quote_authorization, await count(quoted)) == (Consent.REVOKED, "", 1)


async def test_others_do_not_say_who_may_quote(alice: Account, bob: Account) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    with pytest.raises(NotFound):
        await quotes.set_policy(alice, quoted, Quotable.NOBODY)


# -------------------------------------------------------------------------------------------------- reading


async def test_what_the_viewer_may_not_see_is_not_shown_in_a_quote_either(
    alice: Account, bob: Account, carol: Account
) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted)
    assert await standing(made, carol) is Standing.CLEAR and await standing(made, None) is Standing.CLEAR
    await Post.filter(id=quoted.id).update(visibility=Visibility.FOLLOWERS)
    assert await standing(made, carol) is Standing.UNSEEN and await standing(made, None) is Standing.UNSEEN
    await follows.follow(carol, bob)
    assert await standing(made, carol) is Standing.CLEAR
    await blocks.block(bob, carol)
    assert await standing(made, carol) is Standing.UNSEEN
    await Account.filter(id=bob.id).update(suspended_at=1)
    assert await standing(made, alice) is Standing.UNSEEN


async def test_blocks_and_mutes_of_the_viewer_stand_between(
    alice: Account, bob: Account, carol: Account
) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    made = await quote(alice, quoted)
    await mutes.mute(carol, bob)
    assert await standing(made, carol) is Standing.MUTED
    await blocks.block(carol, bob)
    assert await standing(made, carol) is Standing.BLOCKED


async def test_quotes_are_listed_newest_first_without_what_may_not_be_seen(
    alice: Account, bob: Account, carol: Account
) -> None:
    quoted = await posts.publish(bob, Draft("Hello"))
    first, second = await quote(alice, quoted), await quote(carol, quoted)
    await quote(alice, quoted, visibility=Visibility.FOLLOWERS)
    revoked = await quote(alice, quoted)
    await quotes.revoke(bob, quoted.id, revoked.id)
    waiting = await quote(alice, quoted)
    await Post.filter(id=waiting.id).update(quote_state=Consent.PENDING)

    async def listed(page: Page) -> list[int]:
        with recorded() as sent:
            found = await quotes.listing(quoted, carol, page)
        assert len(sent) == 1
        return [entry.id for entry in found.entries]

    assert await listed(Page(20)) == [second.id, first.id]
    assert await listed(Page(1)) == [second.id] and await listed(Page(1, max_id=second.id)) == [first.id]
    await blocks.block(carol, alice)
    assert await listed(Page(20)) == [second.id]
