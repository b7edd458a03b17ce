"""Filters of both versions."""

from typing import Annotated, Required, TypedDict

from fediblog.description.entities.faults import Empty
from fediblog.description.entities.filters import Action, Filter, FilterKeyword, FilterStatus, FilterV1, Place
from fediblog.description.kinds import Id, Seconds
from fediblog.description.route import Fields, delete, get, post, put

_READ, _WRITE = "read:filters", "write:filters"
_LASTS = Annotated[Seconds, "How long it counts; without, or with 0, for ever."]
_KEYWORD: Fields = {"keyword": str, "whole_word": bool}
_OLD: Fields = {
    "irreversible": Annotated[bool, "Hide, instead of warning."],
    "whole_word": bool,
    "expires_in": _LASTS,
}


class KeywordForm(TypedDict, total=False):
    """A word or phrase; with its id one that is there already."""

    id: Id
    keyword: str
    whole_word: bool
    _destroy: Annotated[bool, "Take it away."]


_FILTER: Fields = {
    "filter_action": Action,
    "expires_in": _LASTS,
    "keywords_attributes": list[KeywordForm],
}

ROUTES = (
    get("/api/v2/filters", "One's filters.", list[Filter], scope=_READ),
    post(
        "/api/v2/filters",
        "Make a filter.",
        Filter,
        scope=_WRITE,
        form={"title": Required[str], "context": Required[list[Place]], **_FILTER},
        faults=(404,),
    ),
    get("/api/v2/filters/{filter_id}", "One of them.", Filter, scope=_READ),
    put(
        "/api/v2/filters/{filter_id}",
        "Change it; what is not given stays.",
        Filter,
        scope=_WRITE,
        form={"title": str, "context": list[Place], **_FILTER},
    ),
    delete("/api/v2/filters/{filter_id}", "Delete it.", Empty, scope=_WRITE),
    get("/api/v2/filters/{filter_id}/keywords", "What it looks for.", list[FilterKeyword], scope=_READ),
    post(
        "/api/v2/filters/{filter_id}/keywords",
        "Look for more.",
        FilterKeyword,
        scope=_WRITE,
        form={"keyword": Required[str], "whole_word": bool},
    ),
    get("/api/v2/filters/keywords/{keyword_id}", "One of these.", FilterKeyword, scope=_READ),
    put("/api/v2/filters/keywords/{keyword_id}", "Change it.", FilterKeyword, scope=_WRITE, form=_KEYWORD),
    delete("/api/v2/filters/keywords/{keyword_id}", "Look for it no more.", Empty, scope=_WRITE),
    get("/api/v2/filters/{filter_id}/statuses", "Single posts it means.", list[FilterStatus], scope=_READ),
    post(
        "/api/v2/filters/{filter_id}/statuses",
        "Mean one more.",
        FilterStatus,
        scope=_WRITE,
        form={"status_id": Required[Id]},
    ),
    get("/api/v2/filters/statuses/{marked_id}", "One of these.", FilterStatus, scope=_READ),
    delete("/api/v2/filters/statuses/{marked_id}", "Mean it no more.", Empty, scope=_WRITE),
    get(
        "/api/v1/filters",
        "All keywords of all filters, as older apps know them.",
        list[FilterV1],
        scope=_READ,
    ),
    post(
        "/api/v1/filters",
        "Make a filter of one keyword.",
        FilterV1,
        scope=_WRITE,
        form={"phrase": Required[str], "context": Required[list[Place]], **_OLD},
    ),
    get("/api/v1/filters/{keyword_id}", "One of them.", FilterV1, scope=_READ),
    put(
        "/api/v1/filters/{keyword_id}",
        "Change it; what is not given stays.",
        FilterV1,
        scope=_WRITE,
        form={"phrase": str, "context": list[Place], **_OLD},
    ),
    delete("/api/v1/filters/{keyword_id}", "Delete it.", Empty, scope=_WRITE),
)
