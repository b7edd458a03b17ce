"""Filters on the site: set on a page of the settings, and what they do to the lists of posts."""

import pytest

from fediblog.models import Account, Post
from fediblog.services import filters, follows, home, posts
from fediblog.services.composing import Draft as PostDraft
from fediblog.services.filters import Draft, KeywordDraft
from fediblog.services.matching import Action, Context, Filter
from tests.services import making
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf

pytestmark = pytest.mark.once

PAGE = "/settings/filters"


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def write(author: Account, source: str, reply_to: Post | None = None) -> Post:
    made = await posts.publish(author, PostDraft(source, reply_to_id=reply_to.id if reply_to else None))
    await home.fan_out(made.id)
    return made


async def against(
    account: Account, *words: str, action: str = "warn", places: tuple[str, ...] = tuple(Context)
) -> Filter:
    draft = Draft("Pets & co", places, action, keywords=[KeywordDraft(word) for word in words])
    return await filters.create(account, draft)


async def test_a_filter_is_made_changed_and_removed(hers: Browser, alice: Account):
    answer = await hers.submit(
        PAGE,
        PAGE,
        title="Pets",
        keyword="cat\r\n\r\n dog ",
        thread="1",
        filter_action="hide",
        expires_in="3600",
    )
    (made,) = await filters.listing(alice)
    assert "Your changes are saved." in (await hers.follow(answer)).text
    assert (made.title, made.action) == ("Pets", Action.HIDE)
    assert made.contexts == (Context.HOME, Context.PUBLIC, Context.THREAD)
    assert [(word.keyword, word.whole_word) for word in made.keywords] == [("cat", True), ("dog", True)]
    assert made.expires_at and "2 words · until" in (await hers.open(PAGE)).text

    path = f"{PAGE}/{made.id}"
    form = (await hers.open(path)).form(path)
    assert (form.value("keyword").split(), form.value("home"), form.value("thread")) == (
        ["cat", "dog"],
        "1",
        "1",
    )
    await hers.submit(path, path, keyword="Dog\nbird", home=None, whole_word=None, expires_in="")
    (changed,) = await filters.listing(alice)
    assert (changed.contexts, changed.expires_at) == ((Context.PUBLIC, Context.THREAD), None)
    assert [(word.keyword, word.whole_word) for word in changed.keywords] == [("Dog", False), ("bird", False)]
    assert changed.keywords[0].id == made.keywords[1].id

    await hers.submit(PAGE, f"{path}/delete")
    assert await filters.listing(alice) == []
    await hers.open(path, 404)


async def test_saving_without_a_change_changes_nothing(hers: Browser, alice: Account, bob: Account):
    made = await against(alice, "cat", action="blur")
    await filters.add_keyword(alice, made.id, "dog", False)
    await filters.mark(alice, made.id, (await making.post(bob)).id)
    before = await filters.get(alice, made.id)
    await hers.submit(f"{PAGE}/{made.id}", f"{PAGE}/{made.id}")
    assert await filters.get(alice, made.id) == before


async def test_faults_keep_what_was_typed(hers: Browser, alice: Account):
    page = await hers.submit(PAGE, PAGE, 422, title="x" * 257, keyword="cat", home="1")
    assert "A title can have at most 256 characters." in page.text
    assert page.form(PAGE).value("keyword").strip() == "cat"
    page = await hers.submit(PAGE, PAGE, 422, title="Pets", keyword=" ")
    assert "There is no word to look for." in page.text
    page = await hers.submit(PAGE, PAGE, 422, title="Pets", keyword="cat", home=None, public=None)
    assert "A filter needs a place where it works." in page.text
    assert await filters.listing(alice) == []


async def test_the_filters_of_others_cannot_be_opened_changed_or_removed(hers: Browser, bob: Account):
    made = await against(bob, "cat")
    path = f"{PAGE}/{made.id}"
    await hers.open(path, 404)
    token = await hers.token()
    await hers.post(path, [("csrf", token), ("title", "mine")], 404)
    await hers.post(f"{path}/delete", [("csrf", token)], 404)
    assert await filters.listing(bob) == [made]


async def test_posts_are_folded_under_the_title_or_left_out_where_the_filter_works(
    hers: Browser, alice: Account, bob: Account
):
    await follows.follow(alice, bob)
    mine, his = await write(alice, "my cat"), await write(bob, "his <cat>")
    reply = await write(bob, "@alice that cat", mine)
    made = await against(alice, "cat", places=("home", "thread", "notifications"))

    home_page = await hers.open("/home")
    assert "Filtered: Pets &amp; co" in home_page.article(f"p{his.id}")
    assert "Filtered" not in home_page.article(f"p{mine.id}")
    thread = await hers.open(f"/@alice/{mine.id}")
    assert "Filtered: Pets &amp; co" in thread.article(f"p{reply.id}")
    assert "Filtered" in (await hers.open("/notifications")).text
    for elsewhere in ("/public", "/@bob", f"/@bob/{his.id}"):
        assert "Filtered" not in (await hers.open(elsewhere)).text

    await filters.edit(alice, made.id, Draft(contexts=tuple(Context), action="hide"))
    for place in ("/home", "/public", "/@bob", f"/@alice/{mine.id}", "/notifications"):
        page = await hers.open(place)
        assert not {f"p{his.id}", f"p{reply.id}"} & set(page.ids) and "that cat" not in page.text, place
    assert f"p{mine.id}" in (await hers.open("/home")).ids
    assert f"p{his.id}" in (await hers.open(f"/@bob/{his.id}")).ids
