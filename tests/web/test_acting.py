"""What can be done with posts and people: every act and its undo, by the forms that stand on the pages."""

import re
from collections.abc import Awaitable, Callable

import pytest

from fediblog import db
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, boosts, follows, mutes, polls, posts, relationships
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from fediblog.services.relationships import Relationship
from tests.web.browser import Browser, Page
from tests.web.conftest import BrowserOf


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


@pytest.fixture
async def his(bob: Account) -> Post:
    """A public post of Bob."""
    return await posts.publish(bob, Draft("Bob's words"))


async def _has(table: str, post: Post) -> bool:
    return await db.value(f"SELECT count(*) FROM {table} WHERE post_id = $1", post.id) == 1


async def _boosted(post: Post) -> bool:
    return await Post.filter(boost_of_id=post.id).exists()


async def _muted(post: Post) -> bool:
    return await db.value("SELECT count(*) FROM thread_mute WHERE thread_id = $1", post.thread_id) == 1


Question = Callable[[Post], Awaitable[bool]]
LIKED: Question = lambda post: _has("post_like", post)  # noqa: E731
KEPT: Question = lambda post: _has("bookmark", post)  # noqa: E731
PINNED: Question = lambda post: _has("pin", post)  # noqa: E731


@pytest.mark.parametrize(
    ("verb", "undo", "done"),
    [
        ("favourite", "unfavourite", LIKED),
        ("reblog", "unreblog", _boosted),
        ("bookmark", "unbookmark", KEPT),
        ("mute", "unmute", _muted),
    ],
)
async def test_an_act_and_its_undo(hers: Browser, his: Post, verb: str, undo: str, done: Question):
    path = f"/@bob/{his.id}"
    page = await hers.open("/public/local")
    answer = await hers.send_form(page, f"{path}/{verb}")

    assert answer.location == f"/public/local#p{his.id}"
    assert await done(his)
    page = await hers.open("/public/local")
    if verb != "mute":
        pressed = page.article(f"p{his.id}").split(f"{path}/{undo}")[1].split(">")[0]
        assert 'aria-pressed="true"' in pressed
    await hers.send_form(page, f"{path}/{undo}")
    assert not await done(his)


