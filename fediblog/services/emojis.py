"""The custom emoji of this server, as people may use them."""

from typing import NamedTuple

from fediblog import db, uris


class CustomEmoji(NamedTuple):
    """An emoji by its name without colons. `listed` ones stand in the pickers of apps."""

    shortcode: str
    path: str
    category: str
    listed: bool


async def listing() -> list[CustomEmoji]:
    """All that are switched on and have a picture, by category and name."""
    return [
        CustomEmoji(line["shortcode"], uris.media_path(line["file"]), line["category"], bool(line["listed"]))
        for line in await db.rows(_LISTING)
    ]


_LISTING = """
SELECT shortcode, file, category, listed FROM emoji
WHERE domain = '' AND NOT disabled AND file <> '' ORDER BY category, shortcode
"""
