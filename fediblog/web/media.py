"""Serving stored files: a type that follows from the name alone, and a box from which nothing gets out."""

import asyncio

from quart import Blueprint, Response, request
from quart.wrappers.response import FileBody
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from fediblog import storage
from fediblog.errors import NotFound
from fediblog.storage import TYPES
from fediblog.web import headers

blueprint = Blueprint("media", __name__)

_POLICY = "default-src 'none'; sandbox"
_FOR_EVER = "public, max-age=31536000, immutable"
_CHUNK = 64 * 1024
# A large file on a slow line takes its time; Quart would cut it off after a minute.
_LONGEST = 3600


@blueprint.get("/media/<path:key>")
async def show(key: str) -> Response:
    """A file, or the part of it that is asked for."""
    path = storage.current().path(key)
    try:
        body = await asyncio.to_thread(FileBody, path, buffer_size=_CHUNK)
    except FileNotFoundError:
        raise NotFound from None
    response = Response(body, content_type=TYPES[key.rpartition(".")[2]])
    response.content_length = body.size
    response.timeout = _LONGEST
    response.set_etag(key)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["Content-Security-Policy"] = _POLICY
    # Pages of other servers and apps show these.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    headers.plain(response)
    await response.make_conditional(request)
    return response if response.status_code == 304 else await _cut(response, body)


async def _cut(response: Response, body: FileBody) -> Response:
    """Leave the one part that is asked for (RFC 9110 §14). Several at once get the whole, as they may.

    Quart's own way knows no part that is counted from the end.
    """
    wanted = parse_range_header(request.headers.get("Range"))
    changed = "If-Range" in request.headers and request.headers["If-Range"] != response.headers["ETag"]
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1 or changed:
        return response
    start, end = wanted.ranges[0]
    start = max(start + body.size, 0) if start < 0 else start
    end = min(body.size if end is None else end, body.size)
    if start >= end:
        raise RequestedRangeNotSatisfiable(body.size)
    await body.make_conditional(start, end)
    response.status_code = 206
    response.content_length = end - start
    response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{body.size}"
    return response
