"""Errors as pages: one handler for whatever goes wrong behind this door."""

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

import structlog
from quart import Response, g, request
from werkzeug.exceptions import HTTPException

from fediblog import db_errors, logs
from fediblog.errors import FediblogError, TooMany, Unauthenticated, Unavailable
from fediblog.web import answers, headers, templating, who

log = structlog.get_logger()

# The headline of each, and what to do next.
_WORDS = {
    400: ("That could not be read", "The request was not well formed. Please go back and try again."),
    403: ("That is not allowed", ""),
    404: ("There is nothing here", "The page does not exist, has been moved, or is not for everybody."),
    405: ("That does not work here", "This address does not take this kind of request."),
    408: ("That took too long", "The request did not arrive in time. Please try again."),
    409: ("Somebody was faster", ""),
    410: ("This is gone", "What was here has been deleted."),
    413: ("That is too large", "Please go back and choose something smaller."),
    415: ("That cannot be read here", "This kind of content is not supported."),
    416: ("There is no such part", "The file ends before what was asked for."),
    422: ("That cannot be accepted", ""),
    429: ("That was a bit much", "You have done this very often in a short time. Please wait a little."),
    500: ("Something went wrong", "The fault is on our side. Please try again later."),
    503: ("The server is busy", "Please try again in a moment. What you typed is not lost: just go back."),
    507: ("The server is full", "Nothing more can be stored at the moment."),
}


async def refused(error: FediblogError) -> Response:
    """One of our errors. Who is not known is asked to sign in and comes back here afterwards."""
    if isinstance(error, Unauthenticated):
        return answers.see_other(f"/auth/sign_in?{urlencode({'return_to': _wanted()})}")
    usual = error.message == type(error).default and error.http_status in _WORDS
    response = await page(error.http_status, "" if usual else error.message)
    if isinstance(error, TooMany | Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def of_http(error: HTTPException) -> Response:
    """One of the framework's."""
    if isinstance(error.response, Response):
        return error.response
    response = await page(error.code or 500)
    for name, value in error.get_headers():
        # A 405 has its Allow; the text is ours.
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


async def unforeseen(error: Exception) -> Response:
    """Anything else: the state of the database, or a fault of ours."""
    ours = db_errors.translate(error)
    if ours is not None:
        return await refused(ours)
    log.error("page failed", exc_info=error, route=request.url_rule.rule if request.url_rule else "-")
    return await page(500)


async def page(status: int, sentence: str = "") -> Response:
    """The page of an error. It comes out whatever is broken."""
    headline, usual = _WORDS.get(status) or (HTTPStatus(status).phrase, "")
    values = {"status": status, "headline": headline, "sentence": sentence or usual}
    try:
        shell = await _shell() if status < 500 else answers.bare_shell()
    except Exception:
        log.warning("the frame of an error page could not be made", status=status, exc_info=True)
        shell = answers.bare_shell()
    text = templating.render("error.html", shell=shell, request_id=logs.request_id(), **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    # What comes from outside of the pages does not pass their last station.
    return response if request.blueprints[-1:] == ["web"] else await headers.dress(response)


async def _shell() -> answers.Shell:
    """The frame for whoever asks. An address that is none of ours has not asked for the session yet."""
    if "session" not in g:
        await who.arrive()
    return await answers.shell()


def _wanted() -> str:
    """The page to come back to: this one, or the one with the form."""
    if request.method in ("GET", "HEAD"):
        query = request.query_string.decode("ascii", "ignore")
        return answers.local(request.path + (f"?{query}" if query else "")) or "/home"
    referrer = urlsplit(request.headers.get("Referer", ""))
    return answers.local(referrer.path + (f"?{referrer.query}" if referrer.query else "")) or "/home"
