"""Media: received, made safe, described, attached, thrown away; and that nothing half done is left behind."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest

from fediblog import db, imaging, moments, storage
from fediblog.errors import Invalid, NoSpace, NotFound, TooLarge, TooMany, Unavailable
from fediblog.imaging import Made
from fediblog.models import Account, Media, Post
from fediblog.services import media, views
from tests.conftest import DATABASE
from tests.imaging.files import encoded, halves
from tests.services.making import owed, post

pytestmark = pytest.mark.usefixtures("database")

PICTURE = encoded(halves(), "PNG")


async def arrived(data: bytes = PICTURE) -> Path:
    """A file as a door has received it."""

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    return await storage.current().receive(chunks(), 1 << 30)


def on_disk() -> list[str]:
    """Everything below the storage's root, by its folder's name and its suffix."""
    root = storage.current().root
    found = [path for path in root.rglob("*") if path.is_file()]
    return sorted("tmp" if path.parent.name == "tmp" else path.suffix for path in found)


async def ready(account: Account, **columns: Any) -> Media:
    """A file that is done, without making one."""
    return await Media.create(account_id=account.id, kind="image", state="ready", file="x", **columns)


async def attach(account: Account, made: Post, *ids: int, replace: bool = False) -> None:
    async with db.transaction():
        await (
            media.replace(account, made.id, ids) if replace else media.attach(account, ids, made.id)
        )  # fmt: skip


async def attached(made: Post) -> list[int]:
    return [found.id for found in (await views.bodies([made.id]))[made.id].media]


# ------------------------------------------------------------------------------------------- receiving


async def test_an_upload_waits_is_processed_and_can_be_shown(alice: Account) -> None:
    received = await media.receive(alice, await arrived(), "A\x00 picture \r\n of halves ", (0.5, -1))
    assert (received.state, received.kind, received.mime) == ("waiting", "image", "image/png")
    assert received.description == "A picture\n of halves"
    assert (received.focus_x, received.focus_y) == (0.5, -1)
    assert await owed("media") == [str(received.id)]
    assert on_disk() == ["tmp"]

    for _ in range(2):
        await media.process(received.id)
    done = await media.get(alice, received.id)
    assert (done.state, done.error, done.upload) == ("ready", "", "")
    assert (done.width, done.height, done.small_width) == (120, 80, 120)
    assert done.blurhash and done.bytes > 0
    assert on_disk() == [".jpg", ".png"]
    assert storage.current().path(done.file).stat().st_size == done.bytes
    assert storage.current().path(done.small_file).is_file()


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"MZ" * 99])
async def test_other_types_are_refused_before_anything_is_stored(alice: Account, data: bytes) -> None:
    with pytest.raises(Invalid, match="type is invalid"):
        await media.receive(alice, await arrived(data))
    assert on_disk() == []
    assert await Media.all().count() == 0
    assert await owed("media") == []


@pytest.mark.parametrize(("head", "megabytes"), [(PICTURE, 1), (b"\0\0\0 ftypisom", 2)])
async def test_what_is_too_big_for_its_kind_is_refused(
    alice: Account, configure: Any, head: bytes, megabytes: int
) -> None:
    configure(limits__image_megabytes=1, limits__video_megabytes=2)
    data = head + bytes(megabytes * 1024 * 1024)
    with pytest.raises(TooLarge, match=f"at most {megabytes} MB"):
        await media.receive(alice, await arrived(data))
    assert on_disk() == []
    fits = head + bytes(megabytes * 1024 * 1024 - len(head))
    assert (await media.receive(alice, await arrived(fits))).state == "waiting"


@pytest.mark.parametrize(
    "given",
    [
        {"description": "x" * 1501},
        {"focus": (1.01, 0)},
        {"focus": (0, float("nan"))},
        {"focus": (float("inf"), 0)},
    ],
)
async def test_broken_descriptions_and_focal_points_are_refused(
    alice: Account, given: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as fault:
        await media.receive(alice, await arrived(), **given)
    assert set(fault.value.fields) == set(given)
    assert on_disk() == []
    assert await Media.all().count() == 0

    there = await ready(alice, description="before")
    with pytest.raises(Invalid):
        await media.edit(alice, there.id, **given)
    assert (await media.get(alice, there.id)).description == "before"


async def test_a_file_from_elsewhere_on_the_disk_is_a_fault_of_ours(alice: Account, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere"
    path.write_bytes(PICTURE)
    with pytest.raises(ValueError, match="workshop"):
        await media.receive(alice, path)
    assert await Media.all().count() == 0


async def test_nobody_fills_the_disk_with_uploads(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_MOST_UPLOADS", 2)
    for _ in range(2):
        await media.receive(alice, await arrived())
    with pytest.raises(TooMany):
        await media.receive(alice, await arrived())
    assert on_disk() == ["tmp", "tmp"]
    await media.receive(bob, await arrived())


async def test_when_the_database_refuses_the_upload_goes_too(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Unavailable

    monkeypatch.setattr(media.work, "owe", refuse)
    with pytest.raises(Unavailable):
        await media.receive(alice, await arrived())
    assert on_disk() == []
    assert await Media.all().count() == 0


# ------------------------------------------------------------------------------------------ processing


async def test_what_cannot_be_read_fails_with_a_sentence_and_leaves_no_file(alice: Account) -> None:
    received = await media.receive(alice, await arrived(PICTURE[:60]))
    await media.process(received.id)
    failed = await media.get(alice, received.id)
    assert (failed.state, failed.file, failed.upload) == ("failed", "", "")
    assert failed.error.endswith(".")
    assert on_disk() == []


async def test_an_upload_that_is_lost_fails_with_a_sentence(alice: Account) -> None:
    received = await media.receive(alice, await arrived())
    (storage.current().workshop / received.upload).unlink()
    await media.process(received.id)
    failed = await media.get(alice, received.id)
    assert (failed.state, failed.upload) == ("failed", "")
    assert "again" in failed.error


async def test_what_is_gone_is_not_processed(database: None) -> None:
    await media.process(4711)


@pytest.mark.parametrize("error", [NoSpace, Unavailable])
async def test_what_may_work_later_keeps_the_upload(
    alice: Account, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: object) -> None:
        raise error

    received = await media.receive(alice, await arrived())
    with monkeypatch.context() as patch:
        patch.setattr(imaging, "make", fail)
        with pytest.raises(error):
            await media.process(received.id)
    assert (await media.get(alice, received.id)).state == "waiting"
    assert on_disk() == ["tmp"]
    await media.process(received.id)
    assert (await media.get(alice, received.id)).state == "ready"


@pytest.mark.parametrize("place", [0, 1])
async def test_a_full_disk_leaves_nothing_half_done(
    alice: Account, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    received = await media.receive(alice, await arrived())
    real, calls = storage.Storage._keep, [0]

    def full(self: storage.Storage, source: Path, key: str) -> None:
        calls[0] += 1
        if calls[0] > place:
            raise NoSpace from OSError(errno.ENOSPC, "full")
        real(self, source, key)

    with monkeypatch.context() as patch:
        patch.setattr(storage.Storage, "_keep", full)
        with pytest.raises(NoSpace):
            await media.process(received.id)
    assert (await media.get(alice, received.id)).state == "waiting"
    assert on_disk() == ["tmp"]
    await media.process(received.id)
    assert (await media.get(alice, received.id)).state == "ready"


async def test_what_is_thrown_away_while_it_is_processed_leaves_nothing(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = await media.receive(alice, await arrived())
    real = imaging.make

    async def slowly(*given: Any) -> Made:
        made = await real(*given)
        await media.discard(alice, received.id)
        return made

    monkeypatch.setattr(imaging, "make", slowly)
    await media.process(received.id)
    assert on_disk() == []
    assert await Media.all().count() == 0


async def test_waiting_ends_when_the_file_is_done_or_the_time_is_over(alice: Account) -> None:
    received = await media.receive(alice, await arrived())
    assert (await media.wait_ready(received.id, 0.01)).state == "waiting"
    waiting = asyncio.create_task(media.wait_ready(received.id, 30))
    await media.process(received.id)
    assert (await waiting).state == "ready"
    with pytest.raises(NotFound):
        await media.wait_ready(4711, 1)


# ------------------------------------------------------------------------- describing and throwing away


async def test_files_are_described_by_their_owner_alone(alice: Account, bob: Account) -> None:
    there = await ready(alice, description="before", focus_x=0.1, focus_y=0.2)
    await media.edit(alice, there.id)
    await media.edit(alice, there.id, description="after")
    await media.edit(alice, there.id, focus=(-1, 1))
    found = await media.get(alice, there.id)
    assert (found.description, found.focus_x, found.focus_y) == ("after", -1, 1)
    for attempt in (media.get(bob, there.id), media.edit(bob, there.id, "x"), media.discard(bob, there.id)):
        with pytest.raises(NotFound):
            await attempt
    assert (await media.get(alice, there.id)).description == "after"


async def test_describing_a_file_on_a_post_makes_a_new_version_of_it(alice: Account) -> None:
    made, there = await post(alice), await ready(alice)
    await attach(alice, made, there.id)
    await media.edit(alice, there.id)
    assert (await Post.get(id=made.id)).version == 1
    await media.edit(alice, there.id, description="halves")
    assert (await Post.get(id=made.id)).version == 2


async def test_a_file_is_thrown_away_with_all_it_left_on_the_disk(alice: Account) -> None:
    done, waiting = [await media.receive(alice, await arrived()) for _ in range(2)]
    await media.process(done.id)
    for there in (done, waiting):
        await media.discard(alice, there.id)
    assert on_disk() == []
    with pytest.raises(NotFound):
        await media.discard(alice, done.id)


@pytest.mark.skipif(DATABASE == "sqlite", reason="there nobody writes meanwhile")
async def test_a_file_that_is_done_while_it_is_thrown_away_goes_too(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = await media.receive(alice, await arrived())
    get = media.get

    async def slowly(account: Account, media_id: int) -> Media:
        found = await get(account, media_id)
        await asyncio.create_task(media.process(media_id), context=Context())
        return found

    monkeypatch.setattr(media, "get", slowly)
    await media.discard(alice, received.id)
    assert on_disk() == []


async def test_a_file_on_a_post_is_not_thrown_away(alice: Account) -> None:
    made, there = await post(alice), await ready(alice)
    await attach(alice, made, there.id)
    with pytest.raises(Invalid):
        await media.discard(alice, there.id)
    assert await attached(made) == [there.id]


async def test_old_files_on_no_post_are_pruned_and_others_stay(alice: Account) -> None:
    old = [await media.receive(alice, await arrived()) for _ in range(2)]
    await media.process(old[0].id)
    used, fresh = await ready(alice), await ready(alice)
    await attach(alice, await post(alice), used.id)
    await Media.filter(id__in=[old[0].id, old[1].id, used.id]).update(created_at=1)

    assert await media.prune(moments.now() - moments.HOUR) == 2
    assert {found.id for found in await Media.all()} == {used.id, fresh.id}
    assert on_disk() == []
    assert await media.prune(moments.now() - moments.HOUR) == 0


# ---------------------------------------------------------------------------------- on and off posts


async def test_files_are_attached_in_the_order_given(alice: Account, queries: Any) -> None:
    made = await post(alice)
    one, two, three = [(await ready(alice, small_file=f"s{n}")).id for n in range(3)]
    await attach(alice, made, three, one, two)
    assert await attached(made) == [three, one, two]
    with queries() as sent:
        await attach(alice, made)
    assert len(sent) == 0


async def test_what_cannot_be_attached_is_refused_and_nothing_changes(alice: Account, bob: Account) -> None:
    made, other = await post(alice), await post(alice)
    good, used, theirs = await ready(alice), await ready(alice), await ready(bob)
    waiting = await Media.create(account_id=alice.id)
    failed = await Media.create(account_id=alice.id, state="failed", error="It is damaged.")
    await attach(alice, other, used.id)

    for bad, sentence in (
        (theirs.id, "no such file"),
        (4711, "no such file"),
        (used.id, "another post"),
        (waiting.id, "still being processed"),
        (failed.id, "damaged"),
        (good.id, "given twice"),
    ):
        with pytest.raises(Invalid, match=sentence) as fault:
            await attach(alice, made, good.id, bad)
        assert "media" in fault.value.fields
        assert await attached(made) == []
    assert await attached(other) == [used.id]
    assert (await Media.get(id=theirs.id)).post_id is None


async def test_too_many_are_refused(alice: Account) -> None:
    made = await post(alice)
    ids = [(await ready(alice)).id for _ in range(5)]
    for replace in (False, True):
        with pytest.raises(Invalid, match="at most 4"):
            await attach(alice, made, *ids, replace=replace)
    assert await attached(made) == []


async def test_two_posts_at_once_do_not_share_a_file(alice: Account) -> None:
    there = await ready(alice)
    posts = [await post(alice) for _ in range(5)]
    done = await asyncio.gather(*(attach(alice, made, there.id) for made in posts), return_exceptions=True)
    assert sum(result is None for result in done) == 1
    assert sum([len(await attached(made)) for made in posts]) == 1


async def test_an_edit_keeps_adds_drops_and_sorts(alice: Account) -> None:
    made = await post(alice)
    one, two, three = [(await ready(alice, created_at=1)).id for _ in range(3)]
    await attach(alice, made, one, two)
    await attach(alice, made, three, one, replace=True)

    assert await attached(made) == [three, one]
    dropped = await media.get(alice, two)
    assert dropped.post_id is None and dropped.created_at > moments.now() - moments.MINUTE
    await attach(alice, made, replace=True)
    assert await attached(made) == []


async def test_an_edit_with_a_foreign_file_changes_nothing(alice: Account, bob: Account) -> None:
    made, mine, theirs = await post(alice), await ready(alice), await ready(bob)
    await attach(alice, made, mine.id)
    with pytest.raises(Invalid):
        await attach(alice, made, theirs.id, replace=True)
    assert await attached(made) == [mine.id]
