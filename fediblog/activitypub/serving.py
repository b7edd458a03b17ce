"""Answers to other servers: documents with the headers that go with them (FEDERATION §1.6)."""

from collections.abc import Hashable
from hashlib import sha1

from quart import Response, jsonify, redirect, request

from fediblog.activitypub import askers, documents
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, wants_activity
from fediblog.config import settings
from fediblog.errors import FediblogError
from fediblog.remembering import Shelf
from fediblog.services.listed import Buried

# Short: what is deleted shall be gone. Shared caches take the rush that follows a delivery.
_PUBLIC = "public, max-age=10, s-maxage=30"
_PRIVATE = "private, no-store"
_TWO_YEARS = "max-age=63072000"
_BUDGET = 8 * 1024 * 1024


def wanted() -> bool:
    """Whether the one who asks reads ActivityStreams and no pages."""
    return wants_activity(", ".join(request.headers.getlist("Accept")))


async def document(body: bytes, status: int = 200, kind: str = ACTIVITY_JSON) -> Response:
    """A document, or that it has not changed since it was asked for before."""
    response = Response(body, status, content_type=f"{kind}; charset=utf-8")
    if status == 200 and not askers.is_looked_at():
        response.headers["Cache-Control"] = _PUBLIC
        # Scripts of other sites may read what everybody may.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["ETag"] = f'"{sha1(body, usedforsecurity=False).hexdigest()}"'
        if "If-None-Match" in request.headers:
            await response.make_conditional(request)
    return await dress(response)


async def made(thing: documents.Document) -> Response:
    """The same from a document that is made for this answer only."""
    return await document(documents.with_context(thing))


async def gone(buried: Buried) -> Response:
    """410: what was here is deleted, and whoever keeps a copy should delete it (FEDERATION §1.7)."""
    return await document(documents.with_context(documents.tombstone(*buried)), 410)


async def page(path: str) -> Response:
    """Off to where people read it."""
    response = redirect(path, 302)
    assert isinstance(response, Response)
    return await dress(response)


async def refused(error: FediblogError) -> Response:
    """An error for a program, where otherwise there would be a page."""
    response = jsonify({"error": error.message})
    response.status_code = error.http_status
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return await dress(response)


async def dress(response: Response) -> Response:
    """The headers of whatever is answered here, refusals too."""
    response.vary.update(("Accept", "Signature") if _depends() else ("Accept",))
    response.headers.setdefault("Cache-Control", _PRIVATE)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    if settings().secure:
        response.headers["Strict-Transport-Security"] = _TWO_YEARS
    return response


def _depends() -> bool:
    return askers.is_looked_at() or settings().federation.authorized_fetch


class Kept:
    """Documents as bytes, by whatever they depend on."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._shelf: Shelf[bytes] = Shelf(budget)

    def get(self, *key: Hashable) -> bytes | None:
        """The bytes, if they are here."""
        return self._shelf.get((settings().origin, key))

    def put(self, body: bytes, *key: Hashable) -> bytes:
        """Keep them; gives them back."""
        self._shelf.put((settings().origin, key), body, len(body))
        return body
