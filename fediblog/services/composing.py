"""From what somebody typed to what is stored: the rules of a post, and its text as safe HTML.

Nothing is written here. All faults of a draft are found together, each beside the field it belongs to.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fediblog import db, text, uris
from fediblog.config import settings
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Visibility
from fediblog.services import polls
from fediblog.services.polls import PollDraft
from fediblog.text import Handle, Person

_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as a door hands it in. `None` and empty mean: as usual for this author."""

    source: str
    summary: str = ""
    visibility: Visibility | None = None
    sensitive: bool = False
    language: str = ""
    reply_to_id: int | None = None
    media_ids: tuple[int, ...] = ()
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
    hashtags: tuple[str, ...]
    mentioned: tuple[int, ...] = field(default=())  # Accounts by id.


async def compose(author: Account, draft: Draft, parent: Post | None = None) -> Composed:
    """Apply the rules and render. Raises Invalid with every fault found."""
    source, summary = text.tidy_block(draft.source), text.tidy(draft.summary)
    faults = dict(_faults(source, summary, draft))
    if faults:
        raise Invalid(fields=faults)
    found = text.scan(source)
    people = await _people(found.handles)
    shown = {handle: Person(row["username"], row["url"]) for handle, row in people.items()}
    return Composed(
        source=source,
        content=text.render(source, shown, uris.tag_page),
        summary=summary,
        sensitive=draft.sensitive or bool(summary),
        language=draft.language,
        visibility=_visibility(draft, parent),
        hashtags=found.hashtags,
        mentioned=tuple(dict.fromkeys(row["id"] for row in people.values() if row["id"] != author.id)),
    )


def _faults(source: str, summary: str, draft: Draft) -> Iterable[tuple[str, str]]:
    limits = settings().limits
    if not source.strip() and not draft.media_ids and draft.poll is None:
        yield "source", "A post needs some text, a picture or a poll."
    elif text.length(source, summary) > limits.max_characters:
        yield "source", f"That is longer than {limits.max_characters} characters."
    if draft.language and not _LANGUAGE.match(draft.language):
        yield "language", "That is not a language code such as en or pt-BR."
    if draft.media_ids and draft.poll is not None:
        yield "media", "A post can have pictures or a poll, not both."
    if len(draft.media_ids) > limits.max_media:
        yield "media", f"A post can have at most {limits.max_media} files."
    if draft.poll is not None:
        yield from _poll_faults(draft.poll)


def _poll_faults(draft: PollDraft) -> Iterable[tuple[str, str]]:
    try:
        polls.check(draft)
    except Invalid as fault:
        yield from (fault.fields or {"poll": fault.message}).items()


def _visibility(draft: Draft, parent: Post | None) -> Visibility:
    """What was asked for; without a wish a reply is never wider than what it answers."""
    if draft.visibility is not None:
        return draft.visibility
    return Visibility.PUBLIC if parent is None else parent.visibility


async def _people(handles: Iterable[Handle]) -> Mapping[Handle, db.Row]:
    """The accounts that the handles name, as far as we know them, in one statement."""
    wanted = {handle: (handle.username.casefold(), _domain(handle)) for handle in handles}
    if not wanted:
        return {}
    pairs = [part for pair in wanted.values() for part in pair]
    places = ", ".join(f"(${n}, ${n + 1})" for n in range(1, len(pairs), 2))
    found = await db.rows(
        "SELECT id, username, username_key, domain, url FROM account"
        f" WHERE (username_key, domain) IN (VALUES {places}) AND deleted_at IS NULL AND suspended_at IS NULL",
        *pairs,
    )
    known = {(row["username_key"], row["domain"]): row for row in found}
    return {handle: known[pair] for handle, pair in wanted.items() if pair in known}


def _domain(handle: Handle) -> str:
    return "" if handle.domain in (None, settings().domain) else handle.domain or ""
