"""What other servers say, understood and made safe: the shapes that `activitypub.reading` hands to services.

Every text in them is tidy or clean already, every number in range, every list within its budget.
"""

from dataclasses import dataclass

from fediblog.models import Quotable, Visibility


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji: `blobcat` without colons, and the address of its picture elsewhere."""

    shortcode: str
    url: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file elsewhere. `kind` is image, gifv, video, audio or unknown, as for our own."""

    url: str
    kind: str
    mime: str = ""
    description: str = ""
    preview_url: str = ""
    width: int | None = None
    height: int | None = None
    focus: tuple[float, float] | None = None
    blurhash: str = ""
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A poll elsewhere and how it stood: `(title, votes)` for each option. Moments in milliseconds."""

    options: tuple[tuple[str, int], ...]
    multiple: bool
    voters: int
    expires_at: int | None
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class IncomingPost:
    """A post of another server. `content` is clean HTML; `named` and `tagged` are actors by uri."""

    uri: str
    url: str
    author_uri: str
    content: str
    visibility: Visibility
    created_at: int
    summary: str = ""
    source: str = ""  # The HTML that `content` was cleaned from, if it is another: for a better cleaning.
    sensitive: bool = False
    language: str = ""
    edited_at: int | None = None
    hashtags: tuple[str, ...] = ()
    named: tuple[str, ...] = ()  # Addressed in `to` or `cc`, tagged or not.
    tagged: tuple[str, ...] = ()  # Those of them that a Mention tag names.
    reply_to_uri: str = ""
    quote_uri: str = ""
    quote_authorization: str = ""  # Where the consent of who is quoted can be read (FEP-044f).
    quotable: Quotable = Quotable.NOBODY
    conversation: str = ""
    replies_uri: str = ""  # The collection of answers, for the backfill of threads.
    attachments: tuple[Attachment, ...] = ()
    question: Question | None = None
    emojis: tuple[Emoji, ...] = ()


@dataclass(frozen=True, slots=True)
class IncomingVote:
    """A choice in a poll: sent like a post, and never kept as one."""

    uri: str
    author_uri: str
    poll_uri: str
    option: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody likes a post with: a character, or `:shortcode:` with the address of its picture.

    Both are empty for a plain like.
    """

    emoji: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class IncomingAccount:
    """An actor of another server. `note` and the values of `fields` are clean HTML.

    `domain` is where the actor's handle lives, which WebFinger has confirmed, or the host of `uri`.
    """

    uri: str
    username: str
    inbox: str
    public_key: str
    key_id: str
    actor_type: str = "Person"
    domain: str = ""
    url: str = ""
    shared_inbox: str = ""
    outbox: str = ""
    followers_uri: str = ""
    following_uri: str = ""
    featured_uri: str = ""
    display_name: str = ""
    note: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    avatar_url: str = ""
    header_url: str = ""
    locked: bool = False
    discoverable: bool = False
    indexable: bool = False
    also_known_as: tuple[str, ...] = ()
    moved_to: str = ""
    emojis: tuple[Emoji, ...] = ()
    created_at: int | None = None
    suspended: bool = False
