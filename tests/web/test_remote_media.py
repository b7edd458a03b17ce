"""Files of other servers as a browser and an app get them, and names and texts with their emoji."""

import re
from collections.abc import Awaitable, Callable

import orjson
import pytest
from quart import Quart, Response

from fediblog import uris
from fediblog.api import rendering
from fediblog.models import Account, Media, Post, Visibility
from fediblog.services import domain_rules, domains, follows, views
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from fediblog.text import name_with_emoji, with_emoji
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote
from tests.services.making import post
from tests.web.browser import Browser
from tests.web.conftest import BrowserOf, jpeg

pytestmark = pytest.mark.once

URL = "https://far.example/picture.jpg"
FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"x" * 100


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    domains.forget()
    made = fediverse.server("far.example")
    made.answers[URL] = (200, "image/jpeg", jpeg(320, 240))
    return made


@pytest.fixture
async def dave(database: None) -> Account:
    emojis = [{"shortcode": "cat", "url": URL}]
    return await remote(
        "dave",
        "far.example",
        display_name="Dave :cat: <b>",
        avatar_remote_url=URL,
        header_remote_url=URL,
        emojis=emojis,
    )


async def posted(
    author: Account, visibility: Visibility = Visibility.PUBLIC, **columns
) -> tuple[Post, Media]:
    emojis = [{"shortcode": "cat", "url": URL}]
    made = await post(author, visibility, emojis=emojis, content="<p>A :cat: here</p>", summary="CW :cat:")
    columns = {"kind": "image", "state": "ready", "remote_url": URL, **columns}
    return made, await Media.create(account_id=author.id, post_id=made.id, **columns)


async def get(app: Quart, path: str, **options) -> Response:
    return await app.test_client().get(path, **options)


Get = Callable[[str], Awaitable[Response]]


async def test_a_file_comes_with_its_type_in_a_box_and_is_kept(app, peer, dave):
    _, media = await posted(dave)
    path = uris.remote("attachments", media.id, URL)
    for address in (path, uris.small(path)):
        response = await get(app, address)
        assert response.status_code == 200
        assert response.content_type == "image/jpeg"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(peer.asked) == 1


async def test_without_the_key_it_is_kept_for_a_short_while(app, peer, dave):
    response = await get(app, f"/media/remote/avatars/{dave.id}")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "private, max-age=3600")


async def test_a_part_of_a_film_can_be_had(app, peer, dave):
    peer.answers[URL] = (200, "video/mp4", FILM)
    _, media = await posted(dave, kind="video")
    response = await get(app, f"/media/remote/attachments/{media.id}", headers={"Range": "bytes=0-9"})
    assert (response.status_code, await response.get_data()) == (206, FILM[:10])
    assert response.content_type == "video/mp4"


@pytest.mark.parametrize(
    "path",
    [
        "attachments/1",
        "attachments/1/small",
        f"attachments/{1 << 70}",
        "attachments/-1",
        "attachments/x",
        "avatars/1",
        "avatars/1/small",
        "headers/1",
        "emoji/accounts/1/cat",
        "emoji/posts/1/cat",
        "emoji/posts/1",
        "avatars/https://far.example/picture.jpg",
        f"avatars/1?url={URL}",
        "",
    ],
)
async def test_what_no_row_names_is_not_there_and_nobody_is_asked(app, peer, path):
    response = await get(app, f"/media/remote/{path}")
    assert response.status_code == 404
    assert peer.asked == []


async def test_what_cannot_be_had_is_404_for_a_minute(app, peer, dave):
    peer.down = True
    response = await get(app, f"/media/remote/avatars/{dave.id}?k={uris.remote_key('avatars', dave.id, URL)}")
    assert (response.status_code, response.headers["Cache-Control"]) == (404, "private, max-age=60")


async def test_a_private_picture_is_for_who_may_see_it(app, peer, dave, alice, bob, browser_of: BrowserOf):
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    _, media = await posted(dave, Visibility.FOLLOWERS)
    path = f"/media/remote/attachments/{media.id}"
    assert (await get(app, path)).status_code == 404
    assert (await (await browser_of(bob)).client.get(path)).status_code == 404
    assert peer.asked == []
    assert (await (await browser_of(alice)).client.get(path)).status_code == 200
    assert (await get(app, path)).status_code == 404
    assert (await get(app, uris.remote("attachments", media.id, URL))).status_code == 200


async def test_of_a_blocked_server_nothing_is_shown_that_is_here_already(app, peer, dave):
    path = uris.remote("avatars", dave.id, URL)
    assert (await get(app, path)).status_code == 200
    await domain_rules.make(Rule("far.example", Level.SUSPEND), None)
    assert (await get(app, path)).status_code == 404


