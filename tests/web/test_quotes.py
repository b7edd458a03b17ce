"""Quotes on the site: written from a post, shown in it once, listed, and taken back. All without a script."""

from typing import Any

import pytest

from fediblog.models import Account, Consent, Post, Quotable, Visibility
from fediblog.services import blocks, filters, posts
from fediblog.services.composing import Draft
from fediblog.services.filters import KeywordDraft
from tests.people import remote, user_of
from tests.services.making import post
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def write(author: Account, source: str = "Hello", **more: Any) -> Post:
    return await posts.publish(author, Draft(source, **more))


def path(author: Account, made: Post) -> str:
    return f"/@{author.handle}/{made.id}"


async def test_a_post_leads_to_a_form_that_quotes_it(hers: Browser, alice: Account, bob: Account):
    quoted = await write(bob, "Quote me")
    assert f"/publish?quote={quoted.id}" in (await hers.open(path(bob, quoted))).links
    form = await hers.open(f"/publish?quote={quoted.id}")
    assert "Quote me" in form.text
    await hers.submit(f"/publish?quote={quoted.id}", "/publish", source="Look", quote_policy="followers")

    made = await Post.get(author_id=alice.id)
    assert (made.quote_of_id, made.quote_state) == (quoted.id, Consent.ACCEPTED)
    assert made.quote_policy == Quotable.FOLLOWERS


async def test_nobody_is_led_to_quote_what_may_not_be_quoted(hers: Browser, bob: Account):
    closed = await write(bob, quote_policy=Quotable.NOBODY)
    assert f"/publish?quote={closed.id}" not in (await hers.open(path(bob, closed))).links
    answer = await hers.submit(f"/publish?quote={closed.id}", "/publish", 422, source="My words")
    assert "My words" in answer.html
    assert "does not let you quote" in answer.text and await Post.all().count() == 1
    hidden = await write(bob, visibility=Visibility.FOLLOWERS)
    await hers.open(f"/publish?quote={hidden.id}", 404)


async def test_a_quote_is_a_card_in_the_post_for_everybody(hers: Browser, visitor: Browser, alice, bob):
    quoted = await write(bob, "Quote me")
    made = await write(alice, "Look", quoted_id=quoted.id)
    for reader in (hers, visitor):
        for page in (path(alice, made), "/public/local", "/@alice"):
            html = (await reader.open(page)).article(f"p{made.id}")
            assert html.count('<blockquote class="quoted"') == 1 and "Quote me" in html
            assert "quote-inline" not in html and path(bob, quoted) in html


async def test_the_link_of_another_server_is_not_shown_beside_the_card(hers: Browser, alice: Account, bob):
    quoted = await write(bob, "Quote me")
    rita = await remote("rita", "remote.example")
    text = f'<p>Look</p><p class="quote-inline">RE: <a href="{quoted.url}">there</a></p>'
    made = await post(
        rita,
        uri="https://remote.example/1",
        content=text,
        quote_of_id=quoted.id,
        quote_uri=quoted.uri,
        quote_state=Consent.ACCEPTED,
    )
    page = path(rita, made)
    assert "RE:" not in (await hers.open(page)).article(f"p{made.id}")
    await Post.filter(id=made.id).update(quote_state=Consent.NONE)
    html = (await hers.open(page)).article(f"p{made.id}")
    assert "RE:" in html and "Quote me" not in html and "blockquote" not in html


@pytest.mark.parametrize("state", [Consent.PENDING, Consent.REJECTED, Consent.REVOKED])
async def test_what_is_not_agreed_to_is_not_shown(hers: Browser, visitor: Browser, alice, bob, state):
    quoted = await write(bob, "Quote me")
    made = await write(alice, "Look", quoted_id=quoted.id)
    assert "Quote me" in (await visitor.open("/@alice")).text
    await Post.filter(id=made.id).update(quote_state=state)
    for reader in (hers, visitor):
        page = await reader.open("/@alice")
        assert "Quote me" not in page.text
        assert "author" in page.article(f"p{made.id}")


async def test_what_one_may_not_see_is_not_in_a_quote(
    browser_of: BrowserOf, visitor: Browser, alice: Account, bob: Account, carol: Account
):
    quoted = await write(bob, "Secret")
    made = await write(alice, "Look", quoted_id=quoted.id)
    hers = await browser_of(carol)
    for reader in (hers, visitor):
        assert "Secret" in (await reader.open(path(alice, made))).text
    await Post.filter(id=quoted.id).update(visibility=Visibility.FOLLOWERS)
    for reader in (hers, visitor):
        page = await reader.open(path(alice, made))
        assert "Secret" not in page.html and "not for you to see" in page.text
    await posts.remove(await Post.get(id=quoted.id))
    assert "has been deleted" in (await visitor.open(path(alice, made))).text


