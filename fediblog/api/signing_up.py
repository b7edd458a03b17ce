"""Signing up from an app, and what it may do until the address is confirmed."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from fediblog.allowances import Budget
from fediblog.api import answers, auth, entities, forms
from fediblog.api.auth import scope
from fediblog.errors import Forbidden, Invalid
from fediblog.services import app_signups, apps, emails, languages, names, passwords, signups, tokens
from fediblog.services.apps import App
from fediblog.services.signups import SignUp

blueprint = Blueprint("signing_up_api", __name__, url_prefix="/api/v1")

# As Mastodon documents it (CLIENT-API §3.9).
_SIGNING_UP = Budget("api sign-ups", 5, 1_800)

_AGREE = "Please read the rules and agree to them."
_NO_APP = "This token was made at the command line and belongs to no app"
_NOT_WAITING = "This method is only available while the e-mail is awaiting confirmation"
_OTHER_ADDRESS = "The address of a sign-up cannot be changed. Please sign up again with the other one."

# The kind of a fault where its sentence says more than the value does.
_KINDS = {
    names.TAKEN: "ERR_TAKEN",
    names.ALIKE: "ERR_TAKEN",
    names.RESERVED: "ERR_RESERVED",
    signups.EMAIL_TAKEN: "ERR_TAKEN",
    _AGREE: "ERR_ACCEPTED",
}
_LONGEST = {"username": names.LONGEST, "email": emails.LONGEST, "password": passwords.LONGEST}


@blueprint.post("/accounts")
async def sign_up() -> Response:
    """POST /api/v1/accounts, with a token of the app: a token that works once its user is let in."""
    app = await _app()
    auth.spend(_SIGNING_UP, auth.network())
    given = await forms.parameters()
    form = _form(given)
    try:
        if not forms.boolean(given.get("agreement")):
            raise Invalid(_AGREE, field="agreement")
        made = await app_signups.register(form, app, request.remote_addr or "")
    except Invalid as refused:
        return _refused(refused, form)
    return answers.json(entities.token(made, app.scopes))


@blueprint.get("/emails/check_confirmation")
@scope("read:accounts", waiting=True)
async def is_confirmed() -> Response:
    """GET /api/v1/emails/check_confirmation: a bare `true` or `false`."""
    pending = auth.pending()
    return answers.json(pending is None or pending.confirmed)


@blueprint.post("/emails/confirmations")
@scope("write:accounts", waiting=True)
async def send_again() -> Response:
    """POST /api/v1/emails/confirmations: another mail with a link; `email` may only be the same."""
    pending = auth.pending()
    if pending is None or pending.confirmed:
        raise Forbidden(_NOT_WAITING)
    email = forms.text((await forms.parameters()).get("email"))
    # Another address could be somebody's here, and whether a mail came to it would tell.
    if email and emails.find_key(email) != emails.key(pending.email):
        raise Invalid(_OTHER_ADDRESS, field="email")
    await signups.request_confirmation(pending.email, request.remote_addr or "")
    return answers.json({})


async def _app() -> App:
    """The app that asks. Raises Unauthenticated without a token, Forbidden for one that may not do this."""
    bearer = auth.bearer()
    if not tokens.covers(bearer.scopes, "write:accounts"):
        raise Forbidden("This action is outside the authorized scopes")
    app = await apps.of_token(bearer.app_id)
    if app is None:
        raise Forbidden(_NO_APP)
    return app


def _form(given: Mapping[str, Any]) -> SignUp:
    locale = forms.text(given.get("locale")).replace("_", "-")
    return SignUp(
        username=forms.text(given.get("username")),
        email=forms.text(given.get("email")),
        password=forms.text(given.get("password")),
        reason=forms.text(given.get("reason")),
        invite_code=forms.text(given.get("invite_code")),
        # It is the phone that chooses it: nobody could do anything about a fault in it.
        locale=locale if languages.known(locale) else "en",
    )


def _refused(error: Invalid, form: SignUp) -> Response:
    """All faults, each with its field and a word that programs know (CLIENT-API §3.6)."""
    details = {
        name: [{"error": _kind(name, sentence, getattr(form, name, "")), "description": sentence}]
        for name, sentence in error.fields.items()
    }
    sentence = f"Validation failed: {' '.join(error.fields.values())}" if details else error.message
    return answers.json({"error": sentence, "details": details}, error.http_status)


def _kind(name: str, sentence: str, value: str) -> str:
    if sentence in _KINDS:
        return _KINDS[sentence]
    if not value.strip():
        return "ERR_BLANK"
    if name == "password" and len(value) < passwords.SHORTEST:
        return "ERR_TOO_SHORT"
    if name == "reason" or len(value) > _LONGEST.get(name, len(value)):
        return "ERR_TOO_LONG"
    return "ERR_INVALID"
