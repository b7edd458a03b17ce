"""Posts, which apps know as statuses, and what hangs on them."""

from typing import Annotated, Literal, NotRequired, TypedDict

from fediblog.description.entities.accounts import Account, Emoji
from fediblog.description.entities.filters import FilterResult
from fediblog.description.entities.tags import StatusTag, Tag, TagDay
from fediblog.description.kinds import Address, Count, Digits, Html, Id, Moment, QuotePolicy, Visibility


class Size(TypedDict):
    """The size of a picture or film, and of a film how it runs."""

    width: NotRequired[int]
    height: NotRequired[int]
    size: NotRequired[Annotated[str, "The two as text: 640x480."]]
    aspect: NotRequired[float]
    frame_rate: NotRequired[str]
    duration: NotRequired[float]
    bitrate: NotRequired[int | None]


class Focus(TypedDict):
    """The point that matters, each from -1 to 1, the middle is 0."""

    x: float
    y: float


class Meta(TypedDict):
    """What is known of a file; nothing while it is not ready."""

    original: NotRequired[Size]
    small: NotRequired[Size]
    focus: NotRequired[Focus]
    length: NotRequired[Annotated[str, "Hours, minutes and seconds."]]
    duration: NotRequired[float]
    fps: NotRequired[int | None]


class MediaAttachment(TypedDict):
    """A file of a post."""

    id: Id
    type: Literal["image", "gifv", "video", "audio", "unknown"]
    url: Annotated[Address | None, "Null while the file is not ready."]
    preview_url: Address | None
    remote_url: Annotated[Address | None, "Where it comes from, when that is another server."]
    description: str | None
    blurhash: str | None
    meta: Meta


class Mention(TypedDict):
    """Somebody whom a post names; `url` is the `href` in its content."""

    id: Id
    username: str
    acct: str
    url: Address


class Application(TypedDict):
    """What a post was written with."""

    name: str
    website: Address | None


class PollOption(TypedDict):
    """A choice."""

    title: str
    votes_count: Annotated[Count | None, "Null while the totals are hidden."]


class Poll(TypedDict):
    """A question on a post, with the id of the post."""

    id: Id
    expires_at: Moment | None
    expired: bool
    multiple: bool
    votes_count: Count
    voters_count: Annotated[Count | None, "How many people, where that is known."]
    options: list[PollOption]
    emojis: list[Emoji]
    voted: NotRequired[Annotated[bool, "Only with a token."]]
    own_votes: NotRequired[Annotated[list[int], "Only with a token: positions, from 0."]]


class CardAuthor(TypedDict):
    """Who wrote the page behind a link."""

    name: str
    url: str
    account: Account | None


class PreviewCard(TypedDict):
    """What the page behind a link says about itself: words and a picture."""

    url: Address
    title: str
    description: str
    language: str | None
    type: Literal["link", "photo", "video", "rich"]
    author_name: str
    author_url: str
    authors: list[CardAuthor]
    provider_name: str
    provider_url: str
    html: str
    width: Count
    height: Count
    image: Address | None
    image_description: str
    embed_url: str
    blurhash: str | None
    published_at: Moment | None


class TrendsLink(PreviewCard):
    """A page that many link to."""

    history: Annotated[list[TagDay], "The last seven days, today first."]


QuoteState = Literal[
    "pending",
    "accepted",
    "rejected",
    "revoked",
    "deleted",
    "unauthorized",
    "blocked_account",
    "blocked_domain",
    "muted_account",
]


class Quote(TypedDict):
    """What a post quotes, as far as its author agrees and the viewer may see it."""

    state: QuoteState
    quoted_status: Annotated["Status | None", "In its quote what it quotes itself is named only."]


class ShallowQuote(TypedDict):
    """What a post quotes that is quoted itself."""

    state: QuoteState
    quoted_status_id: Id | None


Quoters = Literal["public", "followers", "unsupported_policy"]


