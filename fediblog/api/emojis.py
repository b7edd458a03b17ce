"""The custom emoji that can be used here."""

from quart import Blueprint, Response

from fediblog import uris
from fediblog.api import answers
from fediblog.services import emojis

blueprint = Blueprint("emojis_api", __name__, url_prefix="/api/v1/custom_emojis")


@blueprint.get("")
async def listing() -> Response:
    """GET /api/v1/custom_emojis."""
    return answers.json(
        [
            {
                "shortcode": emoji.shortcode,
                "url": uris.absolute(emoji.path),
                "static_url": uris.absolute(emoji.path),
                "visible_in_picker": emoji.listed,
                "category": emoji.category or None,
            }
            for emoji in await emojis.listing()
        ]
    )