async def test_pinning_ones_own_post(hers: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Look at me"))
    await posts.publish(alice, Draft("Newer"))
    await hers.submit("/@alice", f"/@alice/{post.id}/pin")

    profile = await hers.open("/@alice")
    assert profile.text.index("Look at me") < profile.text.index("Newer")
    assert profile.text.count("Look at me") == 1
    await hers.send_form(profile, f"/@alice/{post.id}/unpin")
    assert not await PINNED(post)


async def test_others_cannot_be_pinned(hers: Browser, his: Post):
    answer = await hers.post(f"/@bob/{his.id}/pin", [("csrf", await hers.token())], 422)
    assert "only your own" in answer.text


@pytest.mark.parametrize(
    "verb",
    ["favourite", "unfavourite", "reblog", "unreblog", "bookmark", "mute", "vote", "pin", "delete", "edit"],
)
async def test_what_one_may_not_see_is_not_there_to_be_acted_upon(hers: Browser, bob: Account, verb: str):
    secret = await posts.publish(bob, Draft("Psst", visibility=Visibility.FOLLOWERS))
    token = await hers.token()
    invisible = await hers.post(f"/@bob/{secret.id}/{verb}", [("csrf", token), ("choice", "0")], 404)
    missing = await hers.post("/@bob/12345/" + verb, [("csrf", token), ("choice", "0")], 404)

    assert _without_id(invisible) == _without_id(missing)


def _without_id(page: Page) -> str:
    return re.sub(r"request [0-9a-f]+", "", page.text)


async def test_acting_needs_a_session(visitor: Browser, his: Post):
    answer = await visitor.post(f"/@bob/{his.id}/favourite", Referer="http://localhost:8000/public?max_id=7")
    assert answer.location == "/auth/sign_in?return_to=%2Fpublic%3Fmax_id%3D7"
    assert not await LIKED(his)


async def test_acting_on_a_boost_is_acting_on_what_it_passes_on(
    hers: Browser, his: Post, carol: Account, alice: Account
):
    boost = await boosts.boost(carol, his)
    assert (await hers.open(f"/@carol/{boost.id}", 303)).location == f"/@bob/{his.id}"
    await hers.post(f"/@carol/{boost.id}/favourite", [("csrf", await hers.token())])
    assert await LIKED(his)


async def test_an_act_by_a_link_does_nothing(hers: Browser, his: Post):
    answer = await hers.open(f"/@bob/{his.id}/favourite", 405)
    assert "POST" in answer.headers["Allow"]
    assert not await LIKED(his)


async def test_one_comes_back_to_the_same_page_of_a_list(hers: Browser, his: Post):
    page = await hers.open(f"/public/local?max_id={his.id + 1}&done=saved")
    answer = await hers.send_form(page, f"/@bob/{his.id}/favourite")
    assert answer.location == f"/public/local?max_id={his.id + 1}#p{his.id}"


async def test_the_way_back_is_on_this_site(hers: Browser, his: Post):
    fields = [("csrf", await hers.token()), ("return_to", "https://evil.example/")]
    assert (await hers.post(f"/@bob/{his.id}/favourite", fields)).location == "/home"


# ----------------------------------------------------------------------------------------------------- polls


@pytest.fixture
async def poll(bob: Account) -> Post:
    """Bob asks."""
    return await posts.publish(bob, Draft("Which?", poll=PollDraft(("Tea", "Coffee", "Water"), 3600)))


async def test_voting_shows_the_result(hers: Browser, poll: Post):
    path = f"/@bob/{poll.id}"
    page = await hers.open("/public")
    assert "<meter" not in page.html
    answer = await hers.send_form(page, f"{path}/vote", choice="1")

    assert answer.location == f"/public#p{poll.id}"
    page = await hers.open(path)
    assert "Coffee (your vote) ✓ 100%" in page.text.replace("✓100%", "✓ 100%").replace(")✓", ") ✓")
    assert 'value="100"' in page.html and f"{path}/vote" not in page.html


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ([], "Choose an option first."),
        (["7"], "There is no such option."),
        (["-1"], "There is no such option."),
        (["tea"], "There is no such option."),
        (["0", "1"], "You can choose only one option."),
        (["99999999999999999999"], "There is no such option."),
    ],
)
async def test_votes_that_the_poll_does_not_know_are_refused(
    hers: Browser, poll: Post, choices: list[str], sentence: str
):
    answer = await hers.submit("/public", f"/@bob/{poll.id}/vote", 422, choice=choices)

    assert sentence in answer.text
    assert await db.value("SELECT sum(votes) FROM poll_option") == 0


async def test_nobody_votes_twice(hers: Browser, poll: Post):
    page = await hers.open("/public")
    await hers.send_form(page, f"/@bob/{poll.id}/vote", choice="0")
    assert "already voted" in (await hers.send_form(page, f"/@bob/{poll.id}/vote", 422, choice="1")).text


async def test_hidden_results_are_hidden_until_the_end(
    hers: Browser, visitor: Browser, bob: Account, alice: Account, carol: Account
):
    draft = PollDraft(("Tea", "Coffee"), 3600, hide_totals=True)
    post = await posts.publish(bob, Draft("Secretly?", poll=draft))
    await polls.vote(carol, post, [0])
    for browser in (hers, visitor):
        page = await browser.open(f"/@bob/{post.id}")
        assert "%" not in page.text and "<meter" not in page.html

    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = 1, closed_at = 1 WHERE id = $1", post.id)
    assert "100%" in (await visitor.open(f"/@bob/{post.id}")).text


# ---------------------------------------------------------------------------------------------------- people


async def _between(one: Account, other: Account) -> Relationship:
    return (await relationships.between(one, [other.id]))[other.id]


async def test_following_and_its_end(hers: Browser, alice: Account, bob: Account):
    answer = await hers.submit("/@bob", "/@bob/follow")
    assert answer.location == "/@bob"
    assert (await _between(alice, bob)).following

    await hers.submit("/@bob", "/@bob/unfollow")
    assert not (await _between(alice, bob)).following


async def test_who_approves_followers_is_asked(
    hers: Browser, browser_of: BrowserOf, alice: Account, bob: Account
):
    await Account.filter(id=bob.id).update(locked=True)
    his = await browser_of(bob)
    assert "Ask to follow" in (await hers.open("/@bob")).text
    await hers.submit("/@bob", "/@bob/follow")
    assert "Take request back" in (await hers.open("/@bob")).text
    assert "Follow requests, 1 new" in (await his.open("/home")).text

    await his.submit("/follow_requests", "/@alice/accept")
    assert (await _between(alice, bob)).following


