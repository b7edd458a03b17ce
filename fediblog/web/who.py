"""Who asks: the session in the cookie, what may be done with it, and the cookies themselves."""

from typing import NamedTuple

from quart import Response, g, request

from fediblog import moments
from fediblog.config import settings
from fediblog.errors import Unauthenticated
from fediblog.models import Account, Role
from fediblog.services import members, preferences, sessions
from fediblog.services.sessions import Session

SESSION = "fediblog"
HALFWAY = "fediblog-halfway"  # The password was right; a code is asked for.
VISITOR = "fediblog-visitor"  # Proves that a form of a visitor comes from a page of ours.
THEME = "fediblog-theme"

_A_YEAR = 365 * 24 * 3600


class _Cookie(NamedTuple):
    name: str
    value: str
    seconds: int


async def arrive() -> None:
    """Look the session up. To be done before anything else in a request for a page."""
    token = read(SESSION)
    g.session = await sessions.find(token) if token else None
    if token and g.session is None:
        write(SESSION, "", 0)


def session() -> Session | None:
    """The session, None for a visitor."""
    found: Session | None = g.get("session")
    return found


def member() -> Session:
    """The session of somebody who is signed in. Raises Unauthenticated, which becomes the sign-in page."""
    found = session()
    if found is None:
        raise Unauthenticated
    return found


def staff(least: Role = Role.MODERATOR) -> Session:
    """The same for the staff. Raises Forbidden for everybody else who is signed in."""
    found = member()
    members.require_staff(found.user, least)
    return found


def viewer() -> Account | None:
    """The account that looks, None for a visitor."""
    found = session()
    return found.account if found else None


def address() -> str:
    """Where the request comes from, as far as our own proxies tell."""
    return request.remote_addr or ""


def theme() -> str:
    """The colours to show: the user's setting, else what this browser had last."""
    found = session()
    wanted = found.user.theme if found else read(THEME)
    return wanted if wanted in preferences.THEMES else preferences.THEMES[0]


def begin(token: str) -> None:
    """Let the browser keep the session with this token."""
    write(SESSION, token, sessions.ABSOLUTE // moments.SECOND)


def end() -> None:
    """Take the session from the browser."""
    write(SESSION, "", 0)


def read(name: str) -> str:
    """A cookie of ours, empty when it was not sent."""
    return request.cookies.get(_full(name), "")


def write(name: str, value: str, seconds: int = _A_YEAR) -> None:
    """Set a cookie with the answer; with 0 seconds it goes."""
    g.setdefault("cookies", []).append(_Cookie(name, value, seconds))


def known() -> bool:
    """Whether the browser sent a cookie that changes what it is shown, or gets one now."""
    return any(read(name) for name in (SESSION, VISITOR, THEME)) or bool(g.get("cookies"))


def leave(response: Response) -> None:
    """Put the cookies on the answer."""
    for cookie in g.get("cookies", ()):
        response.set_cookie(
            _full(cookie.name),
            cookie.value,
            max_age=cookie.seconds,
            path="/",
            secure=settings().secure,
            httponly=True,
            samesite="Lax",
        )


def _full(name: str) -> str:
    # No other host of the domain can set a cookie with this prefix (RFC 6265bis §4.1.3.2).
    return f"__Host-{name}" if settings().secure else name
