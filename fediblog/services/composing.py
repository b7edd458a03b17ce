"""From what somebody typed to what is stored: the rules of a post, and its text as safe HTML.

Nothing is written here. All faults of a draft are found together, each beside the field it belongs to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fediblog import text, uris
from fediblog.config import settings
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Quotable, Visibility
from fediblog.services import languages, mentions, polls, quotable
from fediblog.services.media import Words
from fediblog.services.polls import PollDraft

# A link counts 23 and a reader's character may be many of Unicode's, so the count alone is no bound on what
# is stored. This one leaves room for the longest addresses.
_STORED_FOR_EACH = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as a door hands it in. `None` and empty mean: as usual for this author."""

    source: str
    summary: str = ""
    visibility: Visibility | None = None
    # What the author takes without a wish; a reply is never wider than what it answers either.
    usual: Visibility = Visibility.PUBLIC
    sensitive: bool = False
    language: str = ""
    reply_to_id: int | None = None
    quoted_id: int | None = None
    # Who may quote it; without a wish the usual, and for an edit what it was.
    quote_policy: Quotable | None = None
    usual_quote_policy: Quotable = Quotable.PUBLIC
    media_ids: tuple[int, ...] = ()
    # For an edit: new words about the files in `media_ids`.
    words: Mapping[int, Words] = field(default_factory=dict)
    poll: PollDraft | None = None
    application: str = ""
    # The same key by the same owner (a token, a form) makes one post, however often it is sent.
    idempotency_key: str = ""
    idempotency_owner: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft that has passed: what the row of the post will say."""

    source: str
    content: str
    summary: str
    sensitive: bool
    language: str
    visibility: Visibility
    quote_policy: Quotable
    hashtags: tuple[str, ...]
    mentioned: tuple[int, ...]  # Accounts by id.
    unknown: tuple[str, ...]  # Handles elsewhere that nobody here knows yet.


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it is shown, and whom it names."""

    content: str
    mentioned: tuple[int, ...]
    unknown: tuple[str, ...]


async def compose(
    author: Account, draft: Draft, parent: Post | None = None, quoted: Post | None = None
) -> Composed:
    """Apply the rules and render. Raises Invalid with every fault found."""
    source, summary = text.tidy_block(draft.source), text.tidy(draft.summary)
    faults = dict(_faults(source, summary, draft))
    if faults:
        raise Invalid(fields=faults)
    rendered = await render(author, source)
    level = _visibility(draft, parent, quoted)
    if level is Visibility.DIRECT and quoted and quoted.author_id not in (author.id, *rendered.mentioned):
        raise Invalid("Name the author of what you quote, or choose who else can see it.", "visibility")
    policy = draft.usual_quote_policy if draft.quote_policy is None else draft.quote_policy
    return Composed(
        source=source,
        content=rendered.content,
        summary=summary,
        sensitive=draft.sensitive or bool(summary),
        language=draft.language,
        visibility=level,
        quote_policy=quotable.effective(policy, level),
        hashtags=text.scan(source).hashtags,
        mentioned=rendered.mentioned,
        unknown=rendered.unknown,
    )


async def render(author: Account, source: str) -> Rendered:
    """A text with those linked whom we know by now, here and elsewhere. Nobody mentions themselves."""
    handles = text.scan(source).handles
    named = await mentions.find(handles)
    others = {one.id: one for one in named.values() if one.id != author.id}
    return Rendered(
        content=text.render(source, mentions.people(named), uris.tag_page),
        mentioned=tuple(sorted(others)),
        unknown=mentions.unknown(handles, named),
    )


def _faults(source: str, summary: str, draft: Draft) -> Iterable[tuple[str, str]]:
    limits = settings().limits
    says_something = source.strip() or draft.media_ids or draft.poll or draft.quoted_id
    if not says_something:
        yield "source", "A post needs some text, a picture or a poll."
    elif _too_long(source, summary, limits.max_characters):
        yield "source", f"That is longer than {limits.max_characters} characters."
    if draft.language and (fault := languages.fault(draft.language)):
        yield "language", fault
    if draft.media_ids and draft.poll is not None:
        yield "media", "A post can have pictures or a poll, not both."
    if len(draft.media_ids) > limits.max_media:
        yield "media", f"A post can have at most {limits.max_media} files."
    if not draft.words.keys() <= set(draft.media_ids):
        yield "media", "There is no such file."
    if draft.poll is not None:
        yield from _poll_faults(draft.poll)


def _too_long(source: str, summary: str, most: int) -> bool:
    """The cheap bound first: counting what a reader takes for a character takes its time."""
    stored = len(source) + len(summary)
    return stored > most * _STORED_FOR_EACH or text.length(source, summary) > most


def _poll_faults(draft: PollDraft) -> Iterable[tuple[str, str]]:
    try:
        polls.check(draft)
    except Invalid as fault:
        yield from (fault.fields or {"poll": fault.message}).items()


def _visibility(draft: Draft, parent: Post | None, quoted: Post | None) -> Visibility:
    """What was asked for; without a wish the usual, and for a reply never wider than what it answers.

    What is for followers only is quoted for followers at most.
    """
    level = draft.visibility
    if level is None:
        level = draft.usual if parent is None else max(draft.usual, parent.visibility)
    narrow = quoted is not None and quoted.visibility == Visibility.FOLLOWERS
    return max(level, Visibility.FOLLOWERS) if narrow else level
