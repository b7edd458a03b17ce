"""Cards as apps and browsers see them: the words of a page, and its picture through our cache."""

import pytest
from quart import Quart

from fediblog import db, uris
from fediblog.models import Account
from fediblog.services import cards, domain_rules, domains, posts, tokens
from fediblog.services.composing import Draft
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from tests.harness.fediverse import Fediverse, Peer
from tests.people import user_of
from tests.web.browser import Browser
from tests.web.conftest import jpeg

pytestmark = pytest.mark.once

PAGE = "https://news.example/story"
PICTURE = "https://news.example/picture.jpg"
HTML = (
    f"""<meta property="og:title" content="A <b>story</b>"><meta property="og:image" content="{PICTURE}">"""
)


@pytest.fixture
async def news(fediverse: Fediverse, database: None) -> Peer:
    domains.forget()
    peer = fediverse.server("news.example")
    peer.answers[PAGE] = (200, "text/html", HTML.encode())
    peer.answers[PICTURE] = (200, "image/jpeg", jpeg(320, 240))
    return peer


async def _shown(alice: Account, source: str = f"see {PAGE}", **options: bool) -> int:
    post = await posts.publish(alice, Draft(source, **options))
    await cards.look(await db.value("SELECT id FROM link_card"))
    return post.id


async def test_an_app_gets_every_field_of_a_card(app: Quart, alice: Account, news: Peer):
    post = await posts.publish(alice, Draft(f"see {PAGE}"))
    token = await tokens.create(alice, await user_of(alice), "read")
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    status = await (await client.get(f"/api/v1/statuses/{post.id}", headers=headers)).get_json()
    assert status["card"] is None

    number = await db.value("SELECT id FROM link_card")
    await cards.look(number)
    status = await (await client.get(f"/api/v1/statuses/{post.id}", headers=headers)).get_json()
    assert status["card"] == {
        "url": PAGE,
        "title": "A <b>story</b>",
        "description": "",
        "language": None,
        "type": "link",
        "author_name": "",
        "author_url": "",
        "authors": [],
        "provider_name": "",
        "provider_url": "",
        "html": "",
        "width": 0,
        "height": 0,
        "image": uris.absolute(uris.remote("cards", number, PICTURE)),
        "image_description": "",
        "embed_url": "",
        "blurhash": None,
        "published_at": None,
    }


async def test_the_page_stands_under_the_post_as_plain_words(visitor: Browser, alice: Account, news: Peer):
    number = await _shown(alice)
    page = await visitor.open(f"/@alice/{number}")
    assert PAGE in page.links
    assert "A &lt;b&gt;story&lt;/b&gt;" in page.html
    assert "/media/remote/cards/" in page.html


async def test_a_sensitive_post_shows_no_picture_of_the_page(visitor: Browser, alice: Account, news: Peer):
    number = await _shown(alice, sensitive=True)
    page = await visitor.open(f"/@alice/{number}")
    assert "A &lt;b&gt;story" in page.html
    assert "/media/remote/cards/" not in page.html


async def test_the_picture_is_fetched_when_somebody_looks_who_was_shown_it(
    app: Quart, alice: Account, news: Peer
):
    await _shown(alice)
    number = await db.value("SELECT id FROM link_card")
    assert len(news.asked) == 1
    client = app.test_client()
    for path in (
        f"/media/remote/cards/{number}",
        f"/media/remote/cards/{number}?k=x",
        "/media/remote/cards/1",
    ):
        assert (await client.get(path)).status_code == 404
    assert len(news.asked) == 1

    answer = await client.get(uris.remote("cards", number, PICTURE))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


async def test_no_picture_comes_of_a_server_whose_media_are_not_wanted(
    app: Quart, alice: Account, news: Peer
):
    await _shown(alice)
    number = await db.value("SELECT id FROM link_card")
    await domain_rules.make(Rule("news.example", Level.NONE, reject_media=True), None)
    assert (await app.test_client().get(uris.remote("cards", number, PICTURE))).status_code == 404
