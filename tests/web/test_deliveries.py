"""Where a post went, in words, for its author alone; and moving."""

import pytest

from fediblog import db, ids, moments, uris
from fediblog.activitypub import delivery
from fediblog.models import Account
from fediblog.services import posts
from fediblog.services.composing import Draft
from tests.harness.fediverse import Fediverse
from tests.people import PASSWORD
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf


async def _sent(author: Account, post_id: int, *inboxes: str) -> None:
    number = ids.new()
    async with db.transaction():
        await db.execute(
            "INSERT INTO activity (id, uri, account_id, post_id, kind, body, created_at)"
            " VALUES ($1, $2, $3, $4, 'Create', $5, $6)",
            *(number, uris.activity_uri(number), author.id, post_id, b"{}", moments.now()),
        )
        await delivery.enqueue(number, inboxes)
    await delivery.drain()


async def test_the_author_sees_where_a_post_arrived_and_tries_the_rest_again(
    browser_of: BrowserOf, alice: Account, fediverse: Fediverse
):
    fediverse.knows(alice.key_id, alice.public_key)
    fediverse.server("good.example")
    fediverse.server("down.example").down = True
    fediverse.server("stern.example").inbox_status = 403
    post = await posts.publish(alice, Draft("Hello"))
    await _sent(alice, post.id, *(f"https://{name}.example/inbox" for name in ("good", "down", "stern")))
    browser = await browser_of(alice)
    path = f"/@alice/{post.id}/deliveries"
    page = await browser.open(path)
    assert "1 server has it, 1 still to come, 1 failed." in page.text
    assert "no connection; next try in" in page.text
    assert "it does not take anything from here" in page.text
    assert path in (await browser.open(f"/@alice/{post.id}")).links

    fediverse.server("down.example").down = False
    fediverse.server("stern.example").inbox_status = 202
    done = await browser.submit(path, path)
    await delivery.drain()
    assert "3 servers have it." in (await browser.open(done.location)).text


async def test_nobody_else_sees_it(browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account):
    post = await posts.publish(alice, Draft("Hello"))
    browser = await browser_of(bob)
    await browser.open(f"/@alice/{post.id}/deliveries", 404)
    page = await visitor.open(f"/@alice/{post.id}/deliveries", 303)
    assert "/auth/sign_in" in page.location


async def test_a_post_that_went_nowhere_says_so(browser_of: BrowserOf, alice: Account):
    post = await posts.publish(alice, Draft("Hello"))
    page = await (await browser_of(alice)).open(f"/@alice/{post.id}/deliveries")
    assert "has gone to no other server" in page.text


@pytest.fixture
async def rita(fediverse: Fediverse, alice: Account) -> str:
    """Somebody elsewhere who calls alice an alias of hers."""
    fediverse.server("remote.example").actor("rita", alsoKnownAs=[alice.uri])
    return "rita@remote.example"


async def test_an_alias_is_added_and_removed(browser_of: BrowserOf, alice: Account, rita: str):
    browser = await browser_of(alice)
    await browser.submit("/settings/moving", "/settings/moving/aliases", handle=rita)
    assert (await Account.get(id=alice.id)).also_known_as == ["https://remote.example/users/rita"]
    assert f"@{rita}" in (await browser.open("/settings/moving")).text
    await browser.submit("/settings/moving", "/settings/moving/aliases/remove")
    assert (await Account.get(id=alice.id)).also_known_as == []
    page = await browser.submit(
        "/settings/moving", "/settings/moving/aliases", 404, handle="nobody@remote.example"
    )
    assert 'value="nobody@remote.example"' in page.html


async def test_one_moves_with_the_password_and_can_come_back(
    browser_of: BrowserOf, visitor: Browser, alice: Account, rita: str
):
    browser = await browser_of(alice)
    form = ("/settings/moving", "/settings/moving")
    page = await browser.submit(*form, 422, target=rita, password="wrong")
    assert "This is not your password." in page.text
    await browser.submit(*form, target=f"@{rita}", password=PASSWORD)
    assert "You have moved" in (await browser.open("/settings/moving")).text
    assert f"has moved to @{rita}" in (await visitor.open("/@alice")).text
    await browser.submit("/settings/moving", "/settings/moving/back")
    assert "has moved to" not in (await visitor.open("/@alice")).text


async def test_who_does_not_name_us_as_an_alias_is_not_moved_to(
    browser_of: BrowserOf, alice: Account, fediverse: Fediverse
):
    fediverse.server("remote.example").actor("otto")
    browser = await browser_of(alice)
    page = await browser.submit(
        "/settings/moving", "/settings/moving", 422, target="otto@remote.example", password=PASSWORD
    )
    assert "does not name this one as an alias" in page.text
    assert (await Account.get(id=alice.id)).moved_to_id is None
