"""What is held back, on the site: apart from the list, one page of people, and a page of the settings."""

import pytest

from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import follows, notification_policy, notification_requests, posts
from fediblog.services.composing import Draft
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

PAGE, SETTINGS = "/notifications/requests", "/settings/notifications"


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def hold_back(alice: Account, *others: Account) -> list[str]:
    """The pages of what these did while they were held back, the last one first."""
    await notification_policy.edit(alice, not_following="filter")
    for one in others:
        await follows.follow(one, alice)
        await posts.publish(one, Draft("@alice hey you"))
    return [f"{PAGE}/{one.id}" for one in await notification_requests.listing(alice, Page())]


async def test_who_is_held_back_is_not_in_the_list_but_has_a_link_there(
    hers: Browser, alice: Account, bob: Account
):
    await posts.publish(bob, Draft("@alice before"))
    assert PAGE not in (await hers.open("/notifications")).html
    (path,) = await hold_back(alice, bob)
    page = await hers.open("/notifications")
    assert "before" in page.text and "hey you" not in page.text and "followed you" not in page.text
    assert "1 person you may not know is held back" in page.text and f'href="{PAGE}"' in page.html
    waiting = await hers.open(PAGE)
    assert "Bob" in waiting.text and "2 notifications" in waiting.text
    shown = await hers.open(path)
    assert "hey you" in shown.text and "followed you" in shown.text


async def test_somebody_is_let_in_and_somebody_sent_away(
    hers: Browser, alice: Account, bob: Account, carol: Account
):
    hers_of_carol, hers_of_bob = await hold_back(alice, bob, carol)
    await hers.submit(PAGE, f"{hers_of_bob}/accept")
    page = await hers.open(PAGE)
    assert "Bob" not in page.text and "Carol" in page.text
    await hers.send_form(page, f"{hers_of_carol}/dismiss")
    assert "Nothing is held back" in (await hers.open(PAGE)).text
    page = await hers.open("/notifications")
    assert page.text.count("hey you") == 1 and "Bob followed you" in page.text


async def test_requests_are_for_their_receiver_alone(
    hers: Browser, visitor: Browser, browser_of: BrowserOf, alice: Account, bob: Account
):
    (path,) = await hold_back(alice, bob)
    await visitor.open(PAGE, 303)
    his = await browser_of(bob)
    await his.open(path, 404)
    assert "Nothing is held back" in (await his.open(PAGE)).text


async def test_the_policy_is_set_on_a_page_of_the_settings(hers: Browser, alice: Account):
    page = await hers.open(SETTINGS)
    form = page.form(SETTINGS)
    assert (form.value("not_following"), form.value("limited_accounts")) == ("accept", "filter")
    answer = await hers.submit(SETTINGS, SETTINGS, not_following="filter", new_accounts="drop")
    assert "Your changes are saved." in (await hers.follow(answer)).text
    policy = await notification_policy.get(alice)
    assert (policy.not_following, policy.new_accounts) == ("filter", "drop")
    assert (policy.not_followers, policy.limited_accounts) == ("accept", "filter")
    await hers.submit(SETTINGS, SETTINGS, 422, not_following="maybe")
    assert await notification_policy.get(alice) == policy
