"""Streams: what happens is sent at once, over a WebSocket or as server-sent events (CLIENT-API §3.13).

A token may come in the query here, since browsers let nobody set a header. Query strings are never logged.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from quart import Blueprint, Quart, Response, current_app, request, websocket
from werkzeug.datastructures import Headers

from fediblog.api import answers, auth
from fediblog.api.listeners import MOST_CHANNELS, NOWHERE, Hall, Listener, Message
from fediblog.api.telling import Teller
from fediblog.errors import FediblogError, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from fediblog.paging import BIGGEST
from fediblog.services import channels, lists, tokens
from fediblog.services.channels import Channel
from fediblog.services.tokens import Bearer

blueprint = Blueprint("streaming_api", __name__, url_prefix="/api/v1")

_KEY = "fediblog.streams"
_THUMP = 15.0
# Who does not take a message in this time does not read any more.
_PATIENCE = 20.0
_SHUT = 1001
_LONGEST_TAG = 500


def install(app: Quart) -> None:
    """Give an application the place where listeners meet."""
    hall = Hall(lambda news, listeners: teller.tell(news, listeners))
    teller = Teller(hall.leave)
    app.extensions[_KEY] = hall


def hall(app: Quart) -> Hall:
    """Those who listen to an application."""
    found = app.extensions[_KEY]
    assert isinstance(found, Hall)
    return found


@blueprint.get("/streaming/health")
async def health() -> Response:
    """GET /api/v1/streaming/health."""
    return Response("OK", content_type="text/plain; charset=utf-8")


# ------------------------------------------------------------------------------------- server-sent events


@blueprint.get("/streaming", defaults={"place": ""})
@blueprint.get("/streaming/<path:place>")
async def events(place: str) -> Response:
    """GET /api/v1/streaming/user and so on: `tag`, `list`, `only_media`; or `stream` with the whole name."""
    name = place.replace("/", ":") or request.args.get("stream", "")
    if name in channels.PUBLIC and request.args.get("only_media", "") in ("true", "1"):
        name = f"{name.removesuffix(':media')}:media"
    if name not in channels.NAMES:
        raise NotFound
    listener = _listener(await _bearer(_header(request.headers) or request.args.get("access_token", "")))
    channel = await _channel(listener, name, request.args)
    if request.method == "HEAD":
        return Response("", content_type="text/event-stream")
    listener.channels.add(channel)
    here = hall(current_app)
    here.admit(listener)
    answer = Response(_events(listener, here), content_type="text/event-stream")
    answer.timeout = None  # It ends when either side wishes it.
    answer.headers["Cache-Control"] = "private, no-store"
    # Proxies keep an answer back until there is enough of it.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


async def _events(listener: Listener, here: Hall) -> AsyncIterator[bytes]:
    """What is sent until either side ends it. It enters only here: what never begins need not leave."""
    try:
        await here.enter(listener)
        yield b":)\n"
        while not listener.over:
            message = await listener.next(_THUMP)
            if message is not None:
                yield f"event: {message.event}\ndata: {message.payload or ''}\n\n".encode()
            elif not listener.over:
                yield b":thump\n"
    finally:
        here.leave(listener)


# --------------------------------------------------------------------------------------------- WebSockets


@blueprint.websocket("/streaming")
async def connect() -> Response | None:
    """GET /api/v1/streaming: `stream` begins with a subscription; more come and go by messages."""
    here = hall(current_app)
    offered = websocket.requested_subprotocols
    token = _header(websocket.headers) or websocket.args.get("access_token", "") or next(iter(offered), "")
    try:
        found = await _bearer(token)
        auth.connects(found, websocket.remote_addr)
        listener = _listener(found)
        if name := websocket.args.get("stream", ""):
            listener.channels.add(await _channel(listener, name, websocket.args))
        await here.enter(listener)
    except FediblogError as error:
        return _refused(error)
    try:
        # A browser that offers something gives up when it is not taken.
        await websocket.accept(subprotocol=next(iter(offered), None))
        await _serve(listener)
    finally:
        here.leave(listener)
    return None


async def _serve(listener: Listener) -> None:
    """Send what there is to send, and listen to what the other side wishes, until it is over."""
    wishes = asyncio.create_task(_hear_wishes(listener))
    try:
        while not listener.over:
            message = await listener.next()
            if message is not None:
                async with asyncio.timeout(_PATIENCE):
                    await websocket.send(_frame(message))
        async with asyncio.timeout(_PATIENCE):
            await websocket.close(_SHUT)
    except TimeoutError:
        return
    finally:
        wishes.cancel()


async def _hear_wishes(listener: Listener) -> None:
    """What cannot be done is answered and changes nothing."""
    while True:
        try:
            await _fulfil(listener, await websocket.receive())
        except FediblogError as error:
            answer = orjson.dumps({"error": error.message, "status": error.http_status}).decode()
            if not listener.put(Message(NOWHERE, "error", answer)):
                return  # They ask for nonsense, and do not even read what we say to it.


async def _fulfil(listener: Listener, said: str | bytes) -> None:
    """A message of the other side. Raises Invalid for what is no wish of ours."""
    try:
        wish = orjson.loads(said)
    except orjson.JSONDecodeError:
        raise Invalid("That is no JSON.") from None
    if not isinstance(wish, dict):
        raise Invalid("That is no message.")
    given = {name: value for name, value in wish.items() if isinstance(value, str)}
    name = given.get("stream", "")
    match given.get("type"):
        case "subscribe":
            channel = await _channel(listener, name, given)
            if len(listener.channels) >= MOST_CHANNELS:
                raise TooMany("You are subscribed to too many streams.")
            listener.channels.add(channel)
        case "unsubscribe":
            listener.channels.discard(Channel(name, _which(name, given)))
        case _:
            raise Invalid("There is only subscribe and unsubscribe.")


def _frame(message: Message) -> str:
    if message.channel == NOWHERE:
        return message.payload or ""
    stream = [message.channel.name, message.channel.which]
    frame: dict[str, Any] = {"stream": [word for word in stream if word], "event": message.event}
    if message.payload is not None:
        frame["payload"] = message.payload
    return orjson.dumps(frame).decode()


def _refused(error: FediblogError) -> Response:
    """The answer before the upgrade: the application's own handlers know requests only."""
    answer = answers.json({"error": error.message}, error.http_status)
    if (retry_after := getattr(error, "retry_after", None)) is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


