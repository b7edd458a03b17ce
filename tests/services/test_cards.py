"""Cards: which links are looked at, when, by whom, and what is kept of a page."""

from typing import Any

import orjson
import pytest

from fediblog import db, moments
from fediblog.api import rendering
from fediblog.models import Account, Post, Visibility
from fediblog.services import cards, domain_rules, posts, receiving, upkeep, views
from fediblog.services.composing import Draft
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from fediblog.services.incoming import Attachment
from fediblog.text.pages import describe
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote
from tests.services.elsewhere import said
from tests.services.making import owed

pytestmark = pytest.mark.usefixtures("database")

PAGE = "https://news.example/story"
HTML = """<!doctype html><html lang="en-GB"><head><title>Not this</title>
<meta property="og:title" content="A &lt;b&gt;story&lt;/b&gt;">
<meta name="description" content="What it tells">
<meta property="og:site_name" content="The News"><meta property="og:image" content="/picture.png">
<meta property="og:image:width" content="1200"><meta property="og:image:height" content="630">
<meta property="og:image:alt" content="A bridge"><meta name="author" content="Ann">
<meta property="article:published_time" content="2026-01-01T00:00:00Z"></head><body>x</body></html>"""


@pytest.fixture
def news(fediverse: Fediverse) -> Peer:
    peer = fediverse.server("news.example")
    peer.answers[PAGE] = (200, "text/html; charset=utf-8", HTML.encode())
    return peer


@pytest.fixture
async def rita() -> Account:
    return await remote("rita", "remote.example")


async def write(author: Account, source: str = f"see {PAGE}", **options: Any) -> Post:
    return await posts.publish(author, Draft(source, **options))


async def links() -> list[str]:
    return await db.column("SELECT c.url FROM post_card p JOIN link_card c ON c.id = p.card_id")


async def look() -> None:
    for key in await owed("card"):
        await cards.look(int(key))
        async with db.transaction():
            await db.execute("DELETE FROM work WHERE kind = 'card' AND key = $1", key)


async def test_a_page_is_shown_under_the_post_as_a_new_version_of_it(alice: Account, news: Peer):
    post = await write(alice)
    before = await views.body(post.id)
    assert before.link is None
    await look()

    body = await views.body(post.id)
    assert body.version > before.version
    link = body.link
    assert link is not None
    assert (link.url, link.title, link.description) == (PAGE, "A <b>story</b>", "What it tells")
    assert (link.provider_name, link.author_name, link.language) == ("The News", "Ann", "en")
    assert (link.image_url, link.image_description) == ("https://news.example/picture.png", "A bridge")
    assert (link.width, link.height, link.published_at) == (1200, 630, 1_767_225_600_000)
    assert link.path.startswith(f"/media/remote/cards/{link.id}?k=")


async def test_one_look_serves_all_posts_for_a_while(alice: Account, bob: Account, news: Peer):
    first, second = await write(alice), await write(bob, f"also {PAGE}#part")
    await look()
    third = await write(alice)
    assert await owed("card") == []
    assert len(news.asked) == 1
    for post in (first, second, third):
        assert (await views.body(post.id)).link is not None

    async with db.transaction():
        await db.execute("UPDATE link_card SET fetched_at = $1", moments.now() - cards.KEPT)
    version = (await views.body(first.id)).version
    await write(alice)
    await look()
    assert len(news.asked) == 2
    assert (await views.body(first.id)).version == version


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f'<p><a href="{PAGE}">a</a> <a href="https://other.example/">b</a></p>', [PAGE]),
        (f'<a class="u-url mention" href="https://x.example/@a">@a</a> <a href="{PAGE}">a</a>', [PAGE]),
        ('<a href="https://x.example/@a">@<span>a</span></a>', []),
        ('<a href="https://x.example/tags/a" rel="tag">#a</a><a href="https://x.example/b">#b</a>', []),
        ('<a href="https://remote.example/file.png">file</a>', []),
        ('<a href="https://remote.example/quoted">RE: this</a>', []),
        ('<a href="http://localhost:8000/@alice">ours</a> <a href="mailto:a@b.example">m</a>', []),
        ('<a href="http://127.0.0.1/">inside</a> <a href="javascript:alert(1)">x</a>', []),
        ('<a href="https://x.example:99/">port</a> <a href="https://[bad/">bad</a>', []),
    ],
)
async def test_the_first_link_that_is_a_page_counts(rita: Account, content: str, expected: list[str]):
    file = Attachment("https://remote.example/file.png", "image")
    quoted = "https://remote.example/quoted"
    await receiving.receive(rita, said(rita, content=content, attachments=(file,), quote_uri=quoted))
    assert await links() == expected


async def test_nobody_is_asked_for_what_only_a_few_may_read(alice: Account, rita: Account):
    content = f'<a href="{PAGE}">a</a>'
    await write(alice, f"@alice {PAGE}", visibility=Visibility.DIRECT)
    for level in (Visibility.FOLLOWERS, Visibility.DIRECT):
        await receiving.receive(rita, said(rita, content=content, visibility=level))
    assert await links() == await owed("card") == []

    await write(alice, visibility=Visibility.FOLLOWERS)
    assert await links() == [PAGE]


async def test_it_can_be_switched_off(alice: Account, configure: Any):
    configure(limits__link_previews=False)
    await write(alice)
    assert await links() == []


async def test_pages_are_not_asked_at_once_for_posts_from_elsewhere(alice: Account, rita: Account):
    await receiving.receive(rita, said(rita, content=f'<a href="{PAGE}">a</a>'))
    wait = await db.value("SELECT not_before FROM work WHERE kind = 'card'") - moments.now()
    assert moments.MINUTE - moments.SECOND < wait <= 10 * moments.MINUTE

    await write(alice)
    assert await db.value("SELECT not_before FROM work WHERE kind = 'card'") <= moments.now()


