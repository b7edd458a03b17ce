"""Fetching: documents into memory, media onto the disk, through redirects and within one deadline."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

import httpx

from fediblog.errors import NoSpace
from fediblog.http import opening
from fediblog.http.bodies import pieces
from fediblog.http.errors import Refused, TooMuch, Unwelcome
from fediblog.http.exchange import Outgoing, Signer, deadline
from fediblog.http.fields import MediaType, fits_one, media_type, retry_after
from fediblog.http.urls import check_url

DOCUMENT_BYTES = 1024 * 1024
DOCUMENT_SECONDS = 10
MEDIA_SECONDS = 60
MOST_REDIRECTS = 5

_MOVED = (301, 302, 303, 307, 308)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Fetched:
    """A document. `url_final` is where it was after all redirects: the only place it has authority from."""

    url_final: str
    status: int
    headers: Mapping[str, str]
    content_type: MediaType
    body: bytes


@dataclass(frozen=True)
class Saved:
    """A file on our disk and where it came from. Its type is what the peer says, so not to be trusted."""

    url_final: str
    status: int
    headers: Mapping[str, str]
    content_type: MediaType
    size: int


async def fetch(
    url: str,
    *,
    accept: Sequence[str],
    most_bytes: int = DOCUMENT_BYTES,
    seconds: float = DOCUMENT_SECONDS,
    redirects: int = MOST_REDIRECTS,
    headers: Mapping[str, str] | None = None,
    signer: Signer | None = None,
) -> Fetched:
    """Fetch a document of one of the media types in `accept`, which may hold ranges such as `image/*`.

    `headers` and the signature go to every server that redirects lead to. Raises Refused, TooMuch,
    Unwelcome (any status but 2xx, another type) and Unreachable, all within `seconds`.
    """
    wish = _Wish(url, accept, redirects, headers or {}, signer)
    async with deadline(seconds), _arrival(wish) as (final, kind, response):
        body = b"".join([piece async for piece in pieces(response, most_bytes)])
    return Fetched(final, response.status_code, dict(response.headers), kind, body)


async def fetch_to_file(
    url: str,
    path: Path,
    *,
    accept: Sequence[str],
    most_bytes: int,
    seconds: float = MEDIA_SECONDS,
    redirects: int = MOST_REDIRECTS,
    headers: Mapping[str, str] | None = None,
    signer: Signer | None = None,
) -> Saved:
    """As `fetch`, into a new file at `path`; when anything goes wrong there is none.

    Raises NoSpace, too, when the disk is full, and FileExistsError when something is at `path` already.
    """
    wish = _Wish(url, accept, redirects, headers or {}, signer)
    async with deadline(seconds), _arrival(wish) as (final, kind, response):
        size = await _save(path, pieces(response, most_bytes))
    return Saved(final, response.status_code, dict(response.headers), kind, size)


@dataclass(frozen=True)
class _Wish:
    url: str
    accept: Sequence[str]
    redirects: int
    headers: Mapping[str, str]
    signer: Signer | None


@asynccontextmanager
async def _arrival(wish: _Wish) -> AsyncIterator[tuple[str, MediaType, httpx.Response]]:
    """Where all redirects lead: the URL, the type and the answer, not read yet. No URL is asked twice."""
    url = check_url(wish.url)
    seen: set[str] = set()
    while url not in seen:
        if len(seen) > wish.redirects:
            raise TooMuch("redirects")
        seen.add(url)
        async with _answer(url, wish) as response:
            if response.status_code not in _MOVED:
                yield url, _checked(response, wish.accept), response
                return
            location = response.headers.get("location", "")
        url = check_url(_joined(url, location))
    raise TooMuch("redirects")


@asynccontextmanager
async def _answer(url: str, wish: _Wish) -> AsyncIterator[httpx.Response]:
    exchange = opening.current()
    outgoing = Outgoing("GET", url, {**wish.headers, "Accept": ", ".join(wish.accept)})
    async with exchange.turn(url):
        response = await exchange.ask(outgoing, wish.signer)
        try:
            yield response
        finally:
            await response.aclose()


def _joined(url: str, location: str) -> str:
    """Raises Refused for a Location that cannot be read (RFC 9110 §10.2.2)."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise Refused("url") from None


def _checked(response: httpx.Response, accept: Sequence[str]) -> MediaType:
    """The type of an answer that is what was asked for. Two Content-Types are none."""
    status = response.status_code
    if not 200 <= status <= 299:
        raise Unwelcome("status", status, retry_after(response.headers.get("retry-after")))
    kind = media_type(response.headers.get("content-type", ""))
    if kind is None or not fits_one(kind, accept):
        raise Unwelcome("type", status)
    return kind


async def _save(path: Path, chunks: AsyncIterator[bytes]) -> int:
    size = 0
    with _new_file(path) as file:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)
            size += len(chunk)
    return size


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that stays only when the block ends well."""
    with _space(), path.open("xb") as file:
        try:
            yield file
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise


@contextmanager
def _space() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise NoSpace() from error
        raise
