"""Notifications, one by one and in groups, and who may send them."""

from typing import Annotated, Literal, NotRequired, TypedDict

from fediblog.description.entities.accounts import Account, PartialAccount
from fediblog.description.entities.admin import Report
from fediblog.description.entities.statuses import Status
from fediblog.description.kinds import Count, Digits, Id, Moment

Sort = Literal[
    "mention",
    "status",
    "reblog",
    "follow",
    "follow_request",
    "favourite",
    "poll",
    "update",
    "quote",
    "quoted_update",
    "admin.sign_up",
    "admin.report",
]
Verdict = Literal["accept", "filter", "drop"]


class Notification(TypedDict):
    """That something has happened."""

    id: Id
    type: Sort
    created_at: Moment
    group_key: Annotated[str, "The same for those that belong together."]
    account: Annotated[Account, "Who did it."]
    status: NotRequired[Annotated[Status, "The post that it is about, when it is about one."]]
    report: NotRequired[Annotated[Report, "To moderators, of `admin.report`."]]


class NotificationGroup(TypedDict):
    """Notifications that belong together; the accounts and statuses stand beside the groups."""

    group_key: str
    notifications_count: Count
    type: Sort
    most_recent_notification_id: Id
    page_min_id: Id
    page_max_id: Id
    latest_page_notification_at: Moment
    sample_account_ids: list[Id]
    status_id: NotRequired[Id]
    report: NotRequired[Report]


class GroupedNotifications(TypedDict):
    """A page of groups, with each account and status in them once."""

    accounts: list[Account]
    statuses: list[Status]
    notification_groups: list[NotificationGroup]
    partial_accounts: NotRequired[Annotated[list[PartialAccount], "When asked for."]]


class UnreadCount(TypedDict):
    """How many are newer than the marker."""

    count: Count


class PolicySummary(TypedDict):
    """What is held back."""

    pending_requests_count: Count
    pending_notifications_count: Count


class NotificationPolicy(TypedDict):
    """What becomes of notifications of strangers."""

    for_not_following: Verdict
    for_not_followers: Verdict
    for_new_accounts: Verdict
    for_private_mentions: Verdict
    for_limited_accounts: Verdict
    summary: PolicySummary


class NotificationPolicyV1(TypedDict):
    """The same for apps that know yes and no only."""

    filter_not_following: bool
    filter_not_followers: bool
    filter_new_accounts: bool
    filter_private_mentions: bool
    filter_limited_accounts: bool
    summary: PolicySummary


class NotificationRequest(TypedDict):
    """Notifications of one account that are held back."""

    id: Id
    created_at: Moment
    updated_at: Moment
    notifications_count: Digits
    account: Account
    last_status: Status | None


class Merged(TypedDict):
    """Whether accepted requests are in the list already."""

    merged: bool
