"""Serving stored files: a type that follows from the name alone, and a box from which nothing gets out."""

import asyncio

from quart import Blueprint, Response, request
from quart.wrappers.response import FileBody

from fediblog import storage
from fediblog.errors import NotFound
from fediblog.storage import TYPES
from fediblog.web import headers

blueprint = Blueprint("media", __name__)

_POLICY = "default-src 'none'; sandbox"
_FOR_EVER = "public, max-age=31536000, immutable"
_CHUNK = 64 * 1024


@blueprint.get("/media/<path:key>")
async def show(key: str) -> Response:
    """A file, or the part of it that is asked for (RFC 9110 §14)."""
    path = storage.current().path(key)
    try:
        body = await asyncio.to_thread(FileBody, path, buffer_size=_CHUNK)
    except FileNotFoundError:
        raise NotFound from None
    response = Response(body, content_type=TYPES[key.rpartition(".")[2]])
    response.content_length = body.size
    response.set_etag(key)
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["Content-Security-Policy"] = _POLICY
    # Pages of other servers and apps show these.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    headers.plain(response)
    await response.make_conditional(request, accept_ranges=True, complete_length=body.size)
    return response