# ------------------------------------------------------------------------------------------------ the pages


async def test_a_page_shows_faces_pictures_and_emoji_through_us_alone(app, peer, dave, alice, browser_of):
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    made, media = await posted(dave)
    film = await Media.create(
        account_id=dave.id,
        post_id=made.id,
        kind="video",
        state="ready",
        remote_url="https://far.example/f.mp4",
        remote_preview_url=URL,
        description="Waves",
        position=1,
    )
    browser: Browser = await browser_of(alice)
    page = await browser.open(f"/@dave@far.example/{made.id}")
    sources = re.findall(r'<img[^>]* src="([^"]*)"', page.html)
    assert all(source.startswith(("/media/", "/static/")) for source in sources), sources
    kinds = {re.sub(r"\d+", "N", source.partition("?")[0]) for source in sources}
    assert {
        "/media/remote/attachments/N/small",
        "/media/remote/avatars/N",
        "/media/remote/emoji/posts/N/cat",
        "/media/remote/emoji/accounts/N/cat",
    } <= kinds
    assert f'href="/media/remote/attachments/{film.id}?k=' in page.html
    assert "Dave <img" in page.html and "&lt;b&gt;" in page.html
    assert page.html.count('alt=":cat:"') >= 3
    for source in sources:
        response = await browser.client.get(source.replace("&amp;", "&"))
        assert response.status_code == 200, source
    assert f"/media/remote/attachments/{media.id}" in page.html


async def test_a_profile_shows_banner_and_emoji(app, peer, dave, alice, browser_of):
    page = await (await browser_of(alice)).open("/@dave@far.example")
    assert f'class="hero" src="/media/remote/headers/{dave.id}?k=' in page.html
    assert 'alt=":cat:"' in page.html


# ------------------------------------------------------------------------------------------------ the API


async def test_apps_get_our_addresses_and_theirs(app, peer, dave):
    made, media = await posted(dave, blurhash="x", description="A cat")
    unknown = await Media.create(
        account_id=dave.id, post_id=made.id, kind="unknown", state="ready", remote_url=URL, position=1
    )
    entity = orjson.loads(
        (await rendering.statuses(list((await views.entries([made.id], None)).values()), None))[0]
    )
    shown, other = entity["media_attachments"]
    base = f"http://localhost:8000/media/remote/attachments/{media.id}"
    assert shown["url"].startswith(f"{base}?k=") and shown["preview_url"].startswith(f"{base}/small?k=")
    assert shown["remote_url"] == URL
    assert (other["id"], other["url"], other["preview_url"], other["remote_url"]) == (
        str(unknown.id),
        None,
        None,
        URL,
    )
    assert entity["emojis"] == [emoji_of(f"posts/{made.id}", entity["emojis"][0]["url"])]
    account = entity["account"]
    assert account["emojis"] == [emoji_of(f"accounts/{dave.id}", account["emojis"][0]["url"])]
    for name in ("avatar", "avatar_static", "header", "header_static"):
        assert f"/media/remote/{name.removesuffix('_static')}s/{dave.id}?k=" in account[name]


def emoji_of(whose: str, url: str) -> dict[str, object]:
    assert url.startswith(f"http://localhost:8000/media/remote/emoji/{whose}/cat?k=")
    return {"shortcode": "cat", "url": url, "static_url": url, "visible_in_picker": False, "category": None}


# ----------------------------------------------------------------------------------------- emoji in texts

CAT = {"cat": "/media/remote/emoji/posts/1/cat?k=1&x=2"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("html", "pictures"),
    [
        ("<p>:cat:</p>", 1),
        ("<p>:cat::cat: and:cat:</p>", 3),
        ("<p>:dog: :cat</p>", 0),
        ('<p><a href="https://x.example/:cat:" title="a > b :cat:">:cat:</a></p>', 1),
        ("<p><code>:cat:</code> :cat:</p><pre>:cat:</pre>", 1),
        ("<code>a <em>:cat:</em></code>", 0),
        ("<p>1 < 2 :cat:</p>", 0),
        ("", 0),
    ],
)
def test_emoji_become_pictures_in_texts_alone(html, pictures):
    made = with_emoji(html, CAT)
    assert made.count("<img") == pictures
    assert re.sub(r'<img class="emoji" src="[^"]*" alt="(:cat:)"[^>]*>', r"\1", made) == html


@pytest.mark.once
def test_nothing_of_an_emoji_gets_out_of_its_attributes():
    made = name_with_emoji(':a"onerror=x: :cat: <script>', {'a"onerror=x': '"><script>', **CAT})
    assert "<script" not in made and '"onerror' not in made
    assert 'src="/media/remote/emoji/posts/1/cat?k=1&amp;x=2"' in made