async def test_a_request_can_be_refused_and_taken_back(
    hers: Browser, browser_of: BrowserOf, alice: Account, bob: Account
):
    await Account.filter(id=bob.id).update(locked=True)
    his = await browser_of(bob)
    await hers.submit("/@bob", "/@bob/follow")
    await his.submit("/@alice", "/@alice/reject")
    assert not (await _between(alice, bob)).requested

    await hers.submit("/@bob", "/@bob/follow")
    await hers.submit("/@bob", "/@bob/unfollow")
    answer = await his.post("/@alice/accept", [("csrf", await his.token())], 404)
    assert "Nobody of that name" in answer.text


async def test_boosts_and_bells_are_switched_in_the_menu(hers: Browser, alice: Account, bob: Account):
    await follows.follow(alice, bob)
    await hers.submit("/@bob", "/@bob/boosts")
    await hers.submit("/@bob", "/@bob/notify")
    relation = await _between(alice, bob)
    assert (relation.showing_boosts, relation.notifying) == (False, True)

    await hers.submit("/@bob", "/@bob/boosts")
    assert (await _between(alice, bob)).showing_boosts


async def test_a_follower_can_be_removed(hers: Browser, alice: Account, bob: Account):
    await follows.follow(bob, alice)
    await hers.submit("/@bob", "/@bob/remove_follower")
    assert not (await _between(bob, alice)).following


async def test_muting_asks_for_how_long(hers: Browser, alice: Account, bob: Account):
    await hers.submit("/@bob/mute", "/@bob/mute", seconds="3600", notifications=None)
    relation = await _between(alice, bob)
    assert relation.muting and not relation.muting_notifications and relation.muting_expires_at

    assert "Muted" in (await hers.open("/@bob")).text
    await hers.submit("/@bob", "/@bob/unmute")
    assert not (await _between(alice, bob)).muting


@pytest.mark.parametrize("seconds", ["", "-5", "long", "99999999999"])
async def test_an_impossible_time_to_mute_is_refused(
    hers: Browser, alice: Account, bob: Account, seconds: str
):
    await hers.submit("/@bob/mute", "/@bob/mute", 422, seconds=seconds)
    assert not (await _between(alice, bob)).muting


async def test_blocking_asks_first(hers: Browser, alice: Account, bob: Account):
    await follows.follow(alice, bob)
    await hers.submit("/@bob/block", "/@bob/block")
    relation = await _between(alice, bob)
    assert relation.blocking and not relation.following

    await hers.submit("/@bob", "/@bob/unblock")
    assert not (await _between(alice, bob)).blocking


async def test_who_is_blocked_sees_no_posts_and_no_button(hers: Browser, alice: Account, bob: Account):
    await posts.publish(bob, Draft("Not for Alice"))
    await blocks.block(bob, alice)
    page = await hers.open("/@bob")

    assert "Not for Alice" not in page.text
    assert "You cannot see what Bob writes." in page.text
    await hers.post("/@bob/follow", [("csrf", await hers.token())], 403)


async def test_one_does_not_follow_block_or_mute_oneself(hers: Browser, alice: Account):
    token = await hers.token()
    for verb in ("follow", "block", "mute"):
        await hers.post(f"/@alice/{verb}", [("csrf", token), ("seconds", "0")], 422)


async def test_the_lists_of_people_have_buttons_too(
    hers: Browser, visitor: Browser, alice: Account, bob: Account, carol: Account
):
    await follows.follow(carol, bob)
    page = await hers.open("/@bob/followers")
    assert "Carol" in page.text
    answer = await hers.send_form(page, "/@carol/follow")
    assert answer.location == f"/@bob/followers#a{carol.id}"
    assert (await _between(alice, carol)).following
    assert not (await visitor.open("/@bob/followers")).forms


async def test_a_hidden_list_says_so(visitor: Browser, bob: Account, carol: Account):
    await follows.follow(carol, bob)
    await Account.filter(id=bob.id).update(hide_collections=True)
    assert "does not show this list" in (await visitor.open("/@bob/followers")).text


async def test_muted_people_are_gone_from_home(hers: Browser, alice: Account, bob: Account, his: Post):
    await mutes.mute(alice, bob)
    assert "Bob's words" not in (await hers.open("/public/local")).text
