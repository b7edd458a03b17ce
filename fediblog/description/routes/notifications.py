"""Notifications: one by one, in groups, and those that are held back."""

from typing import Annotated, Any, Literal, Required

from fediblog.description.entities.accounts import Account
from fediblog.description.entities.faults import Empty
from fediblog.description.entities.notifications import (
    GroupedNotifications,
    Merged,
    Notification,
    NotificationPolicy,
    NotificationPolicyV1,
    NotificationRequest,
    UnreadCount,
    Verdict,
)
from fediblog.description.kinds import Id, between
from fediblog.description.route import Fields, Paged, Route, get, patch, post, put

_READ, _WRITE = "read:notifications", "write:notifications"
_PAGES = Paged(40, 80)
_CHOICE: Fields = {
    "types[]": Annotated[list[str], "Only these; what is unknown is ignored."],
    "exclude_types[]": Annotated[list[str], "Not these."],
    "account_id": Annotated[Id, "Only what this account has done."],
    "include_filtered": Annotated[bool, "Also what is held back."],
}
_COUNT: Fields = {**_CHOICE, "limit": Annotated[int, between(1, 1000, 100), "Count no further."]}
_GROUPING: Fields = {
    "grouped_types[]": Annotated[list[str], "What is told together, when not all that can be."]
}
_SORTS = ("not_following", "not_followers", "new_accounts", "private_mentions", "limited_accounts")
_SWITCHES: Fields = {f"filter_{sort}": bool for sort in _SORTS}
_GROUP: Fields = {"group_key": str}


def _old_policy(call: Any) -> Route:
    path, words = "/api/v1/notifications/policy", "Change it."
    made: Route = call(path, words, NotificationPolicyV1, scope=_WRITE, form=_SWITCHES)
    return made


ROUTES = (
    get(
        "/api/v1/notifications",
        "What has happened, one by one.",
        list[Notification],
        scope=_READ,
        query=_CHOICE,
        paged=_PAGES,
    ),
    get("/api/v1/notifications/{notification_id}", "One of them.", Notification, scope=_READ),
    get(
        "/api/v1/notifications/unread_count",
        "How many are newer than the marker.",
        UnreadCount,
        scope=_READ,
        query=_COUNT,
    ),
    post("/api/v1/notifications/clear", "Drop all.", Empty, scope=_WRITE),
    post("/api/v1/notifications/{notification_id}/dismiss", "Drop one.", Empty, scope=_WRITE),
    post(
        "/api/v1/notifications/dismiss",
        "Drop one, as very old apps do it.",
        Empty,
        scope=_WRITE,
        form={"id": Required[Id]},
        faults=(404,),
    ),
    get(
        "/api/v2/notifications",
        "The same in groups.",
        GroupedNotifications,
        scope=_READ,
        query={
            **_CHOICE,
            **_GROUPING,
            "expand_accounts": Annotated[Literal["full", "partial_avatars"], "How much of the accounts."],
        },
        paged=_PAGES,
    ),
    get(
        "/api/v2/notifications/unread_count",
        "How many groups are newer than the marker.",
        UnreadCount,
        scope=_READ,
        query={**_COUNT, **_GROUPING},
    ),
    get(
        "/api/v2/notifications/{group_key}",
        "One group.",
        GroupedNotifications,
        scope=_READ,
        path_kinds=_GROUP,
    ),
    get(
        "/api/v2/notifications/{group_key}/accounts",
        "Everybody in it.",
        list[Account],
        scope=_WRITE,
        path_kinds=_GROUP,
        paged=_PAGES,
    ),
    post(
        "/api/v2/notifications/{group_key}/dismiss",
        "Drop it.",
        Empty,
        scope=_WRITE,
        path_kinds=_GROUP,
    ),
    get("/api/v2/notifications/policy", "What becomes of strangers'.", NotificationPolicy, scope=_READ),
    patch(
        "/api/v2/notifications/policy",
        "Change it; what is not given stays.",
        NotificationPolicy,
        scope=_WRITE,
        form={f"for_{sort}": Verdict for sort in _SORTS},
    ),
    get(
        "/api/v1/notifications/policy",
        "The same for apps that know yes and no.",
        NotificationPolicyV1,
        scope=_READ,
    ),
    _old_policy(put),
    _old_policy(patch),
    get(
        "/api/v1/notifications/requests",
        "Whose notifications are held back.",
        list[NotificationRequest],
        scope=_READ,
        paged=_PAGES,
    ),
    get("/api/v1/notifications/requests/{request_id}", "One of them.", NotificationRequest, scope=_READ),
    get(
        "/api/v1/notifications/requests/merged",
        "Whether what was accepted is in the list; it always is.",
        Merged,
        scope=_READ,
    ),
    post("/api/v1/notifications/requests/{request_id}/accept", "Let them in.", Empty, scope=_WRITE),
    post("/api/v1/notifications/requests/{request_id}/dismiss", "Drop them.", Empty, scope=_WRITE),
    post(
        "/api/v1/notifications/requests/accept",
        "Let several in.",
        Empty,
        scope=_WRITE,
        form={"id": list[Id]},
    ),
    post(
        "/api/v1/notifications/requests/dismiss",
        "Drop several.",
        Empty,
        scope=_WRITE,
        form={"id": list[Id]},
    ),
)