class QuoteApproval(TypedDict):
    """Who may quote a post: at once, and when its author has agreed."""

    automatic: list[Quoters]
    manual: list[Quoters]
    current_user: Annotated[
        Literal["automatic", "manual", "denied", "unknown"], "What the viewer can expect."
    ]


class Status(TypedDict):
    """A post, or a boost of one in `reblog`."""

    id: Id
    uri: Annotated[Address, "Its id in the fediverse."]
    url: Annotated[Address, "Its page."]
    created_at: Moment
    edited_at: Moment | None
    in_reply_to_id: Id | None
    in_reply_to_account_id: Id | None
    content: Annotated[
        Html, "Empty for files alone. What has the class `quote-inline` is for those who show no quotes."
    ]
    visibility: Visibility
    sensitive: bool
    spoiler_text: Annotated[str, "The warning in front of it, plain text; may be empty."]
    language: str | None
    media_attachments: list[MediaAttachment]
    mentions: list[Mention]
    tags: list[StatusTag]
    emojis: list[Emoji]
    card: PreviewCard | None
    application: Application | None
    account: Account
    reblog: Annotated["Status | None", "The post itself, when this is a boost."]
    quote: Annotated[Quote | ShallowQuote | None, "Short in what is quoted itself."]
    quote_approval: QuoteApproval
    poll: Poll | None
    replies_count: Count
    reblogs_count: Count
    favourites_count: Count
    quotes_count: Count
    favourited: NotRequired[Annotated[bool, "Only with a token, as the next ones."]]
    reblogged: NotRequired[bool]
    bookmarked: NotRequired[bool]
    muted: NotRequired[Annotated[bool, "Its thread makes no notifications."]]
    pinned: NotRequired[Annotated[bool, "Only on one's own."]]
    filtered: NotRequired[Annotated[list[FilterResult], "Which of one's filters it meets."]]


class DeletedStatus(Status):
    """A post that is gone, with its text so that it can be written anew."""

    text: str


class StatusSource(TypedDict):
    """A post as it was typed."""

    id: Id
    text: str
    spoiler_text: str


class EditOption(TypedDict):
    """A choice as it was."""

    title: str


class EditPoll(TypedDict):
    """A question as it was."""

    options: list[EditOption]


class StatusEdit(TypedDict):
    """A version of a post."""

    content: Html
    spoiler_text: str
    sensitive: bool
    created_at: Moment
    media_attachments: list[MediaAttachment]
    emojis: list[Emoji]
    account: Account
    poll: NotRequired[EditPoll]


class Context(TypedDict):
    """The thread around a post."""

    ancestors: Annotated[list[Status], "The first one first."]
    descendants: Annotated[list[Status], "Each before its own replies."]


class ScheduledPoll(TypedDict):
    """A question that waits with its post."""

    options: list[str]
    expires_in: Digits
    multiple: bool
    hide_totals: bool


class ScheduledParams(TypedDict):
    """What a post that waits will be."""

    text: str
    spoiler_text: str
    visibility: Visibility
    sensitive: bool
    language: str | None
    in_reply_to_id: Id | None
    quoted_status_id: Id | None
    quote_approval_policy: QuotePolicy
    media_ids: list[Id] | None
    poll: ScheduledPoll | None
    application_id: Id | None
    scheduled_at: None
    idempotency: None
    with_rate_limit: bool


class ScheduledStatus(TypedDict):
    """A post that waits for its time."""

    id: Id
    scheduled_at: Moment
    params: ScheduledParams
    media_attachments: list[MediaAttachment]
    error: NotRequired[Annotated[str, "Why it could not be published. Ours alone."]]


class Conversation(TypedDict):
    """A thread of direct posts."""

    id: Id
    unread: bool
    accounts: Annotated[list[Account], "All but oneself."]
    last_status: Status | None


class Search(TypedDict):
    """What was found."""

    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Tag]
