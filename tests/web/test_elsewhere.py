"""Pages about people and posts of other servers: what may be missing, the originals, and what is fetched."""

from collections.abc import Callable

import pytest

from fediblog.activitypub import errands, resolver
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.config import Config
from fediblog.db import column
from fediblog.models import Account, Visibility
from fediblog.services import accounts, follows, posts
from fediblog.services.composing import Draft
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import remote
from tests.services import making
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

PROFILE = "/@rita@remote.example"


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    return fediverse.server("remote.example")


@pytest.fixture
def rita(peer: Peer) -> Node:
    return peer.actor("rita")


def _wrote(peer: Peer, rita: Node, *notes: Node) -> None:
    peer.keep({"id": rita["outbox"], "type": "OrderedCollection", "orderedItems": list(notes)})


async def _work_off() -> int:
    """Do what is owed to curiosity; gives how much that was."""
    owed = await column("SELECT key FROM work WHERE kind = 'resolve'")
    for key in owed:
        await errands.resolve(key)
    return len(owed)


async def test_the_first_look_at_somebody_elsewhere_fetches_what_they_wrote(
    browser_of: BrowserOf, alice: Account, peer: Peer, rita: Node
):
    _wrote(peer, rita, peer.note(rita, "<p>Fresh from the outbox</p>"))
    await resolver.actor(rita["id"])
    browser = await browser_of(alice)
    page = await browser.open(PROFILE)
    assert "More posts are being fetched from remote.example" in page.text
    assert "No posts of Rita are known here yet" in page.text

    assert await _work_off() == 1
    page = await browser.open(PROFILE)
    assert "Fresh from the outbox" in page.text
    assert "being fetched" not in page.text
    assert "Older posts may be missing here" in page.text
    assert rita["url"] in page.links


async def test_other_pages_of_a_profile_fetch_nothing(
    browser_of: BrowserOf, visitor: Browser, alice: Account, peer: Peer, rita: Node
):
    await resolver.actor(rita["id"])
    browser = await browser_of(alice)
    for path in (f"{PROFILE}/media", f"{PROFILE}/followers", f"{PROFILE}?max_id=1", "/@alice"):
        page = await browser.open(path)
        assert "being fetched" not in page.text
    await visitor.open(PROFILE, 302)
    assert await _work_off() == 0


async def test_lists_of_people_elsewhere_say_that_they_are_not_whole(
    browser_of: BrowserOf, alice: Account, rita: Node
):
    await resolver.actor(rita["id"])
    browser = await browser_of(alice)
    page = await browser.open(f"{PROFILE}/followers")
    assert "Only those whom this server knows" in page.text
    assert "Only those" not in (await browser.open("/@alice/followers")).text


async def test_opening_a_post_of_another_server_asks_for_its_answers(
    browser_of: BrowserOf, alice: Account, peer: Peer, rita: Node
):
    note = peer.note(rita, url=f"{peer.base}/@rita/1")
    answer = peer.note(rita, "<p>And then</p>", inReplyTo=note["id"])
    note["replies"] = {"type": "Collection", "id": f"{note['id']}/replies", "items": [answer["id"]]}
    post = await resolver.post(note["id"])
    assert post is not None
    browser = await browser_of(alice)
    path = f"{PROFILE}/{post.id}"
    assert "Replies are being fetched from remote.example" in (await browser.open(path)).text

    assert await _work_off() == 1
    page = await browser.open(path)
    assert "And then" in page.text
    assert "Replies from other servers may be missing here" in page.text
    assert page.links.count(note["url"]) == 2


async def test_of_what_is_for_few_no_answers_are_asked_for(
    browser_of: BrowserOf, alice: Account, peer: Peer, rita: Node
):
    note = peer.note(rita, to=[alice.uri], cc=[], tag=[{"type": "Mention", "href": alice.uri}])
    post = await resolver.post(note["id"])
    assert post is not None and post.visibility is Visibility.DIRECT
    browser = await browser_of(alice)
    assert "being fetched" not in (await browser.open(f"{PROFILE}/{post.id}")).text
    assert await _work_off() == 0


async def test_posts_of_other_servers_lead_to_their_original_and_ours_do_not(
    browser_of: BrowserOf, alice: Account, bob: Account, peer: Peer, rita: Node
):
    await posts.publish(bob, Draft("Local"))
    await resolver.post(peer.note(rita, url=f"{peer.base}/@rita/1", to=[PUBLIC])["id"])
    browser = await browser_of(alice)
    assert f"{peer.base}/@rita/1" in (await browser.open(PROFILE)).links
    assert "Open original" not in (await browser.open("/@bob")).text


async def test_who_has_moved_is_followed_at_the_new_place(
    browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account
):
    rita = await remote("rita", "remote.example")
    otto = await remote("otto", "other.example", moved_to_id=rita.id)
    browser = await browser_of(alice)
    page = await browser.open("/@otto@other.example")
    assert "Otto has moved to @rita@remote.example" in page.text
    assert PROFILE in page.links
    assert "/@otto@other.example/follow" not in [form.action for form in page.forms]
    # What is put away is not linked to, and those who follow already may end that.
    await Account.filter(id=rita.id).update(suspended_at=1)
    assert "has moved" not in (await browser.open("/@otto@other.example")).text
    await accounts.change(bob.id, {"moved_to_id": otto.id})
    page = await visitor.open("/@bob")
    assert f"/interact/{bob.id}" not in page.links


async def test_visitors_follow_and_answer_from_where_they_are(visitor: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Answer me"))
    assert f"/interact/{alice.id}" in (await visitor.open("/@alice")).links
    page = await visitor.open(f"/@alice/{post.id}")
    assert page.links.count(f"/interact/{post.id}") == 2
    assert any(link.startswith("/auth/sign_in") for link in page.links)
    page = await visitor.open(f"/interact/{post.id}")
    assert any(link.startswith("/auth/sign_in") for link in page.links)


async def test_without_federation_visitors_sign_in(
    browser_of: BrowserOf, visitor: Browser, alice: Account, rita: Node, configure: Callable[..., Config]
):
    post = await making.post(alice)
    await resolver.actor(rita["id"])
    configure(federation__enabled=False)
    for path in ("/@alice", f"/@alice/{post.id}"):
        page = await visitor.open(path)
        assert not [link for link in page.links if link.startswith("/interact/")]
    assert "being fetched" not in (await (await browser_of(alice)).open(PROFILE)).text


async def test_those_who_follow_somebody_who_moved_can_end_it(
    browser_of: BrowserOf, alice: Account, bob: Account, carol: Account
):
    await follows.follow(alice, bob)
    await accounts.change(bob.id, {"moved_to_id": carol.id})
    page = await (await browser_of(alice)).open("/@bob")
    assert page.form("/@bob/unfollow")


async def test_the_old_names_of_the_moving_page_lead_to_it(browser_of: BrowserOf, alice: Account):
    browser = await browser_of(alice)
    for name in ("aliases", "migration"):
        assert (await browser.open(f"/settings/{name}", 303)).location == "/settings/moving"
