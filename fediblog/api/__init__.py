"""The Mastodon-compatible REST API: the second door on the services. Only here is a post a "status"."""

from quart import Quart

from fediblog.api import (
    accounts,
    admin,
    announcements,
    answers,
    apps,
    auth,
    conversations,
    discovery,
    domain_blocks,
    emojis,
    endorsements,
    filters,
    filters_v1,
    instance,
    lists,
    markers,
    media,
    noticed,
    notification_policy,
    notifications,
    notifications_grouped,
    oauth,
    oembed,
    openapi,
    polls,
    preferences,
    profile,
    push,
    quotes,
    reports,
    scheduled_statuses,
    search,
    server,
    signing_up,
    statuses,
    streaming,
    tags,
    timelines,
    trends,
    uploads,
)
from fediblog.config import Config

_ROOMS = (
    accounts,
    announcements,
    apps,
    conversations,
    discovery,
    domain_blocks,
    emojis,
    endorsements,
    filters,
    filters_v1,
    instance,
    lists,
    markers,
    media,
    notification_policy,
    notifications,
    notifications_grouped,
    oembed,
    openapi,
    polls,
    preferences,
    profile,
    push,
    quotes,
    reports,
    scheduled_statuses,
    search,
    server,
    signing_up,
    statuses,
    streaming,
    tags,
    timelines,
    trends,
    *admin.ROOMS,
)

_WITH_FILES = (
    "media_api.upload",
    "media_api.upload_and_wait",
    "accounts_api.update_credentials",
    "profile_api.edit",
)

for _room in _ROOMS:
    _room.blueprint.before_request(auth.identify)


def register(app: Quart, config: Config) -> None:
    """Open this door: all routes below /api, who asks, and the headers that apps rely on."""
    answers.install(app)
    streaming.install(app)
    app.url_map.converters["group"] = noticed.GroupKey
    # Mastodon does not mind a slash at the end, and Mastodon.py asks for /api/v1/instance/.
    strictly, app.url_map.strict_slashes = app.url_map.strict_slashes, False
    for room in _ROOMS:
        app.register_blueprint(room.blueprint)
    # An app that signs out or in anew may still send the token that has ended: nobody asks whose that was.
    app.register_blueprint(oauth.blueprint)
    app.url_map.strict_slashes = strictly
    uploads.allow(app, config, *_WITH_FILES)


def end_streams(app: Quart) -> None:
    """End what would not end by itself, since the process is about to stop."""
    streaming.hall(app).close()
