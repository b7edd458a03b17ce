"""Hashtags, and people whom one reads apart."""

from typing import Annotated, Literal, NotRequired, TypedDict

from fediblog.description.kinds import Address, Count, Day, Digits, Id, Moment


class StatusTag(TypedDict):
    """A hashtag of a post."""

    name: str
    url: Address


class TagDay(TypedDict):
    """A day of a hashtag; numbers are texts here."""

    day: Annotated[Digits, "Seconds since 1970."]
    uses: Digits
    accounts: Digits


class Tag(TypedDict):
    """A hashtag."""

    id: Id
    name: Annotated[str, "Without #."]
    url: Address
    history: Annotated[list[TagDay], "The last seven days, today first."]
    following: NotRequired[Annotated[bool, "Only with a token, as the next one."]]
    featuring: NotRequired[bool]


class FeaturedTag(TypedDict):
    """A hashtag that somebody shows on their profile."""

    id: Id
    name: str
    url: Address
    statuses_count: Digits
    last_status_at: Day | None


class List(TypedDict):
    """People whom one reads apart."""

    id: Id
    title: str
    replies_policy: Annotated[Literal["followed", "list", "none"], "Which replies of its members it shows."]
    exclusive: Annotated[bool, "What its members write is left out of home."]


class Marker(TypedDict):
    """How far one has read."""

    last_read_id: Id
    version: Count
    updated_at: Moment
