"""Filters of both versions."""

from typing import Annotated, Literal, TypedDict

from fediblog.description.kinds import Id, Moment

Place = Literal["home", "notifications", "public", "thread", "account"]
Action = Literal["warn", "hide", "blur"]


class FilterKeyword(TypedDict):
    """A word or phrase that a filter looks for."""

    id: Id
    keyword: str
    whole_word: bool


class FilterStatus(TypedDict):
    """A single post that a filter means."""

    id: Id
    status_id: Id


class Filter(TypedDict):
    """Posts that one does not want to see, or not at once."""

    id: Id
    title: str
    context: Annotated[list[Place], "Where it counts."]
    expires_at: Moment | None
    filter_action: Action
    keywords: list[FilterKeyword]
    statuses: list[FilterStatus]


class FilterV1(TypedDict):
    """A keyword of a filter, as older apps know them."""

    id: Annotated[Id, "Of the keyword."]
    phrase: str
    context: list[Place]
    whole_word: bool
    expires_at: Moment | None
    irreversible: Annotated[bool, "Whether it hides."]


class FilterResult(TypedDict):
    """Why a post is filtered."""

    filter: Filter
    keyword_matches: list[str]
    status_matches: list[Id]
