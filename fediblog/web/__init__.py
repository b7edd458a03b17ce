"""The pages for people: the first door on the services. Complete without a script."""

from quart import Blueprint, Quart, current_app, request
from werkzeug.exceptions import HTTPException

from fediblog.config import Config
from fediblog.errors import FediblogError, Malformed
from fediblog.web import (
    about,
    addresses,
    announced,
    auth,
    compose,
    consent,
    conversations,
    csrf,
    deliveries,
    documentation,
    explore,
    feeds,
    files,
    headers,
    interact,
    landing,
    later,
    lists,
    marks,
    media,
    mishaps,
    notices,
    posts,
    profiles,
    quotes,
    reporting,
    search,
    settings,
    setup,
    signups,
    submitted,
    timelines,
    unsubscribe,
    who,
)

_AREAS = (
    landing.blueprint,
    timelines.blueprint,
    auth.blueprint,
    consent.blueprint,
    setup.blueprint,
    compose.blueprint,
    posts.blueprint,
    quotes.blueprint,
    deliveries.blueprint,
    profiles.blueprint,
    reporting.blueprint,
    lists.blueprint,
    conversations.blueprint,
    later.blueprint,
    announced.blueprint,
    notices.blueprint,
    search.blueprint,
    explore.blueprint,
    interact.blueprint,
    about.blueprint,
    documentation.blueprint,
    feeds.blueprint,
    signups.blueprint,
    unsubscribe.blueprint,
    *settings.BLUEPRINTS,
)


def register(app: Quart, config: Config) -> None:
    """Give the application its pages."""
    app.url_map.converters |= {
        "name": addresses.NameConverter,
        "handle": addresses.HandleConverter,
    }
    pages = Blueprint("web", __name__)
    for area in _AREAS:
        pages.register_blueprint(area)
    pages.before_request(_enter)
    pages.after_request(headers.dress)
    pages.teardown_request(submitted.clear)
    pages.register_error_handler(FediblogError, mishaps.refused)
    pages.register_error_handler(HTTPException, mishaps.of_http)
    pages.register_error_handler(Exception, mishaps.unforeseen)
    for blueprint in (pages, files.blueprint, media.blueprint):
        app.register_blueprint(blueprint)
    for view in app.view_functions.values():
        if marks.is_taking_files(view):
            view.max_body = submitted.most_bytes(config)  # type: ignore[union-attr]


async def _enter() -> None:
    """What every page asks first: can it be read, who is it, and does its form come from here."""
    if "\0" in request.path or any("\0" in value for value in request.args.values()):
        raise Malformed
    await who.arrive()
    if request.method != "POST":
        return
    view = current_app.view_functions[request.endpoint or ""]
    if marks.is_formless(view):
        return
    if not marks.is_for_visitors(view):
        who.member()
    csrf.check_origin()
    await submitted.read(marks.is_taking_files(view))
