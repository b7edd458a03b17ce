"""Serving stored files, ours and those of other servers that rows of ours name.

The type follows from the name alone, and the file is in a box from which nothing gets out.
"""

import asyncio

from quart import Blueprint, Response, request
from quart.wrappers.response import FileBody
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from fediblog import storage
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.services import media_cache, remote_files
from fediblog.services.remote_files import Wanted
from fediblog.storage import TYPES
from fediblog.web import headers, who

blueprint = Blueprint("media", __name__)

_POLICY = "default-src 'none'; sandbox"
_FOR_EVER = "public, max-age=31536000, immutable"
_PRIVATELY = "private, max-age=3600"
_BRIEFLY = "private, max-age=60"
_CHUNK = 64 * 1024
# A large file on a slow line takes its time; Quart would cut it off after a minute.
_LONGEST = 3600


@blueprint.get("/media/<path:key>")
async def show(key: str) -> Response:
    """A file, or the part of it that is asked for."""
    return await _file(key, _FOR_EVER)


@blueprint.get("/media/remote/attachments/<int:media_id>")
async def attachment(media_id: int) -> Response:
    """A picture, film or sound on a post of another server."""
    return await _remote(await remote_files.attachment(media_id, False, await _viewer(), _key()))


@blueprint.get("/media/remote/attachments/<int:media_id>/small")
async def small_attachment(media_id: int) -> Response:
    """The small picture of the same."""
    return await _remote(await remote_files.attachment(media_id, True, await _viewer(), _key()))


@blueprint.get("/media/remote/avatars/<int:account_id>")
async def avatar(account_id: int) -> Response:
    """The picture of somebody elsewhere."""
    return await _remote(await remote_files.avatar(account_id, _key()))


@blueprint.get("/media/remote/headers/<int:account_id>")
async def header(account_id: int) -> Response:
    """The banner of somebody elsewhere."""
    return await _remote(await remote_files.header(account_id, _key()))


@blueprint.get("/media/remote/emoji/accounts/<int:account_id>/<shortcode>")
async def account_emoji(account_id: int, shortcode: str) -> Response:
    """An emoji in a name or profile."""
    return await _remote(await remote_files.emoji_of_account(account_id, shortcode, _key()))


@blueprint.get("/media/remote/emoji/posts/<int:post_id>/<shortcode>")
async def post_emoji(post_id: int, shortcode: str) -> Response:
    """An emoji in the text of a post."""
    return await _remote(await remote_files.emoji_of_post(post_id, shortcode, await _viewer(), _key()))


@blueprint.get("/media/remote/cards/<int:card_id>")
async def card(card_id: int) -> Response:
    """The picture of a page that a post links to."""
    return await _remote(await remote_files.card(card_id, _key()))


@blueprint.errorhandler(NotFound)
async def missing(_: NotFound) -> Response:
    """Not there, not for this viewer, or not to be had: one answer, and it may be another soon."""
    response = Response(NotFound.default, status=404, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = _BRIEFLY
    return headers.plain(response)


async def _viewer() -> Account | None:
    """Who looks. These are no pages, so nobody has asked yet."""
    await who.arrive()
    return who.viewer()


def _key() -> str:
    return request.args.get("k", "")


async def _remote(wanted: Wanted) -> Response:
    """A file of another server. An address without the right key may come to mean another file."""
    key = await media_cache.get(wanted)
    return await _file(key, _FOR_EVER if wanted.keyed else _PRIVATELY)


async def _file(key: str, kept: str) -> Response:
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
    response.headers["Cache-Control"] = kept
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
