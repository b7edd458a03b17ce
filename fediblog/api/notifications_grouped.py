"""Notifications, those of one sort told together."""

from collections.abc import Sequence

from quart import Blueprint, Response, request

from fediblog import paging
from fediblog.api import answers, auth, entities, forms, noticed, rendering
from fediblog.api.auth import scope
from fediblog.services import notification_groups, views
from fediblog.services.notification_groups import Group
from fediblog.services.views import Card

blueprint = Blueprint("grouped_notifications_api", __name__, url_prefix="/api/v2/notifications")


@blueprint.get("")
@scope("read:notifications")
async def listing() -> Response:
    """GET /api/v2/notifications: the choice of v1, `grouped_types[]`, `expand_accounts`."""
    given = await forms.parameters()
    page = paging.parse(request.args, 40, 80)
    found = await notification_groups.listing(
        auth.account(), page, noticed.choice(given), noticed.grouping(given)
    )
    partly = given.get("expand_accounts") == "partial_avatars"
    return answers.linked(await _rendered(found, partly), page, [group.newest.id for group in found])


@blueprint.get("/unread_count")
@scope("read:notifications")
async def unread_count() -> Response:
    """GET /api/v2/notifications/unread_count: of groups."""
    given = await forms.parameters()
    count = await notification_groups.unread(
        auth.account(), noticed.most(given), noticed.choice(given), noticed.grouping(given)
    )
    return answers.json({"count": count})


@blueprint.get("/<group:group_key>")
@scope("read:notifications")
async def show(group_key: str) -> Response:
    """GET /api/v2/notifications/:group_key."""
    found = await notification_groups.get(auth.account(), noticed.key_of(group_key))
    return answers.json(await _rendered([found]))


@blueprint.post("/<group:group_key>/dismiss")
@scope("write:notifications")
async def dismiss(group_key: str) -> Response:
    """POST /api/v2/notifications/:group_key/dismiss."""
    await notification_groups.dismiss(auth.account(), noticed.key_of(group_key))
    return answers.json({})


@blueprint.get("/<group:group_key>/accounts")
@scope("write:notifications")
async def accounts(group_key: str) -> Response:
    """GET /api/v2/notifications/:group_key/accounts: all of them, in pages; with the scope of Mastodon's."""
    page = paging.parse(request.args, 40, 80)
    found = await notification_groups.senders(auth.account(), noticed.key_of(group_key), page)
    return await answers.people(found, page)


async def _rendered(groups: Sequence[Group], partly: bool = False) -> bytes:
    """The groups, and each account and status in them once, in a constant number of statements."""
    posts = await noticed.statuses((group.newest.post_id for group in groups), auth.account())
    reported = await noticed.complaints_in([group.newest for group in groups])
    sampled = list(dict.fromkeys(one for group in groups for one in group.from_ids))
    whole = list({group.newest.from_id for group in groups}) if partly else sampled
    parts = [
        b'"accounts":' + rendering.listing((await rendering.accounts(whole)).values()),
        b'"statuses":' + rendering.listing(posts.values()),
        b'"notification_groups":'
        + rendering.listing(noticed.group(group, posts, reported) for group in groups),
    ]
    if partly:
        rest = await views.cards(one for one in sampled if one not in whole)
        parts.append(b'"partial_accounts":' + rendering.listing(_partial(card) for card in rest.values()))
    return b"{" + b",".join(parts) + b"}"


def _partial(card: Card) -> bytes:
    """What an avatar in a row of several needs."""
    entity = entities.account(card)
    return entities.dump({name: entity[name] for name in _PARTIAL})


_PARTIAL = ("id", "acct", "url", "avatar", "avatar_static", "locked", "bot")
