"""Pictures, films and sounds: received, made safe by a worker, described, attached to a post, thrown away.

An upload waits in the storage's workshop until a worker has made files that are safe to show. Rows come
first and files go last, so a crash leaves at worst a file that nobody can find, never a row without one.
"""

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fediblog import db, imaging, moments, storage, text
from fediblog.config import settings
from fediblog.errors import Invalid, NotFound, TooLarge
from fediblog.imaging import Limits, Made
from fediblog.models import Account, Media
from fediblog.queue import Job
from fediblog.services import indexed, throttle, work

WAITING, READY, FAILED = "waiting", "ready", "failed"
DESCRIPTION_CHARACTERS = 1500

_UNREADABLE = "File content type is invalid"
_LOST = "The upload was lost. Please send the file again."
_MEGABYTE = 1024 * 1024
_BATCH = 100
_MOST_UPLOADS = 120  # In an hour, of one account: what nobody posts lies there for a day.
_FIRST_LOOK, _LONGEST_PAUSE = 0.05, 1.0

Focus = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Words:
    """What is said about a file. None means: as it is."""

    description: str | None = None
    focus: Focus | None = None


async def receive(account: Account, upload: Path, description: str = "", focus: Focus | None = None) -> Media:
    """Take a file from the storage's workshop; it is `waiting` until a worker has made it safe.

    `focus` is the point to keep in view, each part from -1 to 1. Raises Invalid for a type that we do not
    take and for a broken description or focus, TooLarge, TooMany. Whatever goes wrong, the upload is gone.
    """
    kept = False
    try:
        await throttle.hit(throttle.bucket("upload", str(account.id)), _MOST_UPLOADS, 3600)
        mime = await asyncio.to_thread(_admit, upload)
        media = Media(
            account_id=account.id,
            kind=mime.split("/")[0],
            mime=mime,
            upload=upload.name,
            description=_description(description),
        )
        media.focus_x, media.focus_y = _focus(focus) if focus else (None, None)
        async with db.transaction():
            await media.save(force_create=True)
            await work.owe(Job.MEDIA, media.id)
        kept = True
    finally:
        if not kept:
            await _forget(upload)
    return media


async def process(media_id: int) -> None:
    """Make the files of an upload that waits. For one that does not: nothing.

    What cannot be made is `failed`, with a sentence for its owner. Raises NoSpace and Unavailable, so that it
    is tried again.
    """
    media = await Media.get_or_none(id=media_id, state=WAITING)
    if media is None:
        return
    shelf = storage.current()
    upload = shelf.workshop / media.upload
    if not await asyncio.to_thread(upload.is_file):
        return await _fail(media_id, _LOST)
    try:
        made = await imaging.make(upload, shelf.workshop, _limits())
    except Invalid as error:
        await _fail(media_id, error.message)
    else:
        await _keep(media_id, made)
    await _forget(upload)


async def get(account: Account, media_id: int) -> Media:
    """One's own file. Raises NotFound for other people's."""
    media = await Media.get_or_none(id=media_id, account_id=account.id)
    if media is None:
        raise NotFound
    return media


async def wait_ready(media_id: int, seconds: float) -> Media:
    """The file when it is done, or as it stands after so many seconds. Raises NotFound when it is gone."""
    until = time.monotonic() + seconds
    pause = _FIRST_LOOK
    while True:
        media = await Media.get_or_none(id=media_id)
        if media is None:
            raise NotFound
        left = until - time.monotonic()
        if media.state != WAITING or left <= 0:
            return media
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


async def edit(
    account: Account, media_id: int, description: str | None = None, focus: Focus | None = None
) -> Media:
    """Describe one's own file, or say what to keep in view. None leaves it as it is.

    On a post this counts as a new version of it. Raises NotFound for other people's files, Invalid for a
    broken description or focus.
    """
    changes: dict[str, object] = {}
    if description is not None:
        changes["description"] = _description(description)
    if focus is not None:
        changes["focus_x"], changes["focus_y"] = _focus(focus)
    async with db.transaction():
        media = await get(account, media_id)
        media.update_from_dict(changes)
        if changes and media.post_id is not None:
            # Before the file, as everywhere (locks.py).
            await db.execute("UPDATE post SET version = version + 1 WHERE id = $1", media.post_id)
        if changes:
            await media.save(update_fields=list(changes))
        if description is not None and media.post_id is not None:
            await indexed.post(media.post_id)
    return media


