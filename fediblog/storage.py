"""Files on disk and their URLs.

A file gets a random name of 160 bits that the server makes, so nobody can guess one and nothing of a
stranger's file name ever reaches the disk. Half-received files live in `tmp` under the same root, so that
the last step is a rename on one file system: a file is either there completely or not at all.
"""

import asyncio
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fediblog.config import settings
from fediblog.errors import NoSpace, NotFound, TooLarge

# The closed list of what we serve. The type follows from the name, never from the content or from what a
# stranger says (SECURITY §5), and nothing in the list can run a script.
TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "weba": "audio/webm",
}

# Uploads stop here, so that the database beside them keeps room to write (OPS: media fills the disk until the
# database dies). It is also the floor below which the server refuses to start.
RESERVE = 100 * 1024 * 1024

_KEY = re.compile(rf"[0-9a-f]{{2}}/[0-9a-f]{{2}}/[0-9a-f]{{1,64}}\.({'|'.join(TYPES)})")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Storage:
    """The files under one directory. Holds no state but the two values it is made with."""

    def __init__(self, root: Path, base_url: str) -> None:
        self.root = root.absolute()
        self.base_url = base_url.rstrip("/")

    async def save(self, data_path: Path, suffix: str) -> str:
        """Move a finished file from `tmp` to where it stays; returns its key, such as `ab/cd/ef01….jpg`.

        On return name and content are on the platter. Raises NoSpace when the disk is full (the file is gone
        then), ValueError for a suffix that is not in TYPES: a fault of ours.
        """
        if suffix not in TYPES:
            raise ValueError(f"no such suffix: {suffix!r}")
        name = secrets.token_hex(20)
        key = f"{name[:2]}/{name[2:4]}/{name[4:]}.{suffix}"
        await asyncio.to_thread(self._keep, data_path, key)
        return key

    async def remove(self, key: str) -> None:
        """Delete a file. One that is missing, or can never have been here, is fine."""
        if _KEY.fullmatch(key):
            await asyncio.to_thread((self.root / key).unlink, missing_ok=True)

    def path(self, key: str) -> Path:
        """Where the file is. Raises NotFound for anything that `save` cannot have returned."""
        if not _KEY.fullmatch(key):
            raise NotFound()
        return self.root / key

    def type(self, key: str) -> str:
        """The media type to serve the file with. Raises NotFound as `path` does."""
        return TYPES[self.path(key).suffix[1:]]

    def url(self, key: str) -> str:
        """The public address of the file."""
        return f"{self.base_url}/media/{key}"

    @property
    def workshop(self) -> Path:
        """The directory for files that are not finished; made when it is missing."""
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def temporary(self) -> Path:
        """A fresh path in the workshop. Nothing is there yet."""
        return self.workshop / secrets.token_hex(16)

    async def receive(self, chunks: AsyncIterator[bytes], limit: int) -> Path:
        """Write what arrives to a temporary file and return its path.

        Raises TooLarge at the first byte over `limit`, NoSpace when the disk is full or nearly so. Whatever
        goes wrong, a caller who hangs up included, leaves no file behind.
        """
        path = await asyncio.to_thread(self._reserve)
        complete = False
        try:
            with _space(), path.open("xb") as file:
                await _write(file, chunks, limit)
            complete = True
        finally:
            if not complete:
                path.unlink(missing_ok=True)
        return path

    async def sweep_temporary(self, older_than_seconds: float) -> int:
        """Remove what a crash left in the workshop; returns how many files that were."""
        return await asyncio.to_thread(self._sweep, time.time() - older_than_seconds)

    async def count_temporary(self, older_than_seconds: float) -> int:
        """How many files `sweep_temporary` would remove."""
        return len(await asyncio.to_thread(self._unfinished, time.time() - older_than_seconds))

    async def old_keys(self, first: str, older_than_seconds: float) -> set[str]:
        """The keys that begin with this hexadecimal digit, of files that have been there for so long."""
        return await asyncio.to_thread(self._old_keys, first, time.time() - older_than_seconds)

    def _reserve(self) -> Path:
        path = self.temporary()
        if shutil.disk_usage(path.parent).free < RESERVE:
            raise NoSpace()
        return path

    def _keep(self, source: Path, key: str) -> None:
        target = self.root / key
        try:
            with _space():
                _sync(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
                for folder in (target.parent, target.parent.parent, self.root):
                    _sync(folder)
        except NoSpace:
            source.unlink(missing_ok=True)
            raise

    def _old_keys(self, first: str, before: float) -> set[str]:
        old = (path for path in self.root.glob(f"{first}[0-9a-f]/*/*") if _changed(path) < before)
        return set(filter(_KEY.fullmatch, (path.relative_to(self.root).as_posix() for path in old)))

    def _sweep(self, before: float) -> int:
        old = self._unfinished(before)
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _unfinished(self, before: float) -> list[Path]:
        return [path for path in self.workshop.iterdir() if _changed(path) < before]


def current() -> Storage:
    """The files of this server, where its configuration says."""
    config = settings()
    return Storage(config.data_dir / "media", config.origin)


async def _write(file: BinaryIO, chunks: AsyncIterator[bytes], limit: int) -> None:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The file is too big: at most {limit / 1024**2:.3g} MB.")
        await asyncio.to_thread(file.write, chunk)


@contextmanager
def _space() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace() from error
        raise


def _sync(path: Path) -> None:
    """Files and directories alike: a rename is durable only when its directory has been synced too."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
