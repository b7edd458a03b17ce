"""The cache of other servers' files: what is fetched, how often, how long it stays, and what is refused."""

import asyncio
import io
from collections import namedtuple
from collections.abc import Callable

import pytest
from PIL import Image

from fediblog import db, moments, storage, uris
from fediblog.config import Config
from fediblog.errors import NotFound, Unavailable
from fediblog.models import Account, Media, Post, Visibility
from fediblog.services import (
    cached_files,
    domain_rules,
    domains,
    follows,
    media_cache,
    orphans,
    remote_files,
    upkeep,
)
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from fediblog.services.remote_files import Recipe, Wanted
from tests.harness.fediverse import Fediverse, Peer
from tests.people import remote
from tests.services.making import post
from tests.web.conftest import jpeg

URL = "https://far.example/picture.jpg"
FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0" * 100
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    domains.forget()


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    """A server with a picture."""
    made = fediverse.server("far.example")
    made.answers[URL] = (200, "image/jpeg", jpeg(800, 600))
    return made


@pytest.fixture
async def dave(database: None) -> Account:
    return await remote("dave", "far.example", avatar_remote_url=URL, header_remote_url=URL)


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (width, height), (9, 9, 9, 100)).save(buffer, "PNG")
    return buffer.getvalue()


def gif() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("P", (64, 32), colour) for colour in (1, 200, 77)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


async def got(recipe: Recipe = Recipe.PICTURE, url: str = URL, small: bool = False) -> str:
    return await media_cache.get(Wanted(url, recipe, small))


def opened(key: str) -> Image.Image:
    with Image.open(storage.current().path(key)) as image:
        image.load()
        return image


def there(key: str) -> bool:
    return storage.current().path(key).is_file()


async def row() -> db.Row:
    found = await db.row("SELECT * FROM cached_file")
    assert found is not None
    return found


async def set_all(column: str, value: int) -> None:
    async with db.transaction():
        await db.execute(f"UPDATE cached_file SET {column} = $1", value)


def left_over() -> list[str]:
    return [path.name for path in storage.current().workshop.iterdir()]


# ------------------------------------------------------------------------------------------------ fetching


async def test_a_picture_is_made_anew_and_has_a_small_one(peer):
    whole, small = await got(), await got(small=True)
    assert opened(whole).size == (800, 600)
    assert max(opened(small).size) < 600
    assert storage.current().path(whole).read_bytes() != peer.answers[URL][2]
    found = await row()
    sizes = [storage.current().path(key).stat().st_size for key in (whole, small)]
    assert (found["bytes"], found["mime"], found["state"]) == (sum(sizes), "image/jpeg", "ready")
    assert len(peer.asked) == 1 and left_over() == []


@pytest.mark.parametrize(
    ("recipe", "size"), [(Recipe.AVATAR, (400, 400)), (Recipe.HEADER, (1500, 500)), (Recipe.EMOJI, (128, 64))]
)
async def test_faces_banners_and_emoji_have_their_sizes(peer, recipe, size):
    peer.answers[URL] = (200, "image/png", png(512, 256))
    assert opened(await got(recipe)).size == size


async def test_what_moves_stands_still(peer):
    peer.answers[URL] = (200, "image/gif", gif())
    for recipe in (Recipe.PICTURE, Recipe.EMOJI, Recipe.AVATAR):
        assert opened(await got(recipe)).format == "PNG" or recipe is Recipe.AVATAR
    assert opened(await got(Recipe.EMOJI)).size == (64, 32)


async def test_films_and_sounds_stay_as_they_came(peer):
    peer.answers[URL] = (200, "application/octet-stream", FILM)
    key = await got(Recipe.FILM)
    assert key.endswith(".mp4") and storage.current().path(key).read_bytes() == FILM


async def test_many_at_once_ask_the_other_server_once(peer):
    keys = await asyncio.gather(*(got() for _ in range(10)))
    assert len(set(keys)) == 1 and len(peer.asked) == 1


async def test_who_hangs_up_does_not_end_it_for_others(peer):
    first = asyncio.create_task(got())
    await asyncio.sleep(0)
    second = asyncio.create_task(got())
    await asyncio.sleep(0.005)
    first.cancel()
    assert there(await second) and len(peer.asked) == 1


