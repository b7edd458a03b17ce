"""OAuth for programs: codes become tokens, tokens end, and where all of that is.

People agree on a page (web/consent.py). Faults are told as RFC 6749 §5.2 wants them, and parameters are read
from the body alone.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from quart import Blueprint, Response, request

from fediblog import reserve, uris
from fediblog.api import answers, entities, forms
from fediblog.errors import Malformed
from fediblog.services import apps, oauth, tokens
from fediblog.services.apps import App
from fediblog.services.oauth import Refusal

blueprint = Blueprint("oauth_api", __name__)


@blueprint.post("/oauth/token")
async def token() -> Response:
    """POST /oauth/token with `grant_type` authorization_code or client_credentials."""
    given = await forms.sent()
    await oauth.slow_down(request.remote_addr or "")
    kind = _text(given, "grant_type")
    if not kind:
        raise Refusal("invalid_request", "The parameter grant_type is missing.")
    if kind not in _GRANTS:
        raise Refusal("unsupported_grant_type", "The authorization grant type is not supported.")
    app = await _client(given)
    if app is None:
        raise Refusal("invalid_client", "Client authentication failed.", 401)
    made, scopes = await _GRANTS[kind](app, given)
    return answers.json(entities.token(made, scopes))


@blueprint.post("/oauth/revoke")
async def revoke() -> Response:
    """POST /oauth/revoke: `token`. 200 for one that nobody knows, 403 for one of another app."""
    given = await forms.sent()
    await oauth.revoke(_text(given, "token"), await _client(given))
    return answers.json({})


@blueprint.get("/.well-known/oauth-authorization-server")
async def metadata() -> Response:
    """Where everything is and what it can do (RFC 8414)."""
    methods = ["client_secret_basic", "client_secret_post"]
    answer = answers.json(
        {
            "issuer": uris.absolute("/"),
            "authorization_endpoint": uris.absolute("/oauth/authorize"),
            "token_endpoint": uris.absolute("/oauth/token"),
            "revocation_endpoint": uris.absolute("/oauth/revoke"),
            "userinfo_endpoint": uris.absolute("/oauth/userinfo"),
            "app_registration_endpoint": uris.absolute("/api/v1/apps"),
            "scopes_supported": sorted(tokens.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(_GRANTS),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": uris.absolute("/docs/api"),
        }
    )
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@blueprint.errorhandler(Refusal)
async def refused(error: Refusal) -> Response:
    """A fault in the words of the RFC."""
    answer = answers.json({"error": error.code, "error_description": error.message}, error.http_status)
    if error.http_status == 401 and "Authorization" in request.headers:
        answer.headers["WWW-Authenticate"] = 'Basic realm="OAuth", charset="UTF-8"'
    return answer


@blueprint.errorhandler(Malformed)
async def malformed(error: Malformed) -> Response:
    """The same for what could not even be read."""
    return await refused(Refusal("invalid_request", error.message))


async def _from_code(app: App, given: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    names = ("code", "redirect_uri", "code_verifier")
    code, redirect_uri, verifier = (_text(given, name) for name in names)
    if not code or not redirect_uri:
        raise Refusal("invalid_request", "The parameters code and redirect_uri are needed.")
    return await oauth.exchange(app, code, redirect_uri, verifier)


async def _for_app(app: App, given: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    return await oauth.for_app(app, _text(given, "scope"))


_GRANTS = {"authorization_code": _from_code, "client_credentials": _for_app}


async def _client(given: Mapping[str, Any]) -> App | None:
    """The app that asks, by its id and secret in the head or in the body; None when they do not hold."""
    named = (_text(given, "client_id"), _text(given, "client_secret"))
    in_head = _basic()
    # RFC 6749 §2.3: one way at a time. What is the same twice does no harm, and there are apps that do it.
    if in_head and any(body and body != head for body, head in zip(named, in_head, strict=True)):
        raise Refusal("invalid_request", "The app is named twice, and differently.")
    return await apps.authenticate(*(in_head or named))


def _basic() -> tuple[str, str] | None:
    """Id and secret in the head (RFC 6749 §2.3.1: each encoded as in a form). None when there are none."""
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Refusal("invalid_client", "Client authentication failed.", 401) from None
    return unquote_plus(name), unquote_plus(secret)


def _text(given: Mapping[str, Any], name: str) -> str:
    return forms.text(given.get(name))


# Both write little, and people shall get in and out while the disk is full.
for _view in (token, revoke):
    setattr(_view, reserve.MARK, True)
