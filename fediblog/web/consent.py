"""The page on which somebody lets an app act for them, or does not (RFC 6749 §4.1.1).

What the app asks for travels in the address, and with the form as one text, so that its state comes back as
it was, byte for byte. It is checked anew at each step. Nobody is sent to an address that is not registered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from quart import Blueprint, Response, request

from fediblog import uris
from fediblog.errors import Malformed, NotFound
from fediblog.models import Account, User
from fediblog.services import apps, members, oauth
from fediblog.services.apps import OUT_OF_BAND
from fediblog.services.oauth import Refusal, Wish
from fediblog.web import answers, headers, permissions, submitted, who
from fediblog.web.faces import face_of
from fediblog.web.marks import even_when_full

blueprint = Blueprint("consent", __name__)

_PATH = "/oauth/authorize"
_NAMES = frozenset(
    "client_id redirect_uri response_type response_mode scope state"
    " code_challenge code_challenge_method".split()
)
_YES = ("1", "true", "on", "t", "yes")
# With the path of the sign-in page before it, it has to come back.
_LONGEST = answers.LONGEST_WAY_BACK - 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of an app, as they came."""

    pairs: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """One of them, empty when it was not given."""
        return dict(reversed(self.pairs)).get(name, "")

    @property
    def has_state(self) -> bool:
        """Whether there is a state to be sent back."""
        return any(name == "state" for name, _ in self.pairs)

    @property
    def repeated(self) -> bool:
        """Whether one came twice (RFC 6749 §3.1): two who read it might each believe another."""
        return len({name for name, _ in self.pairs}) < len(self.pairs)

    @property
    def query(self) -> str:
        """All of them as they stand in an address."""
        return urlencode(self.pairs)


# toot opens /oauth/authorize/?…, as Mastodon lets it.
@blueprint.get(_PATH, strict_slashes=False)
async def ask() -> Response:
    """The page; before it the sign-in, if nobody is signed in or the app wants to be sure who it is."""
    asked = _asked(request.args.items(multi=True))
    try:
        wish = await _wish(asked)
    except Refusal as error:
        return _refused(asked, error) if who.session() else _not_sent_away(asked, error)
    session = who.session()
    forced = request.args.get("force_login", "").lower() in _YES
    if session is None or forced:
        return answers.see_other(_sign_in(asked))
    headers.let_forms_end_at(apps.target(wish.redirect_uri))
    return await answers.page(
        "oauth/consent.html",
        app=wish.app,
        target=apps.shown(wish.redirect_uri),
        allowed=permissions.told(wish.scopes),
        faces=[face_of(account) for account in await _accounts(session.user)],
        chosen=session.account.id,
        asked=asked.query,
        other=_sign_in(asked),
    )


@blueprint.post(_PATH)
@even_when_full
async def answer() -> Response:
    """Yes or no. The app hears of it in the address that the browser goes on to."""
    session, form = who.member(), submitted.form()
    asked = _asked(parse_qsl(form.text("asked"), keep_blank_values=True))
    try:
        wish = await _wish(asked)
        if form.text("decision") != "allow":
            raise Refusal("access_denied", "The resource owner or authorization server denied the request.")
    except Refusal as error:
        return _refused(asked, error)
    code = await oauth.grant(wish, session.user, form.number("account") or session.account.id)
    if wish.redirect_uri == OUT_OF_BAND:
        return answers.see_other(f"{_PATH}/native?{urlencode({'code': code})}")
    return _back(asked, code=code)


@blueprint.get(f"{_PATH}/native")
async def show() -> Response:
    """The code, to be copied into an app that has no address.

    One's own alone: with somebody else's one would go on in their account without knowing.
    """
    code = request.args.get("code", "")
    if not await oauth.waits(who.member().user, code):
        raise NotFound("This code has been used or is too old. Please start again in the app.")
    return await answers.page("oauth/code.html", code=code)


def _asked(pairs: Iterable[tuple[str, str]]) -> _Asked:
    return _Asked(tuple((name, value) for name, value in pairs if name in _NAMES))


async def _wish(asked: _Asked) -> Wish:
    """What is asked for.

    Raises Malformed when there is nowhere to send anybody, Refusal for what the app shall hear.
    """
    redirect_uri = asked.value("redirect_uri")
    if sum(name in ("client_id", "redirect_uri") for name, _ in asked.pairs) > 2:
        raise Malformed
    app = await oauth.client(asked.value("client_id"), redirect_uri)
    if asked.repeated or len(asked.query) > _LONGEST:
        raise Refusal("invalid_request", "A parameter is given twice, or they are too long.")
    if asked.value("response_mode") not in ("", "query"):
        raise Refusal("invalid_request", "Only the response mode `query` is supported.")
    names = ("response_type", "scope", "code_challenge", "code_challenge_method")
    return oauth.wish(app, redirect_uri, *(asked.value(name) for name in names))


async def _accounts(user: User) -> list[Account]:
    return [account for account in await members.accounts(user) if account.suspended_at is None]


def _sign_in(asked: _Asked) -> str:
    """The way to sign in, also for who is already, and to come back."""
    return f"/auth/sign_in?{urlencode({'return_to': f'{_PATH}?{asked.query}', 'again': '1'})}"


def _not_sent_away(asked: _Asked, error: Refusal) -> Response:
    """Anybody may register an app: a stranger is asked who they are before they are sent to its address.

    Else this server would lend its name to any other (RFC 9700 §4.11.2).
    """
    if len(asked.query) > _LONGEST:
        raise Malformed(error.message)
    return answers.see_other(_sign_in(asked))


def _refused(asked: _Asked, error: Refusal) -> Response:
    """Tell the app; where it has no address, the person."""
    if asked.value("redirect_uri") == OUT_OF_BAND:
        raise Malformed(error.message)
    return _back(asked, error=error.code, error_description=error.message)


def _back(asked: _Asked, **values: str) -> Response:
    """On to the app. 303, so that what was typed here is not sent there (RFC 9700 §4.12)."""
    uri = asked.value("redirect_uri")
    # Who speaks with many servers knows by it which one has answered (RFC 9207).
    values["iss"] = uris.absolute("/")
    if asked.has_state:
        values["state"] = asked.value("state")
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return Response("", 303, {"Location": f"{uri}{joint}{urlencode(values)}"})
