"""People of other servers are led on to their own."""

import orjson
import pytest

from fediblog.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON
from fediblog.models import Account, Visibility
from fediblog.services import posts
from fediblog.services.composing import Draft
from tests.harness.fediverse import Fediverse, Peer
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

_FINGER = "https://remote.example/.well-known/webfinger?resource=acct:rita@remote.example"


def _says(peer: Peer, template: str) -> None:
    links = [
        {"rel": "self", "type": ACTIVITY_JSON, "href": f"{peer.base}/users/rita"},
        {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template},
    ]
    document = orjson.dumps({"subject": "acct:rita@remote.example", "links": links})
    peer.answers[_FINGER] = (200, JRD_JSON, document)


async def _sent(visitor: Browser, number: int, handle: str, status: int = 200) -> str:
    path = f"/interact/{number}"
    page = await visitor.submit(path, path, status, handle=handle)
    return page.html


async def test_a_visitor_is_shown_the_way_to_the_own_server(
    visitor: Browser, alice: Account, fediverse: Fediverse
):
    _says(fediverse.server("remote.example"), "https://remote.example/authorize_interaction?uri={uri}")
    post = await posts.publish(alice, Draft("Answer me"))
    for number, quoted in (
        (post.id, f"http%3A%2F%2Flocalhost%3A8000%2Fap%2Fposts%2F{post.id}"),
        (alice.id, f"http%3A%2F%2Flocalhost%3A8000%2Fap%2Faccounts%2F{alice.id}"),
    ):
        html = await _sent(visitor, number, "@rita@remote.example")
        assert f'href="https://remote.example/authorize_interaction?uri={quoted}"' in html


async def test_nobody_is_led_to_another_server_than_the_own(
    visitor: Browser, alice: Account, fediverse: Fediverse
):
    for template in ("https://evil.example/?u={uri}", "javascript:alert({uri})", "https://remote.example/"):
        _says(fediverse.server("remote.example"), template)
        html = await _sent(visitor, alice.id, "rita@remote.example", 404)
        assert "has no page for this" in html
        assert "evil.example" not in html and "javascript:" not in html


async def test_what_is_no_handle_is_refused_and_kept_in_the_field(
    visitor: Browser, alice: Account, fediverse: Fediverse
):
    html = await _sent(visitor, alice.id, "rita", 422)
    assert 'value="rita"' in html
    await _sent(visitor, alice.id, "nobody@remote.example", 503)


async def test_members_go_straight_to_the_page(browser_of: BrowserOf, alice: Account, bob: Account):
    browser = await browser_of(bob)
    assert (await browser.open(f"/interact/{alice.id}", 303)).location == "/@alice"


async def test_what_is_not_for_everybody_is_not_there(visitor: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Not you", visibility=Visibility.FOLLOWERS))
    await visitor.open(f"/interact/{post.id}", 404)
    await visitor.open("/interact/1", 404)
