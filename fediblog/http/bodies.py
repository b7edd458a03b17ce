"""Reading an answer within its budget: counted as it comes and again after unpacking (SECURITY §4)."""

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx

from fediblog.http.errors import TooMuch, Unreachable, Unwelcome

# Of an answer that only its status matters for, so much is read to keep the connection in use.
MOST_DRAINED = 64 * 1024

_PIECE = 64 * 1024
_GZIP = 31  # zlib's window bits: the largest window, and a gzip header in front


async def pieces(response: httpx.Response, most_bytes: int) -> AsyncIterator[bytes]:
    """The unpacked body, in pieces of 64 KiB and a little more at most.

    Raises TooMuch as soon as it must be over `most_bytes`, packed or unpacked; Unwelcome for a packing that
    was not asked for; Unreachable when it breaks off.
    """
    if _announced(response) > most_bytes:
        raise TooMuch("bytes")
    budget = _Budget(most_bytes)
    unpacker = _unpacker(response)
    raw = _Budget(most_bytes)
    async for packed in response.aiter_raw():
        raw.spend(packed)
        for piece in unpacker.unpack(packed):
            budget.spend(piece)
            yield piece
    if not unpacker.complete:
        raise Unreachable("answer")


async def drain(response: httpx.Response) -> None:
    """Read what little is left, so that the connection can be used again; give up where it is much."""
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > MOST_DRAINED:
            return


class _Budget:
    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise TooMuch("bytes")


class _Plain:
    complete = True

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        yield packed


class _Gzip:
    """One gzip member (RFC 1952), unpacked a bounded step at a time.

    httpx's decoder unpacks each piece whole: 16 KiB became 16 MB before anybody could count.
    """

    def __init__(self, status: int) -> None:
        self._zlib = zlib.decompressobj(_GZIP)
        self._status = status

    @property
    def complete(self) -> bool:
        return self._zlib.eof

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._zlib.eof:
                raise Unwelcome("encoding", self._status)
            try:
                piece = self._zlib.decompress(packed, _PIECE)
            except zlib.error:
                raise Unwelcome("encoding", self._status) from None
            packed = self._zlib.unconsumed_tail or self._zlib.unused_data
            yield piece


def _unpacker(response: httpx.Response) -> _Plain | _Gzip:
    match response.headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip(response.status_code)
    raise Unwelcome("encoding", response.status_code)


def _announced(response: httpx.Response) -> int:
    """The Content-Length; aiohttp has refused what is no number, or two different ones."""
    length = response.headers.get("content-length", "")
    return int(length[:20]) if length.isdigit() else 0
