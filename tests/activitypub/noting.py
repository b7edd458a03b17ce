"""Posts of another server, put together for one test: a Note of Eve's with whatever the test is about."""

from typing import Any

import orjson

from fediblog.activitypub import compact, reading
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.services.incoming import IncomingPost

BASE = "https://remote.example"
EVE = f"{BASE}/users/eve"
NOTE = f"{BASE}/notes/1"
OTHER = "https://other.example/notes/2"
MARCH = 1_772_612_130_000  # 2026-03-04T08:15:30Z


def node(**more: Any) -> compact.Node:
    """The document as it is read from a body. An ellipsis takes a property away."""
    made = {"id": NOTE, "type": "Note", "attributedTo": EVE, "to": [PUBLIC], "content": "<p>Hi</p>"} | more
    return compact.read(orjson.dumps({name: value for name, value in made.items() if value is not ...}))


def post(**more: Any) -> IncomingPost:
    """What is read from it, which is a post."""
    found = reading.post(node(**more))
    assert isinstance(found, IncomingPost)
    return found


def titled(url: str, title: str = "T") -> str:
    """How a title is shown, which leads to its page."""
    link = f'<a href="{url}" rel="nofollow noopener noreferrer" target="_blank">'
    return f"<p>{link}<strong>{title}</strong></a></p>"
