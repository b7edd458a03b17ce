"""The Mastodon-compatible REST API: the second door on the services. Only here is a post a "status"."""

from quart import Quart

from fediblog.api import (
    accounts,
    announcements,
    answers,
    auth,
    conversations,
    discovery,
    domain_blocks,
    emojis,
    endorsements,
    instance,
    markers,
    media,
    notifications,
    oembed,
    polls,
    preferences,
    profile,
    scheduled_statuses,
    search,
    server,
    statuses,
    tags,
    timelines,
    uploads,
)
from fediblog.config import Config

_ROOMS = (
    accounts,
    announcements,
    conversations,
    discovery,
    domain_blocks,
    emojis,
    endorsements,
    instance,
    markers,
    media,
    notifications,
    oembed,
    polls,
    preferences,
    profile,
    scheduled_statuses,
    search,
    server,
    statuses,
    tags,
    timelines,
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
    for room in _ROOMS:
        app.register_blueprint(room.blueprint)
    uploads.allow(app, config, *_WITH_FILES)
