"""Forms come from our own pages: a token in each, and the two headers in which browsers say where a form was.

A token is `nonce.signature` over the nonce and whoever it was made for: a session, or the random cookie that
a visitor got with the form. It differs on each page, so that compression tells nothing about it.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from quart import g, request

from fediblog import keys
from fediblog.config import settings
from fediblog.errors import Forbidden
from fediblog.web import who

FIELD = "csrf"

_PURPOSE = "form"
_OLD = "This form is too old, or comes from another site. Please go back, load the page again and repeat it."
_FOREIGN = "This request comes from another site, so nothing was done."


def token() -> str:
    """The token for the forms on the page that is being made."""
    if "csrf" not in g:
        nonce = keys.new_token()[:16]
        g.csrf = f"{nonce}.{keys.sign(settings().secret, _PURPOSE, nonce + _bearer())}"
    made: str = g.csrf
    return made


def issued() -> bool:
    """Whether the page holds a token, so that nobody but its reader may keep it."""
    return "csrf" in g


def check(fields: Mapping[str, list[str]]) -> None:
    """Raises Forbidden when the form does not hold a token for whoever sends it."""
    nonce, _, signature = fields.get(FIELD, [""])[0].partition(".")
    bearer = _bearer(make=False)
    if not bearer or not keys.verify(settings().secret, _PURPOSE, nonce + bearer, signature):
        raise Forbidden(_OLD)


def check_origin() -> None:
    """Raises Forbidden when the browser says that the form was on another site.

    `Host` counts beside the configured origin, so that 127.0.0.1 works where `localhost` is configured.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden(_FOREIGN)
    origin = request.headers.get("Origin")
    if origin is not None and origin != settings().origin and urlsplit(origin).netloc != request.host:
        raise Forbidden(_FOREIGN)


def _bearer(make: bool = True) -> str:
    """Whom a token is for; a visitor without a cookie gets one. Empty when there is nobody."""
    session = who.session()
    if session is not None:
        return f" session {session.id}"
    visitor = who.read(who.VISITOR) or g.get("visitor", "")
    if not visitor and make:
        visitor = g.visitor = keys.new_token()
        who.write(who.VISITOR, visitor)
    return f" visitor {visitor}" if visitor else ""