async def discard(account: Account, media_id: int) -> None:
    """Throw away one's own file.

    Raises NotFound for other people's, Invalid when it is on a post or waits with one.
    """
    async with db.transaction():
        await get(account, media_id)
        # The row as it goes: a worker may have made its files since we looked.
        gone = await db.row(_DISCARD, media_id)
        if gone is None:
            raise Invalid("This file is on a post.")
    await _erase(Media(**gone))


async def prune(before: int) -> int:
    """Throw away files that are on no post since this moment; gives their number."""
    number = 0
    while True:
        async with db.transaction():
            gone = await db.rows(_PRUNE, before, _BATCH)
        for line in gone:
            await _erase(Media(**line))
        number += len(gone)
        if len(gone) < _BATCH:
            return number


async def prunable(before: int) -> int:
    """How many files `prune` would throw away."""
    sql = "SELECT count(*) FROM media WHERE post_id IS NULL AND scheduled_id IS NULL AND created_at < $1"
    number: int = await db.value(sql, before)
    return number


# -------------------------------------------------------------------------------------- on and off posts


async def attach(account: Account, media_ids: Sequence[int], post_id: int) -> None:
    """Put files on a post in the order given, inside the transaction that publishes it.

    Raises Invalid for too many, the same one twice, other people's or unknown ones, those on another post,
    and those that are not ready.
    """
    _check_number(media_ids)
    # In the order of their ids, so that two who want the same ones do not wait crosswise.
    for media_id, position in sorted((media_id, place) for place, media_id in enumerate(media_ids)):
        if not await db.value(_ATTACH, media_id, account.id, post_id, position):
            raise Invalid(await _fault(account, media_id), "media")


async def reserve(account: Account, media_ids: Sequence[int], scheduled_id: int) -> None:
    """Keep files for a post that is for later, inside the transaction that schedules it.

    Raises as `attach` does.
    """
    _check_number(media_ids)
    for media_id, position in sorted((media_id, place) for place, media_id in enumerate(media_ids)):
        if not await db.value(_RESERVE, media_id, account.id, scheduled_id, position):
            raise Invalid(await _fault(account, media_id), "media")


async def release(scheduled_id: int) -> None:
    """Give back the files of a post that is not to be: they live on for a while as if just uploaded."""
    await db.execute(_RELEASE, scheduled_id, moments.now())


async def replace(account: Account, post_id: int, media_ids: Sequence[int]) -> None:
    """Let a post have exactly these files, in this order, inside the transaction of its edit.

    Those taken off live on for a while as if they had just been uploaded. Raises as `attach` does.
    """
    _check_number(media_ids)
    had = await db.column("SELECT id FROM media WHERE post_id = $1", post_id)
    for media_id in had:
        if media_id not in media_ids:
            await db.execute(_DETACH, media_id, moments.now())
    await attach(account, media_ids, post_id)


def _check_number(media_ids: Sequence[int]) -> None:
    most = settings().limits.max_media
    if len(media_ids) > most:
        raise Invalid(f"A post can have at most {most} files.", "media")
    if len(set(media_ids)) < len(media_ids):
        raise Invalid("The same file is given twice.", "media")


async def _fault(account: Account, media_id: int) -> str:
    """Why a file could not be attached. Other people's files are like those that do not exist."""
    media = await Media.get_or_none(id=media_id, account_id=account.id)
    if media is None:
        return "There is no such file."
    if media.post_id is not None:
        return "This file is on another post already."
    if media.scheduled_id is not None:
        return "This file waits with a scheduled post."
    if media.state == FAILED:
        return f"One of the files cannot be used: {media.error}"
    return "One of the files is still being processed. Please try again in a moment."


# ------------------------------------------------------------------------------------------------ steps


def _admit(upload: Path) -> str:
    """The media type of an upload that we take. Raises ValueError for a file elsewhere: a fault of ours."""
    if upload.parent != storage.current().workshop:
        raise ValueError("an upload comes from the storage's workshop")
    with upload.open("rb") as file:
        mime = imaging.sniff(file.read(imaging.HEAD))
    if mime is None:
        raise Invalid(_UNREADABLE, "file")
    limits = _limits()
    most = limits.image_bytes if mime.startswith("image/") else limits.video_bytes
    if upload.stat().st_size > most:
        raise TooLarge(f"The file is too big: at most {most / _MEGABYTE:.3g} MB.")
    return mime