async def test_too_many_at_once_are_told_to_come_again(peer, monkeypatch):
    monkeypatch.setattr(media_cache, "_MOST_AT_ONCE", 0)
    with pytest.raises(Unavailable):
        await got()
    assert peer.asked == []


async def test_a_file_that_vanished_from_the_disk_comes_again(peer):
    key = await got()
    await storage.current().remove(key)
    again = await got()
    assert again != key and there(again) and len(peer.asked) == 2
    assert await db.value("SELECT count(*) FROM cached_file") == 1


REFUSED = {
    "not there": (404, "image/jpeg", b""),
    "a page": (200, "text/html", b"<html>"),
    "svg": (200, "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "svg called a jpeg": (200, "image/jpeg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "a film called a picture": (200, "image/jpeg", FILM),
    "half a picture": (200, "image/jpeg", jpeg(800, 600)[:300]),
    "nothing": (200, "image/jpeg", b""),
    "too much": (200, "image/jpeg", b"\xff\xd8\xff" + b"\0" * (8 * 1024 * 1024)),
    "a document of theirs": (200, "application/activity+json", b"{}"),
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
async def test_what_is_no_picture_is_not_there_and_leaves_nothing(peer, answer):
    peer.answers[URL] = answer
    for _ in range(3):
        with pytest.raises(NotFound):
            await got()
    found = await row()
    assert (found["state"], found["bytes"], found["file"]) == ("failed", 0, "")
    assert len(peer.asked) == 1 and left_over() == []


@pytest.mark.parametrize("body", [b"<html>", jpeg(10, 10), b"\0\0\0\x18ftypqt  ", b"%PDF-1.4"])
async def test_what_is_no_film_is_not_there(peer, body):
    peer.answers[URL] = (200, "video/mp4", body)
    with pytest.raises(NotFound):
        await got(Recipe.FILM)
    assert (await row())["error"] == "content" and left_over() == []


async def test_a_server_that_is_down_is_left_in_peace_for_a_while(peer):
    peer.down = True
    for _ in range(2):
        with pytest.raises(NotFound):
            await got()
    assert len(peer.asked) == 1
    assert 0 < (await row())["again_at"] - moments.now() <= 10 * moments.MINUTE
    peer.down = False
    await set_all("again_at", moments.now() - 1)
    assert there(await got())
    assert (await row())["state"] == "ready"


async def test_what_will_stay_wrong_is_left_in_peace_longer(peer):
    peer.answers[URL] = (410, "text/plain", b"")
    with pytest.raises(NotFound):
        await got()
    assert (await row())["again_at"] > moments.now() + moments.HOUR


@pytest.mark.parametrize(
    "url", ["http://far.example/a", "https://127.0.0.1/a", "https://[::1]/a", "file:///etc"]
)
async def test_addresses_that_nobody_may_ask_are_not_asked(fediverse, url):
    with pytest.raises(NotFound):
        await got(url=url)
    assert (await row())["state"] == "failed"


# ------------------------------------------------------------------------------------------------ bounds


async def fill(peer: Peer, number: int) -> list[str]:
    """So many pictures, each looked at a day after the one before."""
    keys = []
    for place in range(number):
        url = f"https://far.example/{place}.jpg"
        peer.answers[url] = (200, "image/jpeg", jpeg(60, 40))
        keys.append(await got(url=url))
        used = moments.now() - (number - place) * moments.DAY
        async with db.transaction():
            await db.execute("UPDATE cached_file SET used_at = $2 WHERE url = $1", url, used)
    return keys


async def test_the_least_used_make_room_for_the_new(peer, configure: Callable[..., Config]):
    configure(limits__media_cache_megabytes="16")
    keys = await fill(peer, 3)
    async with db.transaction():
        await db.execute("UPDATE cached_file SET bytes = $1", 16 * 1024**2 // 3)
    new = await got()
    assert [there(key) for key in keys] == [False, True, True]
    assert there(new)


async def test_looking_keeps_a_file(peer, configure: Callable[..., Config]):
    keys = await fill(peer, 3)
    assert await got(url="https://far.example/0.jpg") == keys[0]
    configure(limits__media_cache_days="1")
    assert await cached_files.prunable() == (2, sum(await db.column("SELECT bytes FROM cached_file LIMIT 2")))
    assert (await upkeep.prune_media())["cached_files"] == 2
    assert [there(key) for key in keys] == [True, False, False]
    assert (await upkeep.prune_media())["cached_files"] == 0


async def test_looking_costs_no_write_each_time(peer, queries):
    await got()
    with queries() as sent:
        await got()
    assert not [sql for sql in sent.sql if "UPDATE" in sql]


async def test_what_is_over_the_bound_goes_in_upkeep(peer, configure: Callable[..., Config]):
    keys = await fill(peer, 4)
    configure(limits__media_cache_megabytes="16")
    async with db.transaction():
        await db.execute("UPDATE cached_file SET bytes = $1", 6 * 1024**2)
    assert await cached_files.prunable() == (2, 12 * 1024**2)
    assert await cached_files.prune() == 2
    assert [there(key) for key in keys] == [False, False, True, True]


async def test_on_a_disk_that_is_nearly_full_nothing_new_is_kept(peer, monkeypatch):
    keys = await fill(peer, 2)
    monkeypatch.setattr(cached_files.shutil, "disk_usage", lambda _: Usage(100 * 1024**3, 0, 1024**3))
    asked = len(peer.asked)
    with pytest.raises(NotFound):
        await got()
    assert len(peer.asked) == asked and not any(map(there, keys))
    monkeypatch.undo()
    assert there(await got())


async def test_on_a_small_disk_a_tenth_is_enough(peer, monkeypatch):
    monkeypatch.setattr(cached_files.shutil, "disk_usage", lambda _: Usage(10 * 1024**3, 0, 1024**3 + 10**7))
    assert there(await got())


async def test_failures_are_forgotten_when_their_time_is_over(peer):
    peer.answers[URL] = (404, "text/plain", b"")
    with pytest.raises(NotFound):
        await got()
    assert await cached_files.prune() == 0
    assert await db.value("SELECT count(*) FROM cached_file") == 1
    await set_all("again_at", 1)
    await cached_files.prune()
    assert await db.value("SELECT count(*) FROM cached_file") == 0


async def test_the_cache_tells_how_large_it_is(peer):
    await got()
    peer.answers["https://far.example/none"] = (404, "", b"")
    with pytest.raises(NotFound):
        await got(url="https://far.example/none")
    usage = await cached_files.usage()
    assert (usage.files, usage.failed, usage.days, usage.limit_bytes) == (1, 1, 7, 1024**3)
    assert usage.bytes == (await row())["bytes"]


async def test_a_cached_file_is_no_orphan():
    assert ("cached_file", ("file", "small_file")) in orphans.NAMED


# ------------------------------------------------------------------------------------------------ who may see


async def shown(author: Account, visibility: Visibility = Visibility.PUBLIC, **columns) -> tuple[Post, Media]:
    made = await post(author, visibility, emojis=[{"shortcode": "cat", "url": URL}])
    columns = {"kind": "image", "state": "ready", "remote_url": URL, **columns}
    return made, await Media.create(account_id=author.id, post_id=made.id, **columns)


def key_of(media: Media) -> str:
    return uris.remote_key("attachments", media.id, media.remote_url)


async def wanted_of(
    author: Account, a_post: Post, media: Media, viewer: Account | None = None
) -> list[Recipe]:
    """What may be fetched of all that there is of somebody."""
    found = []
    for asking in (
        remote_files.attachment(media.id, False, viewer, ""),
        remote_files.attachment(media.id, True, viewer, ""),
        remote_files.avatar(author.id, ""),
        remote_files.header(author.id, ""),
        remote_files.emoji_of_account(author.id, "cat", ""),
        remote_files.emoji_of_post(a_post.id, "cat", viewer, ""),
    ):
        try:
            found.append((await asking).recipe)
        except NotFound:
            continue
    return found


ALL = [Recipe.PICTURE, Recipe.PICTURE, Recipe.AVATAR, Recipe.HEADER, Recipe.EMOJI, Recipe.EMOJI]


async def with_emoji(dave: Account) -> Account:
    dave.emojis = [{"shortcode": "cat", "url": URL}]
    await dave.save()
    return dave


async def test_all_of_a_public_post_and_its_author_may_be_seen(dave):
    assert await wanted_of(await with_emoji(dave), *await shown(dave)) == ALL


async def test_what_hangs_on_a_private_post_is_for_who_may_see_it(dave, alice, bob):
    await follows.follow(alice, dave)
    await follows.accept(dave, alice.id)
    a_post, media = await shown(await with_emoji(dave), Visibility.FOLLOWERS)
    assert await wanted_of(dave, a_post, media, alice) == ALL
    for viewer in (None, bob):
        assert await wanted_of(dave, a_post, media, viewer) == ALL[2:5]
    keyed = await remote_files.attachment(media.id, False, None, key_of(media))
    assert keyed.keyed
    for key in ("", "x", "ü", key_of(media)[:-1], uris.remote_key("attachments", media.id + 1, URL)):
        with pytest.raises(NotFound):
            await remote_files.attachment(media.id, False, None, key)


async def test_nothing_is_seen_of_who_is_suspended_or_gone(dave, alice):
    a_post, media = await shown(await with_emoji(dave))
    await Account.filter(id=dave.id).update(suspended_at=1)
    assert await wanted_of(dave, a_post, media, alice) == []
    with pytest.raises(NotFound):
        await remote_files.attachment(media.id, False, alice, key_of(media))


@pytest.mark.parametrize(
    "rule", [Rule("far.example", Level.SUSPEND), Rule("far.example", Level.NONE, reject_media=True)]
)
async def test_nothing_is_seen_of_a_server_that_is_blocked_or_whose_media_are(dave, rule):
    a_post, media = await shown(await with_emoji(dave))
    await domain_rules.make(rule, None)
    assert await wanted_of(dave, a_post, media) == []


async def test_nothing_is_fetched_from_a_blocked_server_for_others(database):
    erin = await remote("erin", "near.example", avatar_remote_url=URL)
    assert (await remote_files.avatar(erin.id, "")).url == URL
    await domain_rules.make(Rule("far.example", Level.SUSPEND), None)
    with pytest.raises(NotFound):
        await remote_files.avatar(erin.id, "")


async def test_only_what_stands_in_a_row_is_fetched(dave, alice):
    a_post, _ = await shown(dave)
    unknown = await Media.create(account_id=dave.id, post_id=a_post.id, kind="unknown", remote_url=URL)
    film = await Media.create(account_id=dave.id, post_id=a_post.id, kind="video", remote_url=URL)
    loose = await Media.create(account_id=dave.id, kind="image", remote_url=URL)
    assert (await remote_files.attachment(film.id, False, None, "")).recipe is Recipe.FILM
    for asking in (
        remote_files.attachment(unknown.id, False, None, ""),
        remote_files.attachment(film.id, True, None, ""),
        remote_files.attachment(loose.id, False, alice, ""),
        remote_files.attachment(1 << 70, False, None, ""),
        remote_files.avatar(alice.id, ""),
        remote_files.avatar(1 << 70, ""),
        remote_files.emoji_of_account(dave.id, "cat", ""),
        remote_files.emoji_of_post(a_post.id, "dog", None, ""),
        remote_files.emoji_of_post(1 << 70, "dog", None, ""),
    ):
        with pytest.raises(NotFound):
            await asking


async def test_an_address_that_cannot_be_one_is_nothing(database):
    for url in ("https://[", "javascript:alert(1)", "https://"):
        account = await remote(f"dave{abs(hash(url))}", "far.example", avatar_remote_url=url)
        with pytest.raises(NotFound):
            await remote_files.avatar(account.id, "")


async def test_a_rule_about_where_somebody_lives_holds_whatever_their_handle_says(database):
    """Somebody may live at far.example under a handle of another domain, and keep files at a third."""
    url = "https://files.example/picture.jpg"
    uri = "https://far.example/users/dora"
    dora = await remote("dora", "handles.example", uri=uri, avatar_remote_url=url)
    assert (await remote_files.avatar(dora.id, "")).url == url
    await domain_rules.make(Rule("far.example", Level.NONE, reject_media=True), None)
    with pytest.raises(NotFound):
        await remote_files.avatar(dora.id, "")
