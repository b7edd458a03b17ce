"""Reading: who sees what, threads, lists and their pages, profiles, notifications."""

from contextlib import suppress
from typing import Any

import pytest

from fediblog import moments
from fediblog.errors import NotFound
from fediblog.models import Account, Post, Visibility
from fediblog.services import boosts, follows, home, likes, posts, settings, views
from fediblog.services.composing import Draft
from tests.people import person
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def _four(author: Account) -> dict[Visibility, Post]:
    return {
        level: await posts.publish(author, Draft(f"Level {level.name}", visibility=level))
        for level in Visibility
    }


PUBLIC_PAGES = ["/", "/public", "/public/local", "/@bob", "/@bob/with_replies", "/@bob.rss", "/@bob.atom"]


@pytest.mark.parametrize("path", PUBLIC_PAGES)
async def test_a_stranger_reads_what_is_for_everybody_and_nothing_else(
    visitor: Browser, bob: Account, path: str
):
    await _four(bob)
    page = await visitor.open(path)

    assert "Level PUBLIC" in page.html
    assert "FOLLOWERS" not in page.html and "DIRECT" not in page.html


async def test_quiet_posts_are_on_the_profile_only(visitor: Browser, bob: Account):
    await _four(bob)
    assert "Level UNLISTED" in (await visitor.open("/@bob")).text
    assert "Level UNLISTED" not in (await visitor.open("/public")).text


async def test_a_stranger_opens_only_what_is_for_everybody(visitor: Browser, bob: Account):
    for level, post in (await _four(bob)).items():
        await visitor.open(f"/@bob/{post.id}", 200 if level <= Visibility.UNLISTED else 404)


async def test_a_follower_reads_more(hers: Browser, alice: Account, bob: Account):
    await follows.follow(alice, bob)
    found = await _four(bob)
    assert "Level FOLLOWERS" in (await hers.open("/@bob")).text
    await hers.open(f"/@bob/{found[Visibility.DIRECT].id}", 404)


async def test_lists_of_who_liked_follow_the_post(visitor: Browser, bob: Account, carol: Account):
    found = await _four(bob)
    await likes.like(bob, found[Visibility.FOLLOWERS])
    for page in ("favourites", "reblogs", "history"):
        await visitor.open(f"/@bob/{found[Visibility.FOLLOWERS].id}/{page}", 404)
        await visitor.open(f"/@bob/{found[Visibility.PUBLIC].id}/{page}")


async def test_a_server_for_members_only_shows_strangers_no_timelines(visitor: Browser, bob: Account):
    await posts.publish(bob, Draft("Hello #boats"))
    await settings.change(None, members_only=True)

    for path in ("/public", "/public/local", "/tags/boats", "/tags/boats.rss"):
        assert (await visitor.open(path, 303)).location.startswith("/auth/sign_in")
    assert "Hello" not in (await visitor.open("/")).text


async def test_signed_in_the_start_page_is_home(hers: Browser):
    assert (await hers.open("/", 303)).location == "/home"


async def test_an_empty_home_shows_what_this_server_writes(hers: Browser, bob: Account):
    await posts.publish(bob, Draft("Hello from Bob"))
    page = await hers.open("/home")
    assert "Hello from Bob" in page.text and "Nobody you follow has written" in page.text


async def test_home_shows_what_those_whom_one_follows_pass_on_once(
    hers: Browser, alice: Account, bob: Account, carol: Account
):
    dora = await person("dora")
    post = await posts.publish(bob, Draft("Worth sharing"))
    for one in (carol, dora):
        await boosts.boost(one, post)
        await follows.follow(alice, one)
        await home.backfill(alice.id, one.id)

    page = await hers.open("/home")
    assert page.text.count("Worth sharing") == 1
    assert "Dora and 1 other boosted" in page.text


async def test_pages_lead_on_and_back(visitor: Browser, bob: Account):
    for number in range(25):
        await posts.publish(bob, Draft(f"Number {number:02}"))
    first = await visitor.open("/public/local")
    older = next(link for link in first.links if "max_id=" in link)
    second = await visitor.open(f"/public/local{older}")

    assert "Number 24" in first.text and "Number 04" not in first.text
    assert "Number 04" in second.text and "Number 05" not in second.text
    newer = next(link for link in second.links if "min_id=" in link)
    assert "Number 05" in (await visitor.open(f"/public/local{newer}")).text


