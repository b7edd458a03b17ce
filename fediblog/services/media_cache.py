"""The cache of other servers' files: fetched when somebody looks, kept for others, thrown away again.

Pictures are decoded and written anew like uploads; films and sounds stay as they came, if their first bytes
say that they are of a type that we serve. A file is fetched once for all who ask for it at the same time.
What could not be had is remembered for a while, so that a dead server is not asked at every look.

There are two bounds, on the bytes and on how long nobody has looked (OPS §1.1), and a floor: while the disk
is nearly full nothing new is kept. Files come first and rows last, and go the other way round.
"""

import asyncio
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import structlog

from fediblog import http, imaging, moments, storage
from fediblog.config import settings
from fediblog.errors import Invalid, NoSpace, NotFound, Unavailable
from fediblog.http import Outside, Unreachable, Unwelcome
from fediblog.imaging import Limits, Made
from fediblog.remembering import Together
from fediblog.services import cached_files
from fediblog.services.cached_files import Cached
from fediblog.services.remote_files import Recipe, Wanted

log = structlog.get_logger()

# How long what could not be had is left alone: what may pass, and what will stay as it is.
_PASSING = 10 * moments.MINUTE
_LASTING = 6 * moments.HOUR
_PASSING_STATUSES = frozenset({408, 425, 429, *range(500, 600)})
# Each of these holds a file in the workshop.
_MOST_AT_ONCE = 64
_MEGABYTE = 1024 * 1024
_EMOJI_BYTES = _MEGABYTE
# What servers say who do not know what they serve. What it is, the first bytes say.
_ANY = ("application/octet-stream", "binary/octet-stream")
_PICTURES = ("image/*", *_ANY)
_FILMS = ("video/*", "audio/*", "application/ogg", *_ANY)
_MAKERS = {
    Recipe.PICTURE: imaging.make_picture,
    Recipe.AVATAR: imaging.make_avatar,
    Recipe.HEADER: imaging.make_header,
    Recipe.EMOJI: imaging.make_emoji,
}

_Flights = Together[Cached]
_flights: WeakKeyDictionary[asyncio.AbstractEventLoop, _Flights] = WeakKeyDictionary()


async def get(wanted: Wanted) -> str:
    """The storage key of the file, which is there now.

    Raises NotFound when it cannot be had at the moment, Unavailable when too many are being fetched.
    """
    found = await cached_files.find(wanted.url, wanted.recipe)
    if found is None or not await asyncio.to_thread(_is_whole, found):
        found = await _fetched_once(wanted.url, wanted.recipe)
    if not found.ready:
        raise NotFound
    await cached_files.touch(found)
    return (found.small_file or found.file) if wanted.small else found.file


def _is_whole(found: Cached) -> bool:
    """Files may be missing, after a backup without them: they come again."""
    shelf = storage.current()
    return not found.ready or all(shelf.path(key).is_file() for key in (found.file, found.small_file) if key)


async def _fetched_once(url: str, recipe: Recipe) -> Cached:
    """Fetch, or wait for whoever does. Somebody who hangs up does not end it for the others."""
    flights = _flights.setdefault(asyncio.get_running_loop(), _Flights())
    if (url, recipe) not in flights and len(flights) >= _MOST_AT_ONCE:
        raise Unavailable
    return await flights.get((url, recipe), partial(_fetched, url, recipe))


async def _fetched(url: str, recipe: Recipe) -> Cached:
    """The row for a file that was fetched now, or could not be."""
    try:
        await cached_files.make_room()
        return await _fetch(url, recipe)
    except (Outside, Invalid) as error:
        reason = error.reason if isinstance(error, Outside) else "content"
        log.info("a file of another server could not be had", url=url, recipe=recipe, reason=reason)
        return await cached_files.fail(url, recipe, reason, moments.now() + _pause(error))
    except NoSpace:
        log.warning("there is no room for files of other servers", recipe=recipe)
        raise NotFound from None


async def _fetch(url: str, recipe: Recipe) -> Cached:
    path = storage.current().temporary()
    accept = _FILMS if recipe is Recipe.FILM else _PICTURES
    try:
        await http.fetch_to_file(url, path, accept=accept, most_bytes=_most_bytes(recipe))
        if recipe is Recipe.FILM:
            return await _keep_film(url, path)
        made = await _MAKERS[recipe](path, storage.current().workshop, _limits())
        return await _keep_picture(url, recipe, made)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _keep_film(url: str, path: Path) -> Cached:
    """Raises Invalid for what is no film or sound of a type that we serve."""
    with path.open("rb") as file:
        mime = imaging.sniff(file.read(imaging.HEAD)) or ""
    if mime not in imaging.TYPES or mime.startswith("image/"):
        raise Invalid("File content type is invalid")
    return await _keep(url, Recipe.FILM, mime, [(path, imaging.TYPES[mime])])


async def _keep_picture(url: str, recipe: Recipe, made: Made) -> Cached:
    files = [(made.file, made.suffix)]
    if made.small is not None and made.small_suffix is not None:
        files.append((made.small, made.small_suffix))
    return await _keep(url, recipe, made.mime, files)


async def _keep(url: str, recipe: Recipe, mime: str, files: list[tuple[Path, str]]) -> Cached:
    """Move the files to where they stay and write the row. When that fails they go again."""
    keys: list[str] = []
    complete = False
    try:
        size = sum([(await asyncio.to_thread(path.stat)).st_size for path, _ in files])
        await cached_files.make_room(size)
        for path, suffix in files:
            keys.append(await storage.current().save(path, suffix))
        kept = await cached_files.keep(url, recipe, mime, (keys[0], keys[-1] if keys[1:] else ""), size)
        complete = True
        return kept
    finally:
        if not complete:
            for key in keys:
                await storage.current().remove(key)
            for path, _ in files:
                await asyncio.to_thread(path.unlink, missing_ok=True)


def _pause(error: Outside | Invalid) -> int:
    passing = isinstance(error, Unreachable) or (
        isinstance(error, Unwelcome) and error.status in _PASSING_STATUSES
    )
    return _PASSING if passing else _LASTING


def _most_bytes(recipe: Recipe) -> int:
    limits = settings().limits
    match recipe:
        case Recipe.FILM:
            return limits.video_megabytes * _MEGABYTE
        case Recipe.EMOJI:
            return _EMOJI_BYTES
        case _:
            return limits.image_megabytes * _MEGABYTE


def _limits() -> Limits:
    return Limits(image_bytes=settings().limits.image_megabytes * _MEGABYTE)
