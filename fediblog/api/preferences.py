"""What one's settings say about writing and reading, for apps that follow them."""

from quart import Blueprint, Response

from fediblog.api import answers, auth, entities
from fediblog.api.auth import scope
from fediblog.models import Quotable, Visibility
from fediblog.services import quotable

blueprint = Blueprint("preferences_api", __name__, url_prefix="/api/v1/preferences")


@blueprint.get("")
@scope("read:accounts")
async def show() -> Response:
    """GET /api/v1/preferences. About reading there are no settings here, so apps hear what the site does."""
    user = auth.user()
    return answers.json(
        {
            "posting:default:visibility": entities.VISIBILITIES[Visibility(user.default_visibility)],
            "posting:default:sensitive": user.default_sensitive,
            "posting:default:language": user.default_language or None,
            "posting:default:quote_policy": quotable.choice(Quotable(user.default_quote_policy)),
            "reading:expand:media": "default",
            "reading:expand:spoilers": False,
            "reading:autoplay:gifs": False,
        }
    )
