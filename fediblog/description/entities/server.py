"""What a server tells of itself."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from fediblog.description.entities.accounts import Account, Emoji
from fediblog.description.entities.tags import StatusTag
from fediblog.description.kinds import Address, Count, Digits, Html, Id, Moment


class Rule(TypedDict):
    """A rule of this server."""

    id: Id
    text: str
    hint: str


class AccountLimits(TypedDict):
    """Limits of a profile."""

    max_featured_tags: Count
    max_pinned_statuses: Count


class StatusLimits(TypedDict):
    """Limits of a post."""

    max_characters: Count
    max_media_attachments: Count
    characters_reserved_per_url: Count


class MediaLimits(TypedDict):
    """Limits of a file, in bytes, pixels and pictures a second."""

    supported_mime_types: list[str]
    description_limit: Count
    image_size_limit: Count
    image_matrix_limit: Count
    video_size_limit: Count
    video_frame_rate_limit: Count
    video_matrix_limit: Count


class PollLimits(TypedDict):
    """Limits of a poll; times are seconds."""

    max_options: Count
    max_characters_per_option: Count
    min_expiration: Count
    max_expiration: Count


class ConfigurationV1(TypedDict):
    """What can be done here and how much of it."""

    accounts: AccountLimits
    statuses: StatusLimits
    media_attachments: MediaLimits
    polls: PollLimits


class Addresses(TypedDict):
    """Where else to look."""

    streaming: Address
    status: Address | None
    about: Address
    privacy_policy: Address | None
    terms_of_service: Address | None


class Vapid(TypedDict):
    """The key of Web Push."""

    public_key: Annotated[str, "Empty without it."]


class Switch(TypedDict):
    """Whether there is something."""

    enabled: bool


Audience = Literal["public", "authenticated", "disabled"]


class FeedAccess(TypedDict):
    """Who may read posts from here and from elsewhere."""

    local: Audience
    remote: Audience


class TimelinesAccess(TypedDict):
    """Who may read which timelines."""

    live_feeds: FeedAccess
    hashtag_feeds: FeedAccess
    trending_link_feeds: FeedAccess


class Configuration(ConfigurationV1):
    """The same with what version 2 adds."""

    urls: Addresses
    vapid: Vapid
    translation: Switch
    limited_federation: bool
    timelines_access: TimelinesAccess


class StreamingAddress(TypedDict):
    """Where streams begin; /api/v1/streaming is added to it."""

    streaming_api: Address


class Stats(TypedDict):
    """How large it is."""

    user_count: Count
    status_count: Count
    domain_count: Count


class InstanceV1(TypedDict):
    """This server, as the first version told it."""

    uri: Annotated[str, "The domain alone."]
    title: str
    short_description: str
    description: Html
    email: str
    version: Annotated[str, "The version of the API first, then ours in brackets."]
    urls: StreamingAddress
    stats: Stats
    thumbnail: Address
    languages: list[str]
    registrations: bool
    approval_required: bool
    invites_enabled: bool
    configuration: ConfigurationV1
    contact_account: Account | None
    rules: list[Rule]


class Users(TypedDict):
    """How many were there."""

    active_month: Count


class Usage(TypedDict):
    """How much it is used."""

    users: Users


class Thumbnail(TypedDict):
    """The picture of a server."""

    url: Address


class Icon(TypedDict):
    """The sign of a server in one size."""

    src: Address
    size: str


class Registrations(TypedDict):
    """How one joins."""

    enabled: bool
    approval_required: bool
    reason_required: bool
    message: Html | None
    min_age: int | None
    url: Address | None


class Contact(TypedDict):
    """Whom to ask."""

    email: str
    account: Account | None


class ApiVersions(TypedDict):
    """The level of the API, whose parts are all there."""

    mastodon: Count


class Instance(TypedDict):
    """This server."""

    domain: str
    title: str
    version: Annotated[str, "The version of the API first, then ours in brackets."]
    source_url: str
    description: str
    usage: Usage
    thumbnail: Thumbnail
    icon: list[Icon]
    languages: list[str]
    configuration: Configuration
    registrations: Registrations
    contact: Contact
    rules: list[Rule]
    api_versions: ApiVersions


class Language(TypedDict):
    """A language that a post may be said to be in."""

    code: Annotated[str, "ISO 639."]
    name: Annotated[str, "As it calls itself."]


class DomainBlock(TypedDict):
    """A server with which this one has little or nothing to do."""

    domain: Annotated[str, "Partly starred out where the staff wishes it."]
    digest: Annotated[str, "SHA-256 of the name."]
    severity: Literal["silence", "suspend"]
    comment: str


class Activity(TypedDict):
    """A week of this server; numbers are texts here."""

    week: Annotated[Digits, "Its first second since 1970."]
    statuses: Digits
    logins: Digits
    registrations: Digits


class LongText(TypedDict):
    """A text of the staff."""

    updated_at: Moment | None
    content: Html


class TermsOfService(TypedDict):
    """What one agrees to."""

    effective_date: str | None
    effective: bool
    content: Html
    succeeded_by: str | None


class Reaction(TypedDict):
    """An emoji, and how many have reacted with it. Only one of this server has a picture."""

    name: str
    count: Count
    me: bool
    url: NotRequired[Address]
    static_url: NotRequired[Address]


class Announcement(TypedDict):
    """What the staff tells everybody."""

    id: Id
    content: Html
    starts_at: Moment | None
    ends_at: Moment | None
    all_day: bool
    published_at: Moment
    updated_at: Moment
    read: bool
    mentions: Annotated[list[Any], "Always empty, as the statuses."]
    statuses: list[Any]
    tags: list[StatusTag]
    emojis: list[Emoji]
    reactions: list[Reaction]


class OEmbed(TypedDict):
    """A post as a piece of another page (oembed.com)."""

    type: Literal["rich"]
    version: Literal["1.0"]
    title: str
    author_name: str
    author_url: Address
    provider_name: str
    provider_url: Address
    cache_age: Annotated[Count, "Seconds."]
    html: Html
    width: Count
    height: Count | None