# --------------------------------------------------------------------------------------------- who and what


def _header(headers: Headers) -> str:
    return auth.token_in(headers.get("Authorization", "")) or ""


async def _bearer(token: str) -> Bearer | None:
    return await tokens.find(token) if token else None


def _listener(found: Bearer | None) -> Listener:
    """Who shows this token.

    Raises Unauthenticated for none, one that does not hold, and an app's own, Forbidden for who is not let
    in yet.
    """
    if found is not None and found.pending is not None:
        raise auth.not_yet(found.pending)
    if found is None or found.account is None:
        raise Unauthenticated("The access token is invalid")
    return Listener(found.account, found.scopes, found.token_id)


async def _channel(listener: Listener, name: str, given: Mapping[str, str]) -> Channel:
    """The channel that is asked for.

    Raises Invalid for an unknown one, Forbidden for one that the token does not open, NotFound for the list
    of somebody else.
    """
    if name not in channels.NAMES:
        raise Invalid("Unknown stream type")
    if not all(tokens.covers(listener.scopes, needed) for needed in _scopes(name)):
        raise Forbidden("This action is outside the authorized scopes")
    channel = Channel(name, _which(name, given))
    if name == channels.LIST:
        await lists.get(listener.account, int(channel.which))
    return channel


def _scopes(name: str) -> tuple[str, ...]:
    """What a token needs to read the same place."""
    if name == channels.NOTICES:
        return ("read:notifications",)
    return ("read:statuses", "read:lists") if name == channels.LIST else ("read:statuses",)


def _which(name: str, given: Mapping[str, str]) -> str:
    """The hashtag or the list. Raises Invalid without one, and NotFound for what can be no list."""
    if name in channels.TAGS:
        tag = given.get("tag", "").removeprefix("#")
        if not tag or len(tag) > _LONGEST_TAG:
            raise Invalid("Missing tag name parameter")
        return tag
    if name != channels.LIST:
        return ""
    number = given.get("list", "")
    if not (number.isascii() and number.isdigit()) or len(number) > 19 or int(number) > BIGGEST:
        raise NotFound
    return str(int(number))
