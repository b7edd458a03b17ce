"""What every page says in its head: what a browser may do with it, and who may keep it (SECURITY §5, §6)."""

from quart import Response, g, request

from fediblog.config import settings
from fediblog.web import csrf, who

_FORMS = "form-action 'self'"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "style-src 'self'",
        _FORMS,
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_UNUSED = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
_TWO_YEARS = "max-age=63072000"

# Apps in a browser open these in a window and go on talking to it, which a policy on any page that it passes
# would end for good, even on a redirect (CLIENT-API §3.7).
_OPENED_BY_APPS = ("/oauth/", "/auth/sign_in")

PRIVATE = "private, no-store"
# Short, since a page of a visitor changes with every post; shared caches take the rush of a popular link.
PUBLIC = "public, max-age=10, s-maxage=30"


def let_forms_end_at(source: str) -> None:
    """A form of this page may lead on to there: browsers apply form-action to the redirect after it, too."""
    g.form_target = f" {source}" if source else ""


async def dress(response: Response) -> Response:
    """The headers of a page."""
    who.leave(response)
    response.headers["Content-Security-Policy"] = POLICY.replace(
        _FORMS, f"{_FORMS}{g.get('form_target', '')}"
    )
    if not request.path.startswith(_OPENED_BY_APPS):
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = _UNUSED
    response.headers["X-Frame-Options"] = "DENY"
    _add_vary(response)
    plain(response)
    return await _cached(response)


def plain(response: Response) -> Response:
    """The headers of whatever we serve."""
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if settings().secure:
        response.headers["Strict-Transport-Security"] = _TWO_YEARS
    return response


async def _cached(response: Response) -> Response:
    """Who is known gets a page that nobody keeps; for others it has a tag, and 304 when it is the same."""
    if who.known() or csrf.issued() or response.status_code != 200 or request.method not in ("GET", "HEAD"):
        response.headers["Cache-Control"] = PRIVATE
        return response
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = PUBLIC
    await response.add_etag()
    await response.make_conditional(request)
    return response


def _add_vary(response: Response) -> None:
    response.vary.update(("Accept", "Cookie"))