async def test_an_edit_changes_the_card_or_takes_it_off(alice: Account, news: Peer):
    post = await write(alice)
    await look()
    await posts.edit(alice, post.id, Draft("see https://other.example/"))
    assert await links() == ["https://other.example/"]
    await posts.edit(alice, post.id, Draft("nothing"))
    assert await links() == []
    assert (await views.body(post.id)).link is None


async def test_what_cannot_be_had_shows_nothing_and_is_left_alone_for_a_day(alice: Account, news: Peer):
    for answer in ((404, "text/html", b"<title>x</title>"), (200, "image/png", b""), (200, "text/html", b"")):
        news.answers[PAGE] = answer
        post = await write(alice)
        await look()
        assert (await views.body(post.id)).link is None
        await write(alice)
        assert await owed("card") == []
        async with db.transaction():
            await db.execute("UPDATE link_card SET fetched_at = NULL")
    news.answers[PAGE] = (200, "text/html", HTML.encode())
    await write(alice)
    await look()
    news.down = True
    async with db.transaction():
        await db.execute("UPDATE link_card SET fetched_at = 1")
    await write(alice)
    await look()
    assert (await views.body(post.id)).link is not None


async def test_a_blocked_server_is_not_asked(alice: Account, news: Peer):
    async with db.transaction():
        sql = "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, $1, 'suspend', 1)"
        await db.execute(sql, "news.example")
    await write(alice)
    await look()
    assert news.asked == []


async def test_oembed_fills_in_what_the_page_does_not_say_and_its_html_is_dropped(alice: Account, news: Peer):
    link = (
        '<link rel="alternate" type="application/json+oembed" href="/oembed"><title>Film &amp; sound</title>'
    )
    news.answers[PAGE] = (200, "text/html", link.encode())
    answer = {
        "title": "Another",
        "author_name": "Ann",
        "author_url": "javascript:alert(1)",
        "provider_name": "Films",
        "provider_url": "https://films.example/",
        "thumbnail_url": "http://127.0.0.1/x.png",
        "html": "<script>alert(1)</script>",
    }
    news.answers["https://news.example/oembed"] = (200, "application/json", orjson.dumps(answer))
    post = await write(alice)
    await look()
    found = (await views.body(post.id)).link
    assert found is not None
    assert (found.title, found.author_name, found.author_url) == ("Film & sound", "Ann", "")
    assert (found.provider_name, found.provider_url, found.image_url) == (
        "Films",
        "https://films.example/",
        "",
    )
    assert "alert" not in repr(found)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"author_name": 5}', b"null"])
async def test_an_oembed_that_is_none_changes_nothing(alice: Account, news: Peer, body: bytes):
    link = '<title>T</title><link type="application/json+oembed" href="/oembed">'
    news.answers[PAGE] = (200, "text/html", link.encode())
    news.answers["https://news.example/oembed"] = (200, "application/json", body)
    post = await write(alice)
    await look()
    found = (await views.body(post.id)).link
    assert found is not None
    assert (found.title, found.author_name) == ("T", "")


@pytest.mark.parametrize(
    "published", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z"]
)
async def test_a_date_that_nobody_can_read_is_none(alice: Account, news: Peer, published: str):
    html = f'<title>T</title><meta property="article:published_time" content="{published}">'
    news.answers[PAGE] = (200, "text/html", html.encode())
    post = await write(alice)
    await look()
    found = await posts.entries([post.id], alice)
    (status,) = await rendering.statuses(list(found.values()), alice)
    assert orjson.loads(status)["card"]["published_at"] is None


@pytest.mark.parametrize("charset", ["undefined", "idna", "unicode_escape", "utf-7", "punycode", "rot13"])
async def test_codecs_that_are_no_charsets_are_not_asked(alice: Account, news: Peer, charset: str):
    news.answers[PAGE] = (200, f"text/html; charset={charset}", b"<title>A\\ud800+2AA-B-</title>")
    post = await write(alice)
    await look()
    found = (await views.body(post.id)).link
    assert found is not None and found.title == "A\\ud800+2AA-B-"


async def test_a_server_with_which_we_do_not_speak_is_not_asked_by_oembed_either(
    alice: Account, news: Peer, fediverse: Fediverse
):
    other = fediverse.server("refused.example")
    async with db.transaction():
        await domain_rules.make(Rule("refused.example", Level.SUSPEND), None)
    link = '<title>T</title><link type="application/json+oembed" href="https://refused.example/oembed">'
    news.answers[PAGE] = (200, "text/html", link.encode())
    await write(alice)
    await look()
    assert other.asked == []


def test_pages_are_read_as_they_come():
    assert describe("<title>a\n <b>b</b></title>").title == "a <b>b</b>"
    assert describe("<title>endless").title == ""
    assert (
        describe('<meta name="twitter:title" content="t"><meta property="og:title" content="o">').title == "o"
    )
    assert len(describe(f"<title>{'x' * 1000}</title>").title) == 300
    assert describe('<meta property="og:title" content="a&#8238;b">').title == "ab"
    assert describe("").title == describe("<" * 10_000).title == ""


async def test_cards_that_nobody_links_to_go(alice: Account, news: Peer):
    post = await write(alice)
    await look()
    async with db.transaction():
        await db.execute("UPDATE link_card SET fetched_at = 1")
    assert (await upkeep.prune())["cards"] == 0
    await posts.delete(alice, post.id)
    assert (await upkeep.prune())["cards"] == 1
