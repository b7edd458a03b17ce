"""Our things as other servers read them: pure functions, one for each noun, and what they are made from.

    actors       people, the server itself, those who are gone
    posts        Note and Question, boosts, tombstones
    collections  OrderedCollection and its pages
    activities   what wraps them, and the bytes that travel

Every document is compact JSON-LD whose terms are all in `vocabulary.CONTEXT` (FEDERATION §2, §3). Only what
has no door around it yet leaves here without `@context`: `with_context` adds it.

`load` and `load_many` read what a post's document says; nothing else here asks the database.
"""

from fediblog.activitypub.documents.activities import activity, create, follow, like, with_context
from fediblog.activitypub.documents.actors import actor, server, suspended
from fediblog.activitypub.documents.collections import (
    Stretch,
    collection,
    counted,
    unordered,
    unordered_page,
)
from fediblog.activitypub.documents.collections import page as collection_page
from fediblog.activitypub.documents.posts import addressed, announce, note, tombstone
from fediblog.services.written import Addressed, Tally, Written, load, load_many

__all__ = [
    "Addressed",
    "Stretch",
    "Tally",
    "Written",
    "activity",
    "actor",
    "addressed",
    "announce",
    "collection",
    "collection_page",
    "counted",
    "create",
    "follow",
    "like",
    "load",
    "load_many",
    "note",
    "server",
    "suspended",
    "tombstone",
    "unordered",
    "unordered_page",
    "with_context",
]
