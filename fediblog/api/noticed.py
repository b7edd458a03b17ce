"""Notifications in the words of the API: which are asked for, and what they look like."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from werkzeug.routing import BaseConverter

from fediblog import moments
from fediblog.api import entities, forms, rendering, reports
from fediblog.models import Account
from fediblog.services import notification_groups, push, views
from fediblog.services import reports as complaints
from fediblog.services.notification_groups import Group
from fediblog.services.notifications import GROUPING, Choice, Kind, Notice

_KINDS = {push.WORDS.get(kind, kind.value): kind for kind in Kind}
_MOST_COUNTED = 1000


class GroupKey(BaseConverter):
    """The name of a group in an address, with nothing in it that is a path of its own."""

    regex = r"[a-z0-9_-]{1,100}"


def choice(given: Mapping[str, Any]) -> Choice:
    """`types[]`, `exclude_types[]`, `account_id`, `include_filtered`; unknown types are ignored.

    Raises Invalid for an account id that is none.
    """
    kinds = kinds_of(given["types"]) if given.get("types") else set(Kind)
    senders = forms.ids(given.get("account_id"))
    return Choice(
        frozenset(kinds - kinds_of(given.get("exclude_types"))),
        senders[0] if senders else None,
        forms.boolean(given.get("include_filtered")),
    )


def grouping(given: Mapping[str, Any]) -> frozenset[Kind]:
    """`grouped_types[]`: which of those that can be told together are."""
    return GROUPING & kinds_of(given["grouped_types"]) if given.get("grouped_types") else GROUPING


def most(given: Mapping[str, Any]) -> int:
    """`limit` of a count."""
    number = forms.number(given.get("limit")) or 0
    return min(number, _MOST_COUNTED) if number > 0 else 100


def kinds_of(value: object) -> set[Kind]:
    """The kinds that these words name."""
    return {_KINDS[name] for name in forms.texts(value) if name in _KINDS}


def key_of(group_key: str) -> str:
    """Our name of a group from the API's."""
    word, dash, rest = group_key.partition("-")
    return f"{_KINDS[word].value}{dash}{rest}" if word in _KINDS else group_key


async def rendered(notices: Sequence[Notice], viewer: Account) -> list[bytes]:
    """The notices as JSON, with their accounts and statuses, in five statements (for staff seven)."""
    accounts = await rendering.accounts(list({notice.from_id for notice in notices}))
    posts = await statuses((notice.post_id for notice in notices), viewer)
    reported = await complaints_in(notices)
    return [
        _one(notice, accounts[notice.from_id], posts, reported.get(notice.id))
        for notice in notices
        if notice.from_id in accounts
    ]


async def complaints_in(notices: Sequence[Notice]) -> dict[int, bytes]:
    """The reports that the staff is told of, as JSON by the id of the notice. No statement without such."""
    about = [notice.id for notice in notices if notice.kind is Kind.ADMIN_REPORT]
    found = await complaints.of_notices(about) if about else {}
    targets = await rendering.accounts(list({report.target_id for report in found.values()})) if found else {}
    return {
        number: reports.entity(report, targets[report.target_id])
        for number, report in found.items()
        if report.target_id in targets
    }


async def statuses(post_ids: Iterable[int | None], viewer: Account) -> dict[int, bytes]:
    """The posts as JSON by id, each once."""
    found = await views.entries(list({post_id for post_id in post_ids if post_id}), viewer)
    return await rendering.by_id(list(found.values()), viewer)


def group(found: Group, shown: Mapping[int, bytes], reported: Mapping[int, bytes]) -> bytes:
    """A NotificationGroup; its accounts and statuses stand beside it, a report in it."""
    newest = found.newest
    entity = {
        "group_key": _api_key(found.key, newest.kind),
        "notifications_count": found.total,
        "type": word(newest.kind),
        "most_recent_notification_id": str(newest.id),
        "page_min_id": str(found.lowest_id),
        "page_max_id": str(newest.id),
        "latest_page_notification_at": moments.iso(newest.created_at),
        "sample_account_ids": [str(one) for one in found.from_ids],
    }
    if newest.post_id and newest.post_id in shown:
        entity["status_id"] = str(newest.post_id)
    line = entities.dump(entity)
    return line[:-1] + b',"report":' + reported[newest.id] + b"}" if newest.id in reported else line


def _one(notice: Notice, account: bytes, posts: Mapping[int, bytes], report: bytes | None) -> bytes:
    head = entities.dump(
        {
            "id": str(notice.id),
            "type": word(notice.kind),
            "created_at": moments.iso(notice.created_at),
            "group_key": _api_key(notification_groups.key_of(notice), notice.kind),
        }
    )
    line = head[:-1] + b',"account":' + account
    if notice.post_id and notice.post_id in posts:
        line += b',"status":' + posts[notice.post_id]
    if report is not None:
        line += b',"report":' + report
    return line + b"}"


def _api_key(key: str, kind: Kind) -> str:
    return word(kind) + key.removeprefix(kind.value) if key.startswith(f"{kind.value}-") else key


def word(kind: Kind) -> str:
    """What the API calls a kind."""
    return push.WORDS.get(kind, kind.value)
