"""What a list shows, read without ORM objects (PERFORMANCE, TIMELINES §4-§5).

A list is one statement: the ids of the page and one shared tail that adds versions, counters and the
viewer's flags to each: an `Entry`. What does not change between two versions of a post is its `Body`, of an
account its `Card`; doors render these once per (id, version) and keep the result, so a warm page costs one
query and a cold one three, whatever it holds.
"""

from fediblog.services.views.bodies import bodies, body, card, cards, counts, looks, media_view, people
from fediblog.services.views.entries import entries, page, statement
from fediblog.services.views.shapes import (
    Ballot,
    Body,
    Card,
    Counts,
    EmojiView,
    Entry,
    LinkView,
    Listing,
    MediaView,
    MentionView,
    PollView,
    Quoting,
    Standing,
)

__all__ = [
    "Ballot",
    "Body",
    "Card",
    "Counts",
    "EmojiView",
    "Entry",
    "LinkView",
    "Listing",
    "MediaView",
    "MentionView",
    "PollView",
    "Quoting",
    "Standing",
    "bodies",
    "body",
    "card",
    "cards",
    "counts",
    "entries",
    "looks",
    "media_view",
    "page",
    "people",
    "statement",
]
