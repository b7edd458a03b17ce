"""Files on disk: what is kept, what is refused, and that nothing is left behind when something goes wrong."""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fediblog import imaging, storage
from fediblog.errors import NoSpace, NotFound, TooLarge
from fediblog.storage import Storage

pytestmark = pytest.mark.once


@pytest.fixture
def shelf(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "media", "https://example.social/")


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _files(shelf: Storage) -> list[Path]:
    return [path for path in shelf.root.rglob("*") if path.is_file()]


async def test_what_is_received_and_saved_can_be_read_under_its_key(shelf: Storage) -> None:
    received = await shelf.receive(_pieces(b"one ", b"two"), 100)
    key = await shelf.save(received, "png")

    assert shelf.path(key).read_bytes() == b"one two"
    assert shelf.type(key) == "image/png"
    assert not received.exists()
    assert shelf.url(key) == f"https://example.social/media/{key}"


async def test_names_are_random_sharded_and_long(shelf: Storage) -> None:
    keys = {await shelf.save(await shelf.receive(_pieces(b"x"), 9), "jpg") for _ in range(20)}

    assert len(keys) == 20
    assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{36}\.jpg", key) for key in keys)


async def test_name_and_content_are_synced_before_the_key_is_given_out(
    shelf: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd))[1]
    )
    received = await shelf.receive(_pieces(b"x"), 9)

    key = await shelf.save(received, "jpg")

    folder = shelf.path(key).parent
    assert synced == [str(received), str(folder), str(folder.parent), str(shelf.root)]


async def test_a_suffix_outside_the_list_is_a_fault_of_ours(shelf: Storage) -> None:
    received = await shelf.receive(_pieces(b"<script>"), 100)

    for suffix in ("html", "svg", "js", "", "../x", "jpg/x"):
        with pytest.raises(ValueError, match="no such suffix"):
            await shelf.save(received, suffix)

    assert _files(shelf) == [received]


async def test_one_byte_over_the_limit_is_refused_and_the_file_is_gone(shelf: Storage) -> None:
    assert (await shelf.receive(_pieces(b"12345", b"67890"), 10)).stat().st_size == 10

    with pytest.raises(TooLarge, match="at most"):
        await shelf.receive(_pieces(b"12345", b"67890", b"!"), 10)

    assert len(_files(shelf)) == 1


async def test_the_limit_stops_reading_at_once(shelf: Storage) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 1000

    with pytest.raises(TooLarge):
        await shelf.receive(endless(), 5000)

    assert asked == 6


async def test_an_upload_that_breaks_off_leaves_nothing(shelf: Storage) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await shelf.receive(broken(), 100)

    assert _files(shelf) == []


async def test_an_upload_that_is_cancelled_leaves_nothing(shelf: Storage) -> None:
    begun = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield b"half"
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(shelf.receive(hanging(), 100))
    await begun.wait()
    assert len(_files(shelf)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert _files(shelf) == []


async def test_a_full_disk_while_receiving_is_said_and_leaves_nothing(
    shelf: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def open_full(path: Path, mode: str = "r") -> object:
        file = real(path, mode)
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(NoSpace):
        await shelf.receive(_pieces(b"x" * 1_000_000), 2_000_000)

    assert _files(shelf) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_while_saving_is_said_and_leaves_nothing(
    shelf: Storage, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    received = await shelf.receive(_pieces(b"x"), 9)

    def full(path: Path, target: Path) -> None:
        raise OSError(code, "full")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(NoSpace):
        await shelf.save(received, "jpg")

    assert _files(shelf) == []


async def test_uploads_stop_before_the_disk_is_full_and_go_on_when_it_is_not(
    shelf: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shelf.workshop)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=storage.RESERVE - 1))
        with pytest.raises(NoSpace):
            await shelf.receive(_pieces(b"x"), 9)
    assert _files(shelf) == []

    assert await shelf.receive(_pieces(b"x"), 9)


@pytest.mark.parametrize(
    "key",
    [
        *("../secret.png", "ab/../../etc/passwd", "ab/cd/../../../secret.png", "/etc/passwd", "//etc/passwd"),
        *("ab/cd/ef\0.png", "ab/cd/ef.png\0", "ab/cd/ef.png\n", "ab\\cd\\ef.png", "tmp/" + "0" * 32),
        *("ab/cd/ef.html", "ab/cd/ef", "ab/cd/.png", "ab/cd/ef.png/", "AB/CD/EF.png", "", ".", "..", "ab/cd"),
        *(
            "ab/cd/%2e%2e/ef.png",
            "ab/cd/" + "e" * 65 + ".png",
            "аb/cd/ef.png",
            "ab/cd/ef.png?x",
            "fediblog.toml",
        ),
    ],
)
async def test_a_key_that_save_cannot_have_returned_is_not_found(shelf: Storage, key: str) -> None:
    for name in ("secret.png", "media/ab/cd/x"):
        (shelf.root.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (shelf.root.parent / name).write_text("mine")

    with pytest.raises(NotFound):
        shelf.path(key)
    with pytest.raises(NotFound):
        shelf.type(key)
    await shelf.remove(key)

    assert (shelf.root.parent / "secret.png").exists()
    assert (shelf.root / "ab/cd/x").exists()


async def test_removing_twice_is_the_same_as_once(shelf: Storage) -> None:
    key = await shelf.save(await shelf.receive(_pieces(b"x"), 9), "jpg")

    await shelf.remove(key)
    await shelf.remove(key)

    assert _files(shelf) == []


async def test_the_sweep_takes_only_what_is_old_and_unfinished(shelf: Storage) -> None:
    kept = await shelf.save(await shelf.receive(_pieces(b"kept"), 9), "jpg")
    old = await shelf.receive(_pieces(b"old"), 9)
    new = await shelf.receive(_pieces(b"new"), 9)
    for path in (old, shelf.path(kept)):
        os.utime(path, (1, 1))

    assert await shelf.sweep_temporary(3600) == 1
    assert await shelf.sweep_temporary(3600) == 0

    assert sorted(_files(shelf)) == sorted([new, shelf.path(kept)])


async def test_temporary_paths_are_fresh_and_inside_the_root(shelf: Storage) -> None:
    paths = {shelf.temporary() for _ in range(5)}

    assert len(paths) == 5
    assert all(path.parent == shelf.root / "tmp" and not path.exists() for path in paths)


def test_all_that_imaging_makes_can_be_stored_and_is_served_as_what_it_is() -> None:
    assert {suffix: mime for mime, suffix in imaging.TYPES.items()} == storage.TYPES