async def test_blocks_and_filters_of_the_reader_fold_the_quote(browser_of: BrowserOf, alice, bob, carol):
    made = await write(alice, "Look", quoted_id=(await write(bob, "A spoiler")).id)
    hers = await browser_of(carol)
    await blocks.block(carol, bob)
    assert "You have blocked the author" in (await hers.open(path(alice, made))).text
    await blocks.unblock(carol, bob)
    words = [KeywordDraft("spoiler", True)]
    await filters.create(carol, filters.Draft("Enough", ["public"], "hide", keywords=words))
    html = (await hers.open("/public/local")).article(f"p{made.id}")
    assert "Look" in html and "Filtered: Enough" in html


async def test_a_quote_of_a_quote_is_named_only(hers: Browser, alice: Account, bob: Account):
    first = await write(bob, "Innermost")
    second = await write(alice, "Middle", quoted_id=first.id)
    third = await write(bob, "Outermost", quoted_id=second.id)
    html = (await hers.open(path(bob, third))).article(f"p{third.id}")
    assert "Middle" in html and "Innermost" not in html and "Quotes another post" in html


async def test_who_is_quoted_hears_of_it_lists_it_and_takes_it_back(
    hers: Browser, browser_of: BrowserOf, alice: Account, bob: Account
):
    quoted = await write(alice, "Quote me")
    made = await write(bob, "Look", quoted_id=quoted.id)
    assert f"p{made.id}" in (await hers.open("/notifications")).ids
    page = f"{path(alice, quoted)}/quotes"
    assert page in (await hers.open(path(alice, quoted))).links
    assert f"p{made.id}" in (await hers.open(page)).ids

    action = f"{page}/{made.id}/revoke"
    others = await (await browser_of(bob)).open(page)
    assert f"p{made.id}" in others.ids and action not in [form.action for form in others.forms]
    answer = await hers.submit(page, action)
    assert "Nobody quotes this post" in (await hers.follow(answer)).text
    assert (await Post.get(id=made.id)).quote_state is Consent.REVOKED


async def test_the_quotes_of_a_hidden_post_are_not_there(hers: Browser, visitor: Browser, bob: Account):
    hidden = await write(bob, visibility=Visibility.FOLLOWERS)
    await hers.open(f"{path(bob, hidden)}/quotes", 404)
    assert (await visitor.open(f"{path(bob, hidden)}/quotes", 303)).location.startswith("/auth/sign_in")


async def test_an_edit_keeps_the_quote_and_may_change_who_may_quote(hers: Browser, alice: Account, bob):
    quoted = await write(bob)
    made = await write(alice, "Look", quoted_id=quoted.id, quote_policy=Quotable.FOLLOWERS)
    form = await hers.open(f"{path(alice, made)}/edit")
    assert (
        next(one for one in form.forms if one.action.endswith("/edit")).value("quote_policy") == "followers"
    )
    edit = f"{path(alice, made)}/edit"
    await hers.submit(edit, edit, source="", quote_policy="nobody")
    made = await Post.get(id=made.id)
    assert (made.source, made.quote_of_id, made.quote_policy) == ("", quoted.id, Quotable.NOBODY)


async def test_a_deleted_quote_is_written_again_as_one(hers: Browser, alice: Account, bob: Account):
    quoted = await write(bob)
    made = await write(alice, "Look", quoted_id=quoted.id)
    where = f"{path(alice, made)}/delete"
    page = await hers.submit(where, where, 200, redraft="1")
    form = next(one for one in page.forms if one.action == "/publish")
    assert form.value("quoted") == str(quoted.id)


async def test_who_may_usually_quote_is_a_setting(hers: Browser, alice: Account):
    await hers.submit("/settings/posting", "/settings/posting", default_quote_policy="nobody")
    assert (await user_of(alice)).default_quote_policy == Quotable.NOBODY
    form = (await hers.open("/publish")).forms
    assert next(one for one in form if one.action == "/publish").value("quote_policy") == "nobody"
    await hers.submit("/settings/posting", "/settings/posting", 422, default_quote_policy="x")


async def test_an_edit_of_what_one_quotes_is_a_notification(hers: Browser, alice: Account, bob: Account):
    quoted = await write(bob)
    await write(alice, "Look", quoted_id=quoted.id)
    await posts.edit(bob, quoted.id, Draft("Bye"))
    assert "edited a post that you quoted" in (await hers.open("/notifications")).text


async def test_feeds_lead_to_what_is_quoted(visitor: Browser, alice: Account, bob: Account):
    quoted = await write(bob)
    await write(alice, "Look", quoted_id=quoted.id)
    assert f"RE: &lt;a href=&#34;{quoted.url}" in (await visitor.open("/@alice.rss")).html
