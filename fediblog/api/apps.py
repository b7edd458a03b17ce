"""Apps: how they register, and what a token tells about its app and its person."""

from typing import Any

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.api import answers, auth, forms
from fediblog.api.auth import scope
from fediblog.api.entities import Json
from fediblog.errors import Forbidden
from fediblog.services import apps, push_subscriptions, tokens
from fediblog.services.apps import App

blueprint = Blueprint("apps_api", __name__)


@blueprint.post("/api/v1/apps")
async def create() -> Response:
    """POST /api/v1/apps: `client_name`, `redirect_uris`, `scopes`, `website`; needs no account."""
    given = await forms.parameters()
    app, secret = await apps.register(
        forms.text(given.get("client_name")),
        _lines(given.get("redirect_uris")),
        " ".join(forms.texts(given.get("scopes"))),
        forms.text(given.get("website")),
        request.remote_addr or "",
    )
    keys = {"client_id": app.client_id, "client_secret": secret, "client_secret_expires_at": 0}
    return answers.json({**await _entity(app), **keys})


@blueprint.get("/api/v1/apps/verify_credentials")
async def verify_credentials() -> Response:
    """GET /api/v1/apps/verify_credentials, with a token of the app's own or of one of its people."""
    app = await apps.of_token(auth.bearer().app_id)
    if app is None:
        raise Forbidden("This token was made at the command line and belongs to no app")
    return answers.json(await _entity(app))


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
@scope("profile")
async def userinfo() -> Response:
    """GET or POST /oauth/userinfo: the claims of OpenID Connect Core §5.1 that we can make."""
    account = auth.account()
    return answers.json(
        {
            "iss": uris.absolute("/"),
            "sub": account.uri,
            "name": account.display_name,
            "preferred_username": account.username,
            "profile": account.url,
            "picture": uris.avatar(account.avatar),
        }
    )


async def _entity(app: App) -> Json:
    return {
        "id": str(app.id),
        "name": app.name,
        "website": app.website or None,
        "scopes": tokens.written(app.scopes).split(),
        "redirect_uris": list(app.redirect_uris),
        # All of them, as one text: how it was before there was a list of them.
        "redirect_uri": "\n".join(app.redirect_uris),
        "vapid_key": await push_subscriptions.public_key(),
    }


def _lines(value: Any) -> list[str]:
    """Addresses from a list, or from a text with one on each line."""
    return [line for text in forms.texts(value) for line in text.split()]
