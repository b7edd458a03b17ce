"""Conversations, scheduled posts and announcements on the site."""

from typing import Any

import pytest

from fediblog import db, moments
from fediblog.models import Account, Post, Visibility
from fediblog.services import blocks, conversations, posts, scheduled
from fediblog.services.composing import Draft
from fediblog.services.scheduled import Scheduled
from tests.harness.statements import recorded
from tests.services.making import announced
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

PAGE, LATER, TOLD = "/conversations", "/scheduled", "/announcements"


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def write(author: Account, source: str, **more: Any) -> Post:
    return await posts.publish(author, Draft(source, visibility=Visibility.DIRECT, **more))


async def talk_of(account: Account) -> conversations.Conversation:
    (found,) = await conversations.listing(account, conversations.Page())
    return found


async def later(author: Account, source: str) -> Scheduled:
    return await scheduled.schedule(author, Draft(source), moments.now() + moments.HOUR)


async def test_a_conversation_is_new_until_it_is_opened(hers: Browser, alice: Account, bob: Account):
    assert "only to each other" in (await hers.open(PAGE)).text and PAGE in (await hers.open("/home")).links
    first = await write(bob, "@alice Lunch?")
    one = await talk_of(alice)
    page = await hers.open(PAGE)
    assert "New Bob" in page.text and "Lunch?" in page.text and 'class="notice new"' in page.html
    opened = await hers.open(f"{PAGE}/{one.id}", 303)
    assert opened.location == f"/@bob/{first.id}#post"
    assert 'class="notice new"' not in (await hers.open(PAGE)).html

    answer = await write(alice, "@bob Yes", reply_to_id=first.id)
    assert "You: @bob Yes" in (await hers.open(PAGE)).text
    await write(bob, "@alice At one", reply_to_id=answer.id)
    path = f"{PAGE}/{one.id}"
    await hers.submit(PAGE, f"{path}/read")
    assert not (await talk_of(alice)).unread and "Mark as read" not in (await hers.open(PAGE)).text
    await hers.submit(PAGE, f"{path}/remove")
    assert "At one" not in (await hers.open(PAGE)).text and await posts.get(first.id, alice)
    await hers.open(path, 404)


async def test_conversations_are_for_those_who_take_part_and_may_see_it(
    hers: Browser, browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account, carol: Account
):
    await write(bob, "@alice Lunch?")
    path = f"{PAGE}/{(await talk_of(alice)).id}"
    others = await browser_of(carol)
    csrf = [("csrf", await others.token())]
    assert "Lunch?" not in (await others.open(PAGE)).text
    await others.open(path, 404)
    for verb in ("read", "remove"):
        await others.post(f"{path}/{verb}", csrf, 404)
    assert (await talk_of(alice)).unread
    assert (await visitor.open(PAGE, 303)).location.startswith("/auth/sign_in")

    await blocks.block(alice, bob)
    assert "Lunch?" not in (await hers.open(PAGE)).text
    await hers.open(path, 404)


async def test_more_conversations_ask_no_more(hers: Browser, alice: Account, bob: Account, carol: Account):
    async def asked() -> int:
        await hers.open(PAGE)
        with recorded() as sent:
            await hers.open(PAGE)
        return len(sent)

    await write(bob, "@alice One")
    before = await asked()
    for author in (bob, carol, carol):
        await write(author, "@alice @bob Another")
    assert await asked() == before


async def test_a_scheduled_post_gets_another_time_and_is_deleted(hers: Browser, alice: Account):
    assert "Nothing waits" in (await hers.open(LATER)).text and LATER in (await hers.open("/publish")).links
    one = await later(alice, "Good morning")
    path = f"{LATER}/{one.id}"
    page = await hers.open(LATER)
    assert "Good morning" in page.text
    when = page.form(f"{path}/move").value("scheduled_at")
    assert moments.iso(one.scheduled_at).startswith(when)

    await hers.submit(LATER, f"{path}/move", scheduled_at="2031-02-03T04:05")
    moved = await scheduled.get(alice, one.id)
    assert moments.iso(moved.scheduled_at) == "2031-02-03T04:05:00.000Z"
    for wrong, sentence in (("2001-01-01T00:00", "five minutes"), ("soon", "a day and a time")):
        refused = await hers.submit(LATER, f"{path}/move", 422, scheduled_at=wrong)
        assert sentence in refused.text and refused.form(f"{path}/move").value("scheduled_at") == wrong
    assert await scheduled.get(alice, one.id) == moved

    gone = await hers.submit(LATER, f"{path}/delete")
    assert "before anybody saw it" in (await hers.follow(gone)).text
    assert "Good morning" not in (await hers.open(LATER)).text


async def test_scheduled_posts_are_nobody_elses_and_say_why_they_failed(
    hers: Browser, browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account
):
    one = await later(alice, "Good morning")
    his = await browser_of(bob)
    fields = [("csrf", await his.token()), ("scheduled_at", "2031-02-03T04:05")]
    assert "Good morning" not in (await his.open(LATER)).text
    for verb in ("move", "delete"):
        await his.post(f"{LATER}/{one.id}/{verb}", fields, 404)
    assert await scheduled.get(alice, one.id) == one
    assert (await visitor.open(LATER, 303)).location.startswith("/auth/sign_in")

    async with db.transaction():
        await db.execute("UPDATE scheduled_post SET error = 'That is gone.' WHERE id = $1", one.id)
    assert "It was not published: That is gone." in (await hers.open(LATER)).text


async def test_announcements_are_put_away_for_oneself(
    hers: Browser, browser_of: BrowserOf, visitor: Browser, bob: Account
):
    assert "nothing to say" in (await hers.open(TOLD)).text
    assert TOLD in (await hers.open("/notifications")).links
    number = await announced("We move on <b>Sunday</b>.")
    draft = await announced("A draft", published_at=None)
    page = await hers.open(TOLD)
    assert "We move on <b>Sunday</b>." in page.text and "A draft" not in page.text
    await hers.submit(TOLD, f"{TOLD}/{number}/dismiss")
    assert 'class="notice new"' not in (await hers.open(TOLD)).html
    his = await browser_of(bob)
    assert 'class="notice new"' in (await his.open(TOLD)).html
    await his.post(f"{TOLD}/{draft}/dismiss", [("csrf", await his.token())], 404)
    assert (await visitor.open(TOLD, 303)).location.startswith("/auth/sign_in")
