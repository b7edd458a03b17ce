"""Putting the house together: `create_app` knows every door and gives the application to any ASGI server."""

from contextlib import AsyncExitStack
from http import HTTPStatus

import structlog
from quart import Quart, Response, current_app, has_request_context, jsonify, request, websocket
from werkzeug.exceptions import HTTPException

from fediblog import api, db_errors, entrance, health, house, logs, queue, reserve, web
from fediblog.activitypub import routes, senders
from fediblog.activitypub.inbox.door import Door
from fediblog.config import Config
from fediblog.errors import FediblogError, NoSpace, NotFound
from fediblog.framework import Application
from fediblog.services import address_blocks
from fediblog.web import mishaps

log = structlog.get_logger()

_READING = ("GET", "HEAD", "OPTIONS")

# Who asks below these is a program.
_FOR_PROGRAMS = ("/api/", "/oauth/", "/ap/", "/.well-known/", "/nodeinfo", "/openapi.json")

_SENTENCES = {
    400: "That request could not be read.",
    404: NotFound.default,
    405: "That method is not allowed here.",
    408: "The request did not arrive in time.",
    413: "That is too large.",
    415: "That type of content is not supported.",
}


def create_app(config: Config, open_house: bool = True) -> Quart:
    """The application. With `open_house` it opens what it needs when it starts and closes it at its end."""
    app = Application("fediblog", static_folder=None)
    app.config["MAX_FORM_PARTS"] = 200
    app.asgi_app = Door(app.asgi_app, entrance.ROUTE)  # type: ignore[method-assign]
    entrance.install(app, config.web.trusted_proxies)
    known = health.install(app)
    app.before_request(_refuse_networks)
    app.before_websocket(_refuse_networks)
    app.before_request(_refuse_when_full)
    api.register(app, config)
    known.at_drain(lambda: api.end_streams(app))
    web.register(app, config)
    routes.register(app, config)
    app.register_error_handler(FediblogError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)
    if open_house:
        _open_with(app, config)
    if config.federation.enabled:
        app.before_serving(_get_ready)
    return app


def from_environment() -> Quart:
    """For other ASGI servers: the application as `FEDIBLOG_CONFIG` and the environment describe it."""
    config = house.configuration_of()
    logs.set_up(config.log)
    return create_app(config)


def _open_with(app: Quart, config: Config) -> None:
    stack = AsyncExitStack()

    @app.before_serving
    async def open_up() -> None:
        await stack.enter_async_context(house.opened(config))
        stack.enter_context(queue.sending(config))

    @app.after_serving
    async def close() -> None:
        await stack.aclose()


async def _get_ready() -> None:
    """The server's own key takes a while to make, once: not when the first stranger waits for it."""
    current_app.add_background_task(senders.of_server)


async def _refuse_networks() -> Response | None:
    """An answer for networks that the staff keeps out of everything: short, and the same everywhere."""
    asked = request if has_request_context() else websocket
    if asked.blueprint == health.blueprint.name or not await address_blocks.refused(asked.remote_addr or ""):
        return None
    return _say(403, "Your network has no access to this server.")


async def _refuse_when_full() -> None:
    """Raises NoSpace for what would be written while only what is small and cannot wait may be."""
    if request.method in _READING or not reserve.low():
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method != "DELETE" and not hasattr(view, reserve.MARK):
        raise NoSpace


async def _ours(error: FediblogError) -> Response:
    if _is_for_people():
        return await mishaps.refused(error)
    response = _say(error.http_status, error.message)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


async def _of_http(error: HTTPException) -> Response:
    if _is_for_people():
        return await mishaps.of_http(error)
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    response = _say(status, _SENTENCES.get(status) or HTTPStatus(status).phrase)
    for name, value in error.get_headers():
        # A 405 has its Allow, a 429 its Retry-After; the text is ours.
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


async def _unforeseen(error: Exception) -> Response:
    """A driver that lost its database is no fault of the code: 503. Everything else is, and is logged."""
    if _is_for_people():
        return await mishaps.unforeseen(error)
    if (ours := db_errors.translate(error)) is not None:
        return await _ours(ours)
    rule = (request if has_request_context() else websocket).url_rule
    log.error("request failed", exc_info=error, route=rule.rule if rule else "-")
    return _say(500, FediblogError.default)


def _is_for_people() -> bool:
    """Whether the answer to an address that no door knows is read by somebody: a page then."""
    return has_request_context() and not request.path.startswith(_FOR_PROGRAMS)


def _say(status: int, sentence: str) -> Response:
    response = jsonify({"error": sentence})
    response.status_code = status
    return response
