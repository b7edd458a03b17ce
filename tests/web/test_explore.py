"""Exploring: what many talk about, who wants to be found, and the staff's page about it."""

import pytest

from fediblog.models import Account
from fediblog.services import likes, posts, trending, trends
from fediblog.services.composing import Draft
from fediblog.services.trending import Kind
from tests.people import person
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once


@pytest.fixture
async def talk(database: None) -> None:
    crowd = [await person(f"person{number}") for number in range(trending.FEW)]
    made = [await posts.publish(one, Draft("about #Ours")) for one in crowd]
    for one in crowd:
        await likes.like(one, made[0])
    await trending.compute()


async def test_the_staff_lets_pass_what_visitors_then_see(
    browser_of: BrowserOf, visitor: Browser, talk: None
) -> None:
    staff = await browser_of(await person("mona", role="moderator"))
    assert "about #Ours" not in (await visitor.open("/explore")).text
    page = await staff.open("/admin/trends")
    assert "#Ours" in page.text and "Nobody has looked at it" in page.text
    for kind in (Kind.TAG, Kind.POST):
        (one,) = await trends.standing(kind)
        await staff.submit("/admin/trends", f"/admin/trends/{kind.value}/{one.id}/allow")
    assert "about #Ours" in (await visitor.open("/explore")).text
    shown = await visitor.open("/explore/tags")
    assert "#Ours" in shown.text and "3 people" in shown.text
    (one,) = await trends.standing(Kind.TAG)
    await staff.submit("/admin/trends", f"/admin/trends/tag/{one.id}/refuse")
    assert "#Ours" not in (await visitor.open("/explore/tags")).text


async def test_only_the_staff_says_what_may_be_shown(
    browser_of: BrowserOf, alice: Account, talk: None
) -> None:
    (one,) = await trends.standing(Kind.TAG)
    hers = await browser_of(alice)
    await hers.open("/admin/trends", 403)
    path = f"/admin/trends/tag/{one.id}/allow"
    await hers.post(path, [("csrf", await hers.token())], 403)
    assert await trends.hashtags(None, 10) == []


async def test_people_who_want_to_be_found_are_listed_those_who_wrote_last_first(
    visitor: Browser, talk: None
) -> None:
    await Account.filter(username="person1").update(discoverable=False)
    text = (await visitor.open("/explore/people")).text
    assert text.index("@person2") < text.index("@person0")
    assert "@person1" not in text
