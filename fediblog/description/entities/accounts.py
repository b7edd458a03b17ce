"""Accounts and what stands between them."""

from typing import Annotated, Literal, NotRequired, TypedDict

from fediblog.description.kinds import Address, Count, Day, Digits, Html, Id, Moment, QuotePolicy, Visibility


class Emoji(TypedDict):
    """A custom emoji, which stands in texts as :shortcode:."""

    shortcode: str
    url: Address
    static_url: Annotated[Address, "The same without motion."]
    visible_in_picker: bool
    category: str | None


class Field(TypedDict):
    """A row of a profile."""

    name: str
    value: Annotated[Html, "In `source` and in Profile the text as it was typed."]
    verified_at: Annotated[Moment | None, "Since when the page there is known to link back."]


class Role(TypedDict):
    """What somebody may do on this server."""

    id: Digits
    name: Annotated[str, "Empty for everybody's."]
    permissions: Digits
    color: str
    highlighted: bool


class Account(TypedDict):
    """Somebody, here or elsewhere."""

    id: Id
    username: str
    acct: Annotated[str, "`name` for who lives here, `name@host` for others."]
    url: Annotated[Address, "The page about them."]
    uri: Annotated[Address, "Their id in the fediverse."]
    display_name: Annotated[str, "Plain text; may be empty."]
    note: Annotated[Html, "About themselves."]
    avatar: Annotated[Address, "Always a picture that loads, for want of their own a default one."]
    avatar_static: Address
    header: Address
    header_static: Address
    locked: Annotated[bool, "They look at each follow request."]
    bot: bool
    group: bool
    discoverable: bool
    indexable: bool
    noindex: bool
    hide_collections: Annotated[bool, "Whom they follow, and who follows them, is not shown."]
    fields: list[Field]
    emojis: Annotated[list[Emoji], "Those in their name and texts."]
    roles: list[Role]
    created_at: Moment
    statuses_count: Count
    following_count: Count
    followers_count: Count
    last_status_at: Day | None
    suspended: NotRequired[Annotated[bool, "Only when true: nothing but the name is left."]]
    limited: NotRequired[Annotated[bool, "Only when true: only followers see them."]]
    moved: NotRequired[Annotated["Account", "Where they are now."]]


class Source(TypedDict):
    """One's own profile as it was typed, and how one usually posts."""

    privacy: Visibility
    sensitive: bool
    language: str | None
    note: str
    fields: list[Field]
    follow_requests_count: Count
    hide_collections: bool
    discoverable: bool
    indexable: bool
    quote_policy: QuotePolicy


class CredentialAccount(Account):
    """The account of the token, with what only its owner sees."""

    source: Source
    role: Role


class MutedAccount(Account):
    """An account that one has muted."""

    mute_expires_at: Moment | None


class PartialAccount(TypedDict):
    """What an avatar in a row of several needs."""

    id: Id
    acct: str
    url: Address
    avatar: Address
    avatar_static: Address
    locked: bool
    bot: bool


class Relationship(TypedDict):
    """What stands between the one who asks and an account."""

    id: Annotated[Id, "Of the account."]
    following: bool
    showing_reblogs: bool
    notifying: Annotated[bool, "Each of their posts makes a notification."]
    languages: Annotated[list[str] | None, "Only posts in these are shown; null for all."]
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: Moment | None
    requested: Annotated[bool, "One has asked to follow them."]
    requested_by: bool
    domain_blocking: bool
    endorsed: bool
    note: Annotated[str, "What one has noted about them, for oneself."]


class FamiliarFollowers(TypedDict):
    """Who of those whom one follows follows somebody."""

    id: Annotated[Id, "Of the account that was asked about."]
    accounts: list[Account]


class Suggestion(TypedDict):
    """Somebody whom one may like to follow."""

    source: Annotated[Literal["past_interactions", "global"], "The reason in the words of older apps."]
    sources: list[Literal["friends_of_friends", "most_followed"]]
    account: Account


class IdentityProof(TypedDict):
    """There are none any more, here as elsewhere."""


class Profile(TypedDict):
    """One's own profile as its editor sees it."""

    id: Id
    display_name: str
    note: Annotated[str, "As it was typed."]
    fields: list[Field]
    avatar: Annotated[Address | None, "Null when there is none of one's own."]
    avatar_static: Address | None
    avatar_description: str
    header: Address | None
    header_static: Address | None
    header_description: str
    locked: bool
    bot: bool
    hide_collections: bool
    discoverable: bool
    indexable: bool
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    attribution_domains: list[str]


Preferences = TypedDict(
    "Preferences",
    {
        "posting:default:visibility": Visibility,
        "posting:default:sensitive": bool,
        "posting:default:language": str | None,
        "posting:default:quote_policy": QuotePolicy,
        "reading:expand:media": Literal["default", "show_all", "hide_all"],
        "reading:expand:spoilers": bool,
        "reading:autoplay:gifs": bool,
    },
)
Preferences.__doc__ = "How one usually posts and reads."