def _limits() -> Limits:
    limits = settings().limits
    return Limits(
        image_bytes=limits.image_megabytes * _MEGABYTE, video_bytes=limits.video_megabytes * _MEGABYTE
    )


def _description(given: str) -> str:
    description = text.tidy_block(given)
    if len(description) > DESCRIPTION_CHARACTERS:
        raise Invalid(f"The description is longer than {DESCRIPTION_CHARACTERS} characters.", "description")
    return description


def _focus(focus: Focus) -> Focus:
    if not all(math.isfinite(part) and -1 <= part <= 1 for part in focus):
        raise Invalid("Each part of the focal point lies between -1 and 1.", "focus")
    return focus


async def _fail(media_id: int, sentence: str) -> None:
    async with db.transaction():
        await db.execute(_FAIL, media_id, sentence)


async def _keep(media_id: int, made: Made) -> None:
    """Move the files to where they stay, then say so in the row; when it is gone, they go too."""
    size = (await asyncio.to_thread(made.file.stat)).st_size
    keys = await _save(made)
    known = False
    try:
        async with db.transaction():
            known = await db.value(_READY, media_id, *_columns(made, keys, size)) is not None
    finally:
        if not known:
            await _remove(keys)


def _columns(made: Made, keys: list[str], size: int) -> tuple[object, ...]:
    """In the order of _READY."""
    return (
        *(made.kind, made.mime, keys[0], keys[1] if made.small else ""),
        *(made.width, made.height, made.small_width, made.small_height),
        *(made.duration, made.frame_rate, made.bitrate, size, made.blurhash or ""),
    )


async def _save(made: Made) -> list[str]:
    """The keys of the main file and, when there is one, of the small one. Both are kept, or none."""
    shelf = storage.current()
    keys: list[str] = []
    complete = False
    try:
        keys.append(await shelf.save(made.file, made.suffix))
        if made.small is not None and made.small_suffix is not None:
            keys.append(await shelf.save(made.small, made.small_suffix))
        complete = True
    finally:
        if not complete:
            await _remove(keys)
            for path in (made.file, made.small):
                if path is not None:
                    await _forget(path)
    return keys


async def _erase(media: Media) -> None:
    """Take from the disk what a row that is gone has left there."""
    await _remove([media.file, media.small_file])
    if media.upload:
        await _forget(storage.current().workshop / media.upload)


async def _remove(keys: Iterable[str]) -> None:
    for key in keys:
        await storage.current().remove(key)


async def _forget(path: Path) -> None:
    await asyncio.to_thread(path.unlink, missing_ok=True)


_ATTACH = """
UPDATE media SET post_id = $3, position = $4
WHERE id = $1 AND account_id = $2 AND state = 'ready' AND (post_id IS NULL OR post_id = $3)
    AND scheduled_id IS NULL RETURNING id
"""
_RESERVE = """
UPDATE media SET scheduled_id = $3, position = $4
WHERE id = $1 AND account_id = $2 AND state = 'ready' AND post_id IS NULL AND scheduled_id IS NULL
RETURNING id
"""
_RELEASE = "UPDATE media SET scheduled_id = NULL, position = 0, created_at = $2 WHERE scheduled_id = $1"
_DETACH = "UPDATE media SET post_id = NULL, position = 0, created_at = $2 WHERE id = $1"
_GONE = "RETURNING id, account_id, file, small_file, upload"
_DISCARD = f"DELETE FROM media WHERE id = $1 AND post_id IS NULL AND scheduled_id IS NULL {_GONE}"
_PRUNE = f"""
DELETE FROM media WHERE post_id IS NULL AND id IN (
    SELECT id FROM media WHERE post_id IS NULL AND scheduled_id IS NULL AND created_at < $1
    ORDER BY created_at LIMIT $2
) AND scheduled_id IS NULL
{_GONE}
"""
_READY = """
UPDATE media SET state = 'ready', upload = '', kind = $2, mime = $3, file = $4, small_file = $5,
    width = $6, height = $7, small_width = $8, small_height = $9,
    duration = $10, frame_rate = $11, bitrate = $12, bytes = $13, blurhash = $14
WHERE id = $1 AND state = 'waiting' RETURNING id
"""
_FAIL = "UPDATE media SET state = 'failed', error = $2, upload = '' WHERE id = $1 AND state = 'waiting'"
