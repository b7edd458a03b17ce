"""Pieces that actors and posts have in common."""

from collections.abc import Mapping
from typing import Any

from fediblog import uris
from fediblog.storage import TYPES

Document = dict[str, Any]


def picture(key: str) -> Document:
    """A stored picture. Its type follows from the name; without one Pleroma and Misskey drop it."""
    return {"type": "Image", "mediaType": TYPES[key.rpartition(".")[2]], "url": uris.media(key)}


def hashtag(name: str) -> Document:
    """A hashtag as it is written, with its page here."""
    return {"type": "Hashtag", "href": uris.tag_page(name), "name": f"#{name}"}


def emoji(given: Mapping[str, Any]) -> Document:
    """A custom emoji that a text uses, from `{"shortcode": …, "url": …}`."""
    url = given["url"]
    kind = TYPES.get(url.rpartition(".")[2].lower(), "image/png")
    return {
        "id": url,
        "type": "Emoji",
        "name": f":{given['shortcode']}:",
        "icon": {"type": "Image", "mediaType": kind, "url": url},
    }
