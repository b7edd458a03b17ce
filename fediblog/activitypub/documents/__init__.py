"""Our things as other servers read them: pure functions, one for each noun, and what they are made from.

    actors       people, the server itself, those who are gone
    posts        Note and Question, boosts, tombstones
    collections  OrderedCollection and its pages
    activities   what wraps them, and the bytes that travel

Every document is compact JSON-LD whose terms are all in `vocabulary.CONTEXT` (FEDERATION §2, §3). Only what
has no door around it yet leaves here without `@context`: `with_context` adds it.

`load` and `load_many` read what a post's document says; nothing else here asks the database.
"""

from fediblog.activitypub.documents.activities import (
    activity,
    create,
    follow,
    like,
    quote_authorization,
    quote_request,
    with_context,
)
from fediblog.activitypub.documents.actors import actor, featured_tags_uri, server, suspended
from fediblog.activitypub.documents.collections import Stretch, collection, counted, replies_page, unordered
from fediblog.activitypub.documents.collections import page as collection_page
from fediblog.activitypub.documents.parts import Document, hashtag
from fediblog.activitypub.documents.posts import addressed, announce, boost, note, tombstone
from fediblog.services.written import Addressed, Boosted, Tally, Written, load, load_many

__all__ = [
    "Addressed",
    "Boosted",
    "Document",
    "Stretch",
    "Tally",
    "Written",
    "activity",
    "actor",
    "addressed",
    "announce",
    "boost",
    "collection",
    "collection_page",
    "counted",
    "create",
    "featured_tags_uri",
    "follow",
    "hashtag",
    "like",
    "load",
    "load_many",
    "note",
    "quote_authorization",
    "quote_request",
    "replies_page",
    "server",
    "suspended",
    "tombstone",
    "unordered",
    "with_context",
]
