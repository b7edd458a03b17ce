"""Answers: JSON bytes with the headers that apps rely on, on success and on errors alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from quart import Quart, Response, request

from fediblog import paging, uris
from fediblog.api import auth, dressing, rendering
from fediblog.paging import Page
from fediblog.services.people import People
from fediblog.services.views import Listing


def json(value: Any, status: int = 200) -> Response:
    """An answer; bytes are taken to be JSON already."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return Response(body, status, content_type="application/json; charset=utf-8")


def listing(objects: Iterable[bytes], page: Page, cursors: Sequence[int]) -> Response:
    """A JSON list with a Link header to the pages around it."""
    return linked(rendering.listing(objects), page, cursors)


def linked(body: bytes, page: Page, cursors: Sequence[int]) -> Response:
    """Any JSON that shows a page, with the same header."""
    answer = json(body)
    args = [(name, value) for name, value in request.args.items(multi=True)]
    if link := paging.links(uris.absolute(quote(request.path)), args, page, list(cursors)):
        answer.headers["Link"] = link
    return answer


async def statuses(found: Listing, page: Page) -> Response:
    """A page of statuses."""
    return listing(await rendering.statuses(found.entries, auth.viewer()), page, found.cursors)


async def people(found: People, page: Page, more: Mapping[int, bytes] | None = None) -> Response:
    """A page of accounts; `more` is what some of them carry besides, as the rest of their JSON object."""
    rendered = await rendering.accounts(found.ids)
    objects = [(number, rendered[number]) for number in found.ids if number in rendered]
    whole = [json_[:-1] + more[number] if more and number in more else json_ for number, json_ in objects]
    return listing(whole, page, found.cursors)


def install(app: Quart) -> None:
    """Headers and preflights for every path of the API, known or not, right or wrong."""
    app.before_request(_preflight)
    app.asgi_app = dressing.Dressed(app.asgi_app)  # type: ignore[method-assign]


async def _preflight() -> Response | None:
    """OPTIONS never needs a token: browsers send none with it (CLIENT-API §3.8)."""
    is_ours = request.method == "OPTIONS" and request.path.startswith(dressing.PREFIXES)
    return Response("", 204) if is_ours else None
