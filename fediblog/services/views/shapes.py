"""The shapes that lists are made of."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from fediblog import uris
from fediblog.models import Consent, Quotable, Visibility


class Counts(NamedTuple):
    """An account's counters, which change without a new version."""

    posts: int
    following: int
    followers: int
    last_post_at: int | None


class Ballot(NamedTuple):
    """How a poll stands and what the viewer chose."""

    votes: list[int]
    voters: int
    closed: bool
    choices: list[int] | None  # Positions; None when the viewer has not voted.


class Standing(IntEnum):
    """What stands between the viewer and a post that is quoted with consent."""

    CLEAR = 0
    UNSEEN = 1  # It is not there for the viewer.
    BLOCKED = 2  # The viewer has blocked its author, its author's server, or muted its author.
    DOMAIN = 3
    MUTED = 4


class Quoting(NamedTuple):
    """How a quote stands for the viewer. No id: what was quoted is deleted, or never was here."""

    post_id: int | None
    state: Consent
    standing: Standing

    @property
    def shown_id(self) -> int | None:
        """The post that stands in the quote, if any does."""
        is_there = self.state is Consent.ACCEPTED and self.standing is not Standing.UNSEEN
        return self.post_id if is_there else None


class Entry(NamedTuple):
    """One line of a list. When `id` is a boost, `post_*` and all flags and counters are of the original."""

    id: int
    version: int
    author_id: int
    author_version: int
    author_counts: Counts
    post_id: int
    post_version: int
    post_author_id: int
    post_author_version: int
    post_author_counts: Counts
    likes: int
    boosts: int
    replies: int
    quotes: int
    quotable: Quotable
    liked: bool
    boosted: bool
    bookmarked: bool
    muted: bool
    pinned: bool
    follows: bool  # The viewer follows its author.
    ballot: Ballot | None
    quoting: Quoting | None

    @property
    def is_boost(self) -> bool:
        """Whether this line passes on another post."""
        return self.id != self.post_id


class Listing(NamedTuple):
    """A page of entries, newest first, and the cursors for the links to its neighbours."""

    entries: list[Entry]
    cursors: list[int]


class EmojiView(NamedTuple):
    """A custom emoji of a text, and the path of its picture."""

    shortcode: str
    path: str


@dataclass(frozen=True, slots=True)
class MediaView:
    """A file on a post. `file` and `small_file` are storage keys, empty while it is not ready or not ours."""

    id: int
    kind: str
    state: str
    mime: str
    file: str
    small_file: str
    remote_url: str
    remote_preview_url: str
    description: str
    focus_x: float | None
    focus_y: float | None
    width: int | None
    height: int | None
    small_width: int | None
    small_height: int | None
    duration: float | None
    frame_rate: float | None
    bitrate: int | None
    blurhash: str

    @property
    def path(self) -> str:
        """Where the file is shown from; empty when it is not ready, or nothing that can be shown."""
        elsewhere = "" if self.kind == "unknown" else self.remote_url
        return uris.shown("attachments", self.id, self.file, elsewhere)

    @property
    def small_path(self) -> str:
        """Where the picture is that stands for it in lists; empty when there is none."""
        if self.small_file or self.file:
            return uris.media_path(self.small_file or self.file) if self._pictured else ""
        return uris.small(self.path) if self._pictured and self.path else ""

    @property
    def _pictured(self) -> bool:
        return self.kind == "image" or bool(self.small_file or self.remote_preview_url)


@dataclass(frozen=True, slots=True)
class MentionView:
    """An account that a post mentions."""

    id: int
    username: str
    domain: str
    url: str


@dataclass(frozen=True, slots=True)
class PollView:
    """The question on a post, without its tallies."""

    multiple: bool
    hide_totals: bool
    expires_at: int | None
    options: tuple[str, ...]
    emojis: tuple[EmojiView, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a page that a post links to says about itself; never without a title."""

    id: int
    url: str
    title: str
    description: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    image_url: str
    image_description: str
    width: int
    height: int
    language: str
    published_at: int | None

    @property
    def host(self) -> str:
        """The server that has the page."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def path(self) -> str:
        """Where its picture is shown from; empty when there is none."""
        return uris.remote("cards", self.id, self.image_url) if self.image_url else ""


@dataclass(frozen=True, slots=True)
class Body:
    """A post without counters and flags: the same for everyone who may see it."""

    id: int
    version: int
    uri: str
    url: str
    author_id: int
    boost_of_id: int | None
    reply_to_id: int | None
    reply_to_author_id: int | None
    thread_id: int
    visibility: Visibility
    local: bool
    sensitive: bool
    summary: str
    content: str
    language: str
    hashtags: tuple[str, ...]
    emojis: tuple[EmojiView, ...]
    application: str
    created_at: int
    edited_at: int | None
    media: tuple[MediaView, ...]
    mentions: tuple[MentionView, ...]
    poll: PollView | None
    link: LinkView | None = None
    quote_of_id: int | None = None
    quote_url: str = ""  # The page of what it quotes, where the text does not lead there itself.


@dataclass(frozen=True, slots=True)
class Card:
    """An account without its counters. `fields` are {name, source, value, verified_at}."""

    id: int
    version: int
    username: str
    domain: str
    local: bool
    actor_type: str
    uri: str
    url: str
    display_name: str
    note: str
    fields: tuple[dict[str, Any], ...]
    avatar: str  # A path, empty without one; so with the header.
    header: str
    emojis: tuple[EmojiView, ...]
    locked: bool
    discoverable: bool
    indexable: bool
    hide_collections: bool
    created_at: int
    suspended: bool
    silenced: bool
    moved_to_id: int | None

    @property
    def handle(self) -> str:
        """`name` here, `name@host` elsewhere."""
        return f"{self.username}@{self.domain}" if self.domain else self.username

    @property
    def name(self) -> str:
        """What stands in front: the display name, or the user name without one."""
        return self.display_name or self.username
