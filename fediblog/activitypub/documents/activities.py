"""Activities, and the bytes that travel (FEDERATION §5)."""

from collections.abc import Sequence
from typing import Any

import orjson

from fediblog import moments, uris
from fediblog.activitypub.documents.parts import Document
from fediblog.activitypub.documents.posts import addressed, note
from fediblog.activitypub.vocabulary import CONTEXT
from fediblog.services.written import Written


def activity(
    kind: str, id: str, actor: str, object: Any, to: Sequence[str] = (), cc: Sequence[str] = (), **more: Any
) -> Document:
    """Somebody does something to something; `object` is an id or a document.

    `id` is made from a row, not from chance: the same activity has the same one at every attempt.
    """
    made: Document = {"id": id, "type": kind, "actor": actor, "object": object}
    if to:
        made["to"] = list(to)
    if cc:
        made["cc"] = list(cc)
    return made | more


def create(written: Written) -> Document:
    """The activity that published a post, with the post in it and addressed as the post is."""
    to, cc = addressed(written)
    body = written.body
    return activity(
        "Create",
        uris.create_uri(body.id),
        written.author.uri,
        note(written),
        to,
        cc,
        published=moments.iso(body.created_at),
    )


def follow(uri: str, follower: str, followed: str) -> Document:
    """Somebody asks to follow somebody: what an Accept of it carries whole."""
    return activity("Follow", uri, follower, followed, [followed])


def like(uri: str, who: str, post: str, author: str) -> Document:
    """Somebody likes a post."""
    return activity("Like", uri, who, post, [author])


def quote_request(uri: str, who: str, quoted: str, quote: Any, author: str) -> Document:
    """Somebody asks whether a post, an id or a document, may quote another (FEP-044f)."""
    return activity("QuoteRequest", uri, who, quoted, [author], instrument=quote)


def quote_authorization(uri: str, who: str, quote: str, quoted: str) -> Document:
    """The consent of `who` to be quoted, in this post with this one. Arguments are ids."""
    made: Document = {"id": uri, "type": "QuoteAuthorization", "attributedTo": who}
    return made | {"interactingObject": quote, "interactionTarget": quoted}


def with_context(document: Document) -> bytes:
    """A document as it travels, with the context in front: some readers look at the beginning only."""
    return orjson.dumps({"@context": CONTEXT, **document})