async def test_hashtags_have_a_page_and_a_feed(visitor: Browser, bob: Account):
    await posts.publish(bob, Draft("In the #Harbour"))
    page = await visitor.open("/tags/harbour")
    assert "In the #Harbour" in page.text
    assert "/tags/harbour.rss" in page.html
    assert "In the" in (await visitor.open("/tags/harbour.rss")).html
    assert "Nobody has used" in (await visitor.open("/tags/other")).text
    await visitor.open("/tags/" + "x" * 300, 404)


# --------------------------------------------------------------------------------------------------- threads


async def _chain(authors: list[Account], length: int) -> list[Post]:
    chain: list[Post] = []
    for number in range(length):
        parent = chain[-1].id if chain else None
        chain.append(await posts.publish(authors[number % 2], Draft(f"Step {number}", reply_to_id=parent)))
    return chain


async def test_a_post_stands_in_its_thread(visitor: Browser, alice: Account, bob: Account):
    chain = await _chain([alice, bob], 8)
    page = await visitor.open(f"/@alice/{chain[2].id}")

    places = [page.html.index(f'id="p{post.id}"') for post in chain[:7]]
    assert places == sorted(places)
    assert "Step 7" not in page.text
    assert "Continue here: 1 more reply" in page.text
    assert f'class="focus h-entry" id="p{chain[2].id}"' in page.html
    for depth, number in ((1, 4), (2, 5), (3, 6)):
        assert f'd{depth}" id="p{chain[number].id}"' in page.html


async def test_the_author_comes_before_others_in_a_thread(visitor: Browser, alice: Account, bob: Account):
    root = await posts.publish(alice, Draft("Root"))
    await posts.publish(bob, Draft("By Bob", reply_to_id=root.id))
    await posts.publish(alice, Draft("By herself", reply_to_id=root.id))
    page = await visitor.open(f"/@alice/{root.id}")
    assert page.text.index("By herself") < page.text.index("By Bob")


