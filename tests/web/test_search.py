"""The search page, the way in from other servers, and pages of people who live elsewhere."""

from fediblog import http
from fediblog.models import Account, Visibility
from fediblog.services import posts
from fediblog.services.composing import Draft
from tests.harness.fediverse import Fediverse
from tests.people import remote
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

RITA = "https://remote.example/users/rita"


async def test_people_and_hashtags_are_found(visitor: Browser, alice: Account):
    await posts.publish(alice, Draft("#alicante"))
    page = await visitor.open("/search?q=ali")
    assert "/@alice" in page.links
    assert "/tags/alicante" in page.links
    assert "Nothing of that name" in (await visitor.open("/search?q=zzz")).text


async def test_posts_are_found_by_their_words_by_members(
    browser_of: BrowserOf, visitor: Browser, alice: Account
):
    await posts.publish(alice, Draft("Something about lighthouses"))
    page = await (await browser_of(alice)).open("/search?q=lighthouses -cheese")
    assert "Something about lighthouses" in page.text
    assert "Something about" not in (await visitor.open("/search?q=lighthouses")).text


async def test_a_handle_elsewhere_is_looked_up_and_can_be_followed(
    browser_of: BrowserOf, alice: Account, fediverse: Fediverse
):
    fediverse.server("remote.example").actor("rita")
    browser = await browser_of(alice)
    page = await browser.open("/search?q=@rita@remote.example")
    assert page.form("/@rita@remote.example/follow")


async def test_why_somebody_elsewhere_was_not_to_be_had_is_told(
    browser_of: BrowserOf, alice: Account, fediverse: Fediverse
):
    browser = await browser_of(alice)
    page = await browser.open("/search?q=@rita@down.example")
    assert http.Unreachable.default in page.text


async def test_the_address_of_a_post_leads_to_it(browser_of: BrowserOf, alice: Account, fediverse: Fediverse):
    peer = fediverse.server("remote.example")
    note = peer.note(peer.actor("rita"), "<p>Found</p>")
    browser = await browser_of(alice)
    for path in (f"/search?q={note['id']}", f"/authorize_interaction?uri={note['id']}"):
        page = await browser.open(path, 303)
        assert page.location.startswith("/@rita@remote.example/")
        assert "Found" in (await browser.open(page.location)).text


async def test_other_servers_send_our_people_to_whom_they_want_to_follow(
    browser_of: BrowserOf, visitor: Browser, alice: Account, fediverse: Fediverse
):
    fediverse.server("remote.example").actor("rita")
    browser = await browser_of(alice)
    for uri in ("acct:rita@remote.example", RITA):
        assert (await browser.open(f"/authorize_interaction?uri={uri}", 303)).location == (
            "/@rita@remote.example"
        )
    await browser.open("/authorize_interaction?uri=", 404)
    assert "/auth/sign_in" in (await visitor.open(f"/authorize_interaction?uri={RITA}", 303)).location


async def test_a_visitor_reads_people_of_other_servers_there(visitor: Browser, alice: Account):
    rita = await remote("rita", "remote.example")
    for path in ("/@rita@remote.example", "/@rita@remote.example/followers"):
        page = await visitor.open(path, 302)
        assert page.location == rita.url
        assert page.headers["X-Robots-Tag"] == "noindex"


async def test_a_handle_nobody_here_knows_leads_members_to_the_search(
    browser_of: BrowserOf, visitor: Browser, alice: Account
):
    browser = await browser_of(alice)
    page = await browser.open("/@rita@remote.example", 303)
    assert page.location == "/search?q=%40rita%40remote.example"
    await visitor.open("/@rita@remote.example", 404)


async def test_a_post_that_one_may_not_see_is_not_found_by_its_address(
    browser_of: BrowserOf, alice: Account, bob: Account, fediverse: Fediverse
):
    secret = await posts.publish(bob, Draft("secret", visibility=Visibility.FOLLOWERS))
    browser = await browser_of(alice)
    page = await browser.open(f"/search?q={secret.uri}")
    assert "Nothing of that name" in page.text
