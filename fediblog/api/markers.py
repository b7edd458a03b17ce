"""Markers: how far one has read, the same for the site and for every app."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response

from fediblog import moments
from fediblog.api import answers, auth, forms
from fediblog.api.auth import scope
from fediblog.errors import Invalid
from fediblog.services import markers
from fediblog.services.markers import TIMELINES, Marker

blueprint = Blueprint("markers_api", __name__, url_prefix="/api/v1/markers")


@blueprint.get("")
@scope("read:statuses")
async def show() -> Response:
    """GET /api/v1/markers: `timeline[]`; those that were ever set."""
    wanted = forms.texts((await forms.parameters()).get("timeline"))
    return _answer(await markers.get(auth.account(), wanted) if wanted else {})


@blueprint.post("")
@scope("write:statuses")
async def save() -> Response:
    """POST /api/v1/markers: `home[last_read_id]`, `notifications[last_read_id]`; only forward."""
    given = await forms.parameters()
    asked = {name: forms.mapping(given[name]) for name in TIMELINES if name in given}
    wanted = {name: _last_read(place) for name, place in asked.items()}
    return _answer({name: await markers.set(auth.account(), name, last) for name, last in wanted.items()})


def _last_read(place: Mapping[str, Any]) -> int:
    number = forms.number(place.get("last_read_id"))
    if number is None or number < 0:
        raise Invalid("That is not an id.", "last_read_id")
    return number


def _answer(found: dict[str, Marker]) -> Response:
    return answers.json(
        {
            timeline: {
                "last_read_id": str(marker.last_read_id),
                "version": marker.version,
                "updated_at": moments.iso(marker.updated_at),
            }
            for timeline, marker in found.items()
        }
    )
