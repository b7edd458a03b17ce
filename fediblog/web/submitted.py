"""A form that was sent, as it arrives: texts into memory, files into the storage's workshop.

Nothing is kept before the form has shown that it comes from a page of ours, files are never held in memory,
and what no view has taken is thrown away when the request ends. Text that is not UTF-8 and NUL bytes are
refused with 400: no browser sends them.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from quart import g, request
from werkzeug.exceptions import RequestTimeout
from werkzeug.sansio.multipart import Data, Event, Field, File, MultipartDecoder, NeedData

from fediblog import storage
from fediblog.config import Config, settings
from fediblog.errors import Malformed, TooLarge, Unsupported
from fediblog.web import csrf

MEGABYTE = 1024 * 1024

_MOST_FIELDS = 300
_MOST_TEXT = MEGABYTE
_SLICE = 64 * 1024
_LONGEST_NUMBER = 19


class Upload(NamedTuple):
    """A file of a form: where it waits, or why it was not taken."""

    path: Path | None
    fault: str = ""


class Form:
    """What was filled in. Names that nobody asks for are ignored."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = defaultdict(list)
        self.files: dict[str, Upload] = {}

    def text(self, name: str, default: str = "") -> str:
        """A field, `default` when it was not sent."""
        return self.fields[name][0] if name in self.fields else default

    def all(self, name: str) -> list[str]:
        """A field that may come several times."""
        return self.fields.get(name, [])

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def number(self, name: str) -> int | None:
        """A whole number, None for anything else."""
        return whole(self.text(name))

    def numbers(self, name: str) -> list[int]:
        """Whole numbers. Raises Malformed for anything else, which no page of ours sends."""
        found = [whole(value) for value in self.all(name)]
        if None in found:
            raise Malformed
        return [number for number in found if number is not None]

    def take(self, name: str) -> Upload:
        """A file, for the caller to deal with from now on."""
        return self.files.pop(name, Upload(None))


def form() -> Form:
    """The form of this request."""
    found: Form = g.form
    return found


def whole(value: str) -> int | None:
    """A number from 0 that fits into an id."""
    fits = value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER
    return int(value) if fits and int(value) < 1 << 63 else None


def most_bytes(config: Config) -> int:
    """The most that a form with files may be: all files at their largest, and some text."""
    return max(config.limits.max_media, 2) * _most_of_a_file(config) + 2 * MEGABYTE


async def read(takes_files: bool) -> None:
    """Read the form of this request into its place.

    Raises Forbidden for a forged one, Malformed, Unsupported and TooLarge for what cannot be read.
    """
    g.form = Form()
    try:
        async with asyncio.timeout(request.body_timeout):
            await _read(g.form, takes_files)
    except TimeoutError:
        raise RequestTimeout from None
    csrf.check(g.form.fields)


async def clear(_: BaseException | None = None) -> None:
    """Throw away the files that no view has taken."""
    left: Form | None = g.get("form")
    if left is not None:
        for upload in left.files.values():
            if upload.path is not None:
                await asyncio.to_thread(upload.path.unlink, missing_ok=True)


async def _read(form: Form, takes_files: bool) -> None:
    match request.mimetype:
        case "application/x-www-form-urlencoded":
            for name, value in _pairs(
                await request.get_data(cache=False, as_text=False, parse_form_data=False)
            ):
                form.fields[name].append(value)
        case "multipart/form-data":
            await _Parts(form, takes_files).read()
        case _:
            raise Unsupported


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Malformed from None
    for name, value in pairs:
        _check(name, value)
    return pairs


def _check(*texts: str) -> None:
    if any("\0" in text for text in texts):
        raise Malformed


class _Parts:
    """The parts of a multipart form (RFC 7578), one after the other."""

    def __init__(self, form: Form, takes_files: bool) -> None:
        self._form = form
        self._takes_files = takes_files
        self._text = 0

    async def read(self) -> None:
        """Read all of them."""
        try:
            async with aclosing(_events()) as events:
                async for event in events:
                    if isinstance(event, Field):
                        await self._field(event, events)
                    elif isinstance(event, File):
                        await self._file(event, events)
        except ValueError:  # The decoder's word, and that of UTF-8.
            raise Malformed from None

    async def _field(self, field: Field, events: AsyncGenerator[Event, None]) -> None:
        value = b"".join([data async for data in self._counted(_Part(events))])
        text = value.decode("utf-8")
        _check(_name(field), text)
        self._form.fields[field.name].append(text)

    async def _counted(self, part: "_Part") -> AsyncIterator[bytes]:
        async for data in part:
            self._text += len(data)
            if self._text > _MOST_TEXT:
                raise TooLarge
            yield data

    async def _file(self, file: File, events: AsyncGenerator[Event, None]) -> None:
        name, part = _name(file), _Part(events)
        if not file.filename:  # A field for a file that was left empty.
            return await part.skip()
        if not self._takes_files or name in self._form.files:
            raise Malformed
        csrf.check(self._form.fields)
        self._form.files[name] = await _keep(part)


class _Part:
    """The data of one part, to be read once."""

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        self._events = events
        self._over = False

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        while not self._over:
            event = await anext(self._events)
            if isinstance(event, Data):
                self._over = not event.more_data
                yield event.data

    async def skip(self) -> None:
        """Read to the end of it."""
        async for _ in self:
            pass


async def _keep(part: _Part) -> Upload:
    """A file of the form in the workshop. One that is too large is read to its end, so that the rest of the
    form is not lost with it."""
    try:
        async with aclosing(part.__aiter__()) as chunks:
            path = await storage.current().receive(chunks, _most_of_a_file(settings()))
    except TooLarge as error:
        await part.skip()
        return Upload(None, error.message)
    return Upload(path)


async def _events() -> AsyncGenerator[Event, None]:
    """What the decoder finds. It gets small slices, so that it never holds more than the frame of a part."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise Malformed
    decoder = MultipartDecoder(boundary, 4 * _SLICE, max_parts=_MOST_FIELDS)
    left = request.max_content_length or 0
    async for data in request.body:
        left -= len(data)
        if left < 0:
            raise TooLarge
        for start in range(0, len(data), _SLICE):
            decoder.receive_data(data[start : start + _SLICE])
            for event in _drained(decoder):
                yield event
    decoder.receive_data(None)
    decoder.next_event()  # Complains when the end is missing.


def _drained(decoder: MultipartDecoder) -> Iterator[Event]:
    while not isinstance(event := decoder.next_event(), NeedData):
        yield event


def _name(part: Field | File) -> str:
    if not part.name:
        raise Malformed
    return part.name


def _most_of_a_file(config: Config) -> int:
    return max(config.limits.image_megabytes, config.limits.video_megabytes) * MEGABYTE