async def test_another_name_in_the_address_leads_to_the_right_one(visitor: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Hello"))
    assert (await visitor.open(f"/@somebody/{post.id}", 303)).location == f"/@alice/{post.id}"
    assert (await visitor.open("/@ALICE", 303)).location == "/@alice"
    assert (await visitor.open("/@alice@localhost:8000", 303)).location == "/@alice"


async def test_a_warning_hides_text_and_poll_in_a_details(visitor: Browser, alice: Account):
    post = await posts.publish(alice, Draft("The end", summary="Spoiler"))
    html = (await visitor.open(f"/@alice/{post.id}")).article(f"p{post.id}")
    before, _, inside = html.partition('<details class="cw">')
    assert "The end" not in before
    assert "Spoiler" in inside and "The end" in inside


async def test_texts_are_escaped_wherever_they_stand(visitor: Browser, browser_of: BrowserOf, bob: Account):
    evil = "<script>alert(1)</script>"
    await person("mallory", display_name=f"M{evil}")
    mallory = await Account.get(username="mallory")
    post = await posts.publish(mallory, Draft(evil, summary=evil))
    his = await browser_of(bob)
    feeds = ("/@mallory.rss", "/@mallory.atom")
    for path in ("/public", "/@mallory", f"/@mallory/{post.id}", *feeds, "/tags/%3Cscript%3E"):
        for browser in (visitor, his):
            assert "<script" not in (await browser.open(path)).html


# -------------------------------------------------------------------------------------------------- profiles


async def test_a_profile_tells_about_somebody(visitor: Browser, bob: Account):
    await Account.filter(id=bob.id).update(
        note="<p>Slow cyclist</p>",
        fields_=[{"name": "Home", "source": "x", "value": "<b>here</b>", "verified_at": moments.now()}],
    )
    page = await visitor.open("/@bob")
    for words in ("Slow cyclist", "Home", "verified", "0 followers", "@bob"):
        assert words in page.text
    assert page.title == "Bob (@bob) · fediblog"
    assert 'type="application/rss+xml"' in page.html and 'type="application/atom+xml"' in page.html
    assert 'property="og:title" content="Bob (@bob)"' in page.html


async def test_who_does_not_exist_or_is_suspended_has_no_page(visitor: Browser, bob: Account):
    await Account.filter(id=bob.id).update(suspended_at=1)
    for name in ("bob", "nobody", "bob@elsewhere.example", "x" * 31, "a.b", "-"):
        for path in (f"/@{name}", f"/@{name}.rss", f"/@{name}/followers"):
            await visitor.open(path, 404)


async def test_only_those_who_want_it_are_listed_by_search_engines(visitor: Browser, bob: Account):
    post = await posts.publish(bob, Draft("Hi"))
    for path in ("/@bob", f"/@bob/{post.id}"):
        assert 'name="robots" content="noindex"' in (await visitor.open(path)).html
    await Account.filter(id=bob.id).update(indexable=True)
    for path in ("/@bob", f"/@bob/{post.id}"):
        assert "noindex" not in (await visitor.open(path)).html


# --------------------------------------------------------------------------------------------- notifications


async def test_notifications_are_told_together_and_read_once_seen(
    hers: Browser, alice: Account, bob: Account, carol: Account
):
    post = await posts.publish(alice, Draft("My words"))
    for one in (bob, carol):
        await likes.like(one, post)
        await follows.follow(one, alice)
    answer = await posts.publish(bob, Draft("@alice well said", reply_to_id=post.id))
    assert "Notifications, 5 new" in (await hers.open("/home")).text

    page = await hers.open("/notifications")
    assert "Carol and 1 other favourited your post" in page.text
    assert "Carol and 1 other followed you" in page.text
    assert f"p{answer.id}" in page.ids
    assert page.html.count(' new"') == 2 and 'class="fresh"' in page.html

    again = await hers.open("/notifications")
    assert ' new"' not in again.html and "new Bookmarks" not in again.text


async def test_only_mentions_can_be_shown(hers: Browser, alice: Account, bob: Account):
    post = await posts.publish(alice, Draft("My words"))
    await likes.like(bob, post)
    await posts.publish(bob, Draft("@alice hey"))
    page = await hers.open("/notifications/mentions")
    assert "hey" in page.text and "favourited" not in page.text
    assert "Notifications, 2 new" in page.text, "what has not been seen stays new"


async def test_bookmarks_and_favourites_are_lists_of_ones_own(
    hers: Browser, browser_of: BrowserOf, bob: Account
):
    post = await posts.publish(bob, Draft("Keep me"))
    page = await hers.open(f"/@bob/{post.id}")
    await hers.send_form(page, f"/@bob/{post.id}/bookmark")
    await hers.send_form(page, f"/@bob/{post.id}/favourite")
    his = await browser_of(bob)
    for path in ("/bookmarks", "/favourites"):
        assert "Keep me" in (await hers.open(path)).text
        assert "Keep me" not in (await his.open(path)).text


# ----------------------------------------------------------------------------------------------------- about


async def test_the_start_page_says_what_this_is(visitor: Browser, database: None):
    await settings.change(None, title="Harbour", short_description="For people with boats.")
    await settings.add_rule(None, "Be kind.", "Also at sea.")
    for path in ("/", "/about"):
        page = await visitor.open(path)
        for words in ("Harbour", "Be kind.", "Also at sea."):
            assert words in page.text
    assert (await visitor.open("/about")).title == "About · Harbour"


async def test_robots_are_told_where_nothing_is(visitor: Browser):
    assert "Disallow: /settings/" in (await visitor.open("/robots.txt")).html


@pytest.mark.parametrize("page", ["", "/favourites", "/reblogs", "/history", "/delete"])
async def test_a_post_deleted_while_its_page_is_made_is_not_there(
    hers: Browser, alice: Account, page: str, monkeypatch: pytest.MonkeyPatch
):
    post = await posts.publish(alice, Draft("Soon gone"))
    find = views.entries

    async def too_late(*args: Any) -> Any:
        with suppress(NotFound):
            await posts.delete(alice, post.id)
        return await find(*args)

    monkeypatch.setattr(views, "entries", too_late)
    await hers.open(f"/@alice/{post.id}{page}", 404)
