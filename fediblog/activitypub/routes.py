"""The door for other servers that ask: everything below /ap but the inbox, discovery, and our pages for them.

    routes_actors      people, the server itself, what they have and whom they know
    routes_posts       posts and what hangs on them
    routes_activities  activities by their ids
    discovery          WebFinger, host-meta, NodeInfo

While `federation.enabled` is off none of it is there.
"""

from quart import Blueprint, Quart, Response, request

from fediblog.activitypub import (
    askers,
    discovery,
    routes_activities,
    routes_actors,
    routes_posts,
    serving,
)
from fediblog.config import Config
from fediblog.errors import FediblogError

# Read with a browser these lead to a page, which is for everybody to ask for.
_NEGOTIATED = ("activitypub.actors.show", "activitypub.posts.show")
# Pages that are also asked for as what they show (FEDERATION §1.6).
_PROFILE, _POST = "web.profiles.posts", "web.posts.show"


def register(app: Quart, config: Config) -> None:
    """Give the application this door."""
    if not config.federation.enabled:
        return
    door = Blueprint("activitypub", __name__)
    for area in (routes_actors.blueprint, routes_posts.blueprint, routes_activities.blueprint):
        door.register_blueprint(area)
    door.before_request(_arrive)
    door.after_request(serving.dress)
    app.register_blueprint(door)
    app.register_blueprint(routes_actors.server_blueprint)
    app.register_blueprint(discovery.blueprint)
    app.before_request(_instead_of_a_page)


async def _arrive() -> None:
    """Who asks, where that matters."""
    if request.endpoint not in _NEGOTIATED or serving.wanted():
        await askers.arrive()


async def _instead_of_a_page() -> Response | None:
    """A profile or a post for whoever asks for its page and reads no pages.

    The thing itself, not the way to it: a signature is made for the address that was asked for.
    """
    if request.endpoint not in (_PROFILE, _POST) or request.method not in ("GET", "HEAD"):
        return None
    name, post_id = (request.view_args or {})["name"], (request.view_args or {}).get("post_id")
    if "@" in name or not serving.wanted():
        return None
    try:
        await askers.arrive()
        if post_id is not None:
            return await routes_posts.as_document(post_id)
        return await routes_actors.by_name(name)
    except FediblogError as error:
        return await serving.refused(error)
