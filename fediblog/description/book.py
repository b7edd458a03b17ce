"""Everything together: the routes by area, and the entities that they name."""

from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from fediblog.description import schemas
from fediblog.description.entities.faults import Error
from fediblog.description.route import Route
from fediblog.description.routes import (
    accounts,
    admin,
    discovery,
    filters,
    notifications,
    oauth,
    push,
    server,
    statuses,
    streaming,
    timelines,
    trends,
)


class Area(NamedTuple):
    """Routes that belong together, under a heading of the page."""

    name: str
    title: str
    routes: tuple[Route, ...]


AREAS = (
    Area("oauth", "Apps and tokens", oauth.ROUTES),
    Area("server", "This server", server.ROUTES),
    Area("accounts", "Accounts", accounts.ROUTES),
    Area("statuses", "Posts", statuses.ROUTES),
    Area("timelines", "Timelines, lists, hashtags, search", timelines.ROUTES),
    Area("trends", "Trends", trends.ROUTES),
    Area("notifications", "Notifications", notifications.ROUTES),
    Area("push", "Web Push", push.ROUTES),
    Area("filters", "Filters", filters.ROUTES),
    Area("streaming", "Streams", streaming.ROUTES),
    Area("admin", "For the staff", admin.ROUTES),
    Area("discovery", "Discovery", discovery.ROUTES),
)

ROUTES: tuple[Route, ...] = tuple(route for area in AREAS for route in area.routes)

FAULTS = {
    400: "What was sent cannot be read.",
    401: "No token, or one that does not hold. Apps sign their people out.",
    403: "The token does not have the scope, or that is not allowed.",
    404: "Not there, or not for this reader: nobody can tell the two apart.",
    409: "Somebody else was first.",
    410: "It was there and has been deleted.",
    413: "That is too large.",
    415: "That type of content is not supported.",
    422: "What was sent breaks a rule; the sentence says which.",
    429: "Too often. `Retry-After` says how long to wait.",
    502: "A server that was needed for it does not answer.",
    503: "A part of this server is away. `Retry-After` says when to try again.",
    507: "This server has no space left.",
}
# The statuses of OAuth that have a word for programs besides the sentence (RFC 6749 §5.2).
_OF_OAUTH = (400, 401, 403)


def answer_of(route: Route, status: int) -> Any:
    """The type of what a route answers with this status. Raises KeyError for one that it does not have."""
    if status == HTTPStatus.OK:
        return route.answer
    if status in route.also:
        return route.also[status]
    if status not in route.faults:
        raise KeyError(status)
    return route.fault if route.fault and status in _OF_OAUTH else Error


@lru_cache(1)
def entities() -> dict[str, Any]:
    """All entities by name, in the order of the alphabet. Raises ValueError for two of one name."""
    found: dict[str, Any] = {}
    for kind in _kinds():
        if found.setdefault(kind.__name__, kind) is not kind:
            raise ValueError(f"There are two entities with the name {kind.__name__}")
    return dict(sorted(found.items()))


def _kinds() -> list[Any]:
    """Each entity as often as it is named somewhere."""
    return [
        kind
        for route in ROUTES
        for place in (route.answer, route.fault, Error, *route.also.values(), *route.form.values())
        for kind in schemas.entities_in(place)
    ]
