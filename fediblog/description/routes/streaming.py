"""Streams. The token may stand in the query here, since browsers let nobody set a header."""

from typing import Annotated, Any

from fediblog.description.kinds import Id
from fediblog.description.route import Fields, Route, get

_STREAM: Fields = {
    "access_token": Annotated[str, "In the place of the header."],
    "stream": Annotated[str, "Which, when the path does not say it."],
    "tag": Annotated[str, "For hashtag and hashtag:local."],
    "list": Annotated[Id, "For list."],
    "only_media": Annotated[bool, "For public, public:local and public:remote."],
}


def _stream(path: str, words: str, **more: Any) -> Route:
    made: Route = get(
        path,
        words,
        str,
        token=True,
        query=_STREAM,
        media="text/event-stream",
        faults=(403, 404, 422),
        **more,
    )
    return made


ROUTES = (
    _stream(
        "/api/v1/streaming",
        "What happens, as server-sent events; or over a WebSocket, when it is asked for one.",
    ),
    _stream(
        "/api/v1/streaming/{place}",
        "The same with the stream in the path: user, user/notification, public, public/local, public/remote,"
        " hashtag, hashtag/local, list, direct.",
        path_kinds={"place": str},
    ),
    get("/api/v1/streaming/health", "Whether there are streams.", str, media="text/plain"),
)
