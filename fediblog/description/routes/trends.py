"""What many talk about."""

from fediblog.description.entities.statuses import Status, TrendsLink
from fediblog.description.entities.tags import Tag
from fediblog.description.route import Paged, get

_TEN = Paged(10, 20, by_offset=True)
_SCOPE = "read:statuses"

ROUTES = (
    get("/api/v1/trends/tags", "Hashtags that many use.", list[Tag], reads=_SCOPE, paged=_TEN),
    get("/api/v1/trends", "The same, as old apps know it.", list[Tag], reads=_SCOPE, paged=_TEN),
    get(
        "/api/v1/trends/statuses",
        "Posts that many like and boost.",
        list[Status],
        reads=_SCOPE,
        paged=Paged(20, 40, by_offset=True),
    ),
    get("/api/v1/trends/links", "Pages that many link to.", list[TrendsLink], reads=_SCOPE, paged=_TEN),
)
