"""Files that come with a form: from the parser's temporary file into the storage's workshop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from quart import Quart, request
from quart.datastructures import FileStorage

from fediblog import storage
from fediblog.config import Config, settings

_MEGABYTE = 1024 * 1024
_CHUNK = 256 * 1024
# The name under which the entrance looks for the limit of a route.
LARGER = "max_body"
# What the other fields and the frame of a multipart body may take besides the file.
_FRAME = _MEGABYTE


def allow(app: Quart, config: Config, *endpoints: str) -> None:
    """Let these endpoints take a body as large as the largest file."""
    most = max(config.limits.image_megabytes, config.limits.video_megabytes) * _MEGABYTE + _FRAME
    for endpoint in endpoints:
        setattr(app.view_functions[endpoint], LARGER, most)


async def receive(name: str) -> Path | None:
    """The file of a field, moved to the workshop; None when none was sent. Raises TooLarge and NoSpace."""
    file = (await request.files).get(name)
    if file is None:
        return None
    limits = settings().limits
    most = max(limits.image_megabytes, limits.video_megabytes) * _MEGABYTE
    return await storage.current().receive(_chunks(file), most)


async def _chunks(file: FileStorage) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.stream.read, _CHUNK):
        yield chunk
