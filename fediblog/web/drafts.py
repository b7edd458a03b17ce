"""The form of a post: filled for a new one, a reply or an edit, and what comes back from it."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from fediblog import keys, moments
from fediblog.config import settings
from fediblog.errors import FediblogError, Invalid, NotFound, TooLarge
from fediblog.models import Account, Media, Post, Quotable, User, Visibility
from fediblog.services import media, quotable
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from fediblog.services.sessions import Session
from fediblog.services.views import Body, MediaView
from fediblog.text import language_names
from fediblog.web.forms import Filled
from fediblog.web.submitted import Form

LEVELS = (
    (Visibility.PUBLIC, "Public"),
    (Visibility.UNLISTED, "Quiet public"),
    (Visibility.FOLLOWERS, "Followers"),
    (Visibility.DIRECT, "Mentioned only"),
)
QUOTERS = (("public", "Everybody"), ("followers", "Followers"), ("nobody", "Only me"))
_SPANS = (
    (5 * 60, "5 minutes"),
    (30 * 60, "30 minutes"),
    (3600, "1 hour"),
    (6 * 3600, "6 hours"),
    (86400, "1 day"),
    (3 * 86400, "3 days"),
    (7 * 86400, "7 days"),
    (30 * 86400, "30 days"),
)
_USUAL_SPAN = 86400

# How long a post waits for its files. Most pictures take less than a second.
_PATIENCE = 20.0

File = Media | MediaView


class Writing(Filled):
    """A post that is being written."""

    def __init__(self, action: str = "/publish", title: str = "New post") -> None:
        super().__init__()
        self.action = action
        self.title = title
        self.anchor = "compose"
        self.token = keys.new_token()
        self.return_to = ""
        self.source = ""
        self.summary = ""
        self.visibility = "0"
        self.language = ""
        self.sensitive = False
        self.media: list[File] = []
        self.options: list[str] = []
        self.poll_seconds = str(_USUAL_SPAN)
        self.multiple = False
        self.hide_totals = False
        self.reply_to_id: int | None = None
        self.quoted_id: int | None = None
        self.quote_policy = "public"
        self.edits: int | None = None
        self._opened = False

    # What the template asks for.

    @property
    def levels(self) -> list[tuple[str, str]]:
        """Who can see it."""
        return [(str(level.value), name) for level, name in LEVELS]

    @property
    def level_name(self) -> str:
        """Who can see it, where that cannot be changed any more."""
        return dict(self.levels)[self.visibility]

    @property
    def languages(self) -> list[tuple[str, str]]:
        """What it may be written in."""
        return language_names.choices(self.language)

    @property
    def quoters(self) -> list[tuple[str, str]]:
        """Who may quote it."""
        return list(QUOTERS)

    @property
    def spans(self) -> list[tuple[str, str]]:
        """How long a poll may last."""
        return [(str(seconds), name) for seconds, name in _SPANS]

    @property
    def most_characters(self) -> int:
        """How long a post may be."""
        return settings().limits.max_characters

    @property
    def most_options(self) -> int:
        """How many choices a poll may have."""
        return settings().limits.max_poll_options

    @property
    def free_slots(self) -> list[int]:
        """The numbers of the fields for further files."""
        return list(range(1, settings().limits.max_media - len(self.media) + 1))

    @property
    def shows_files(self) -> bool:
        """Whether that part is unfolded."""
        return bool(self.media or self.sensitive) or any(
            name.startswith(("file", "media")) for name in self.faults
        )

    @property
    def shows_poll(self) -> bool:
        """Whether that part is unfolded."""
        return bool(self.options) or any(name.startswith("poll") for name in self.faults)

    def option(self, number: int) -> str:
        """A choice of the poll, counted from 1."""
        return self.options[number - 1] if number <= len(self.options) else ""

    def draft(self, account: Account) -> Draft:
        """What the services take."""
        poll = None
        if self.options:
            seconds = int(self.poll_seconds) if self.poll_seconds.isdigit() else 0
            poll = PollDraft(tuple(self.options), seconds, self.multiple, self.hide_totals)
        return Draft(
            source=self.source,
            summary=self.summary,
            visibility=Visibility(int(self.visibility)),
            sensitive=self.sensitive,
            language=self.language,
            reply_to_id=self.reply_to_id,
            quoted_id=self.quoted_id,
            quote_policy=quotable.CHOICES[self.quote_policy],
            media_ids=tuple(file.id for file in self.media),
            poll=poll,
            idempotency_key=self.token,
            idempotency_owner=f"site:{account.id}",
        )


def fresh(user: User) -> Writing:
    """A new post, with what its writer usually wants."""
    writing = Writing()
    writing.visibility = str(user.default_visibility)
    writing.sensitive = user.default_sensitive
    writing.language = user.default_language
    writing.quote_policy = quotable.choice(Quotable(user.default_quote_policy))
    return writing


def quote(session: Session, body: Body) -> Writing:
    """A post about another, seen by no more than the one that it quotes."""
    writing = fresh(session.user)
    writing.title, writing.quoted_id = "Quote", body.id
    writing.visibility = str(max(session.user.default_visibility, int(body.visibility)))
    return writing


def reply(session: Session, body: Body, handles: Iterable[str]) -> Writing:
    """An answer: to those who are in the conversation, seen by no more than what it answers."""
    writing = fresh(session.user)
    writing.title = "Reply"
    writing.anchor = "reply"
    writing.reply_to_id = body.id
    writing.visibility = str(max(session.user.default_visibility, int(body.visibility)))
    writing.summary = body.summary
    others = dict.fromkeys(handle for handle in handles if handle != session.account.handle)
    writing.source = "".join(f"@{handle} " for handle in others)
    return writing


def again(post: Post | None, body: Body, source: str) -> Writing:
    """A post that exists, to be changed; without `post` one that is deleted, to be written again."""
    writing = Writing()
    writing.source, writing.summary = source, body.summary
    writing.visibility, writing.language = str(int(body.visibility)), body.language
    writing.sensitive = body.sensitive and not body.summary
    writing.media = list(body.media)
    writing.reply_to_id, writing.quoted_id = body.reply_to_id, body.quote_of_id
    if body.poll is not None:
        writing.options = list(body.poll.options)
        writing.multiple, writing.hide_totals = body.poll.multiple, body.poll.hide_totals
        left = (body.poll.expires_at or 0) - moments.now()
        writing.poll_seconds = str(_nearest_span(left // moments.SECOND))
    if post is not None:
        writing.edits, writing.title = post.id, "Edit post"
        writing.quote_policy = quotable.choice(Quotable(post.quote_policy))
    return writing


async def received(form: Form, account: Account, writing: Writing) -> Writing:
    """Fill in what was sent. Its files are taken in and made ready; faults are noted, none is raised."""
    writing.token = form.text("token")[:100] or writing.token
    writing.return_to = form.text("return_to")
    writing.source, writing.summary = form.text("source"), form.text("summary")
    writing.language = form.text("language")
    writing.sensitive = form.flag("sensitive")
    writing.options = [option for option in form.all("option") if option.strip()]
    writing.poll_seconds = form.text("poll_seconds", writing.poll_seconds)
    writing.multiple, writing.hide_totals = form.flag("poll_multiple"), form.flag("poll_hidden")
    if writing.edits is None:
        writing.reply_to_id, writing.quoted_id = form.number("in_reply_to"), form.number("quoted")
        writing.visibility = _level(form, writing)
    writing.quote_policy = _quoters(form, writing)
    writing.media = await _kept(form, account, writing)
    writing.media += await _ready(await _new(form, account, writing), account, writing)
    return writing


def _level(form: Form, writing: Writing) -> str:
    wanted = form.text("visibility", writing.visibility)
    if wanted in dict(writing.levels):
        return wanted
    writing.refuse(Invalid("Choose one of the four.", "source"))
    return writing.visibility


def _quoters(form: Form, writing: Writing) -> str:
    wanted = form.text("quote_policy", writing.quote_policy)
    if wanted in quotable.CHOICES:
        return wanted
    writing.refuse(Invalid("Choose one of the three.", "quote_policy"))
    return writing.quote_policy


def _nearest_span(seconds: int) -> int:
    return next((span for span, _ in _SPANS if span >= seconds > 0), _USUAL_SPAN)


# ------------------------------------------------------------------------------------------------- files


async def _kept(form: Form, account: Account, writing: Writing) -> list[File]:
    """Files that were there before, with their descriptions as they are now."""
    dropped = set(form.all("drop"))
    found: list[File] = []
    for number in form.numbers("media"):
        if str(number) in dropped:
            continue
        try:
            found.append(await _described(account, number, form.text(f"alt-{number}")))
        except NotFound:
            writing.refuse(Invalid("There is no such file.", "media"))
        except Invalid as error:
            writing.refuse(Invalid(error.message, "media"))
            found.append(await media.get(account, number))
    return found


async def _described(account: Account, number: int, description: str) -> Media:
    file = await media.get(account, number)
    return file if file.description == description else await media.edit(account, number, description)


async def _new(form: Form, account: Account, writing: Writing) -> list[tuple[str, Media]]:
    """Files that came with the form, each with the name of its field."""
    taken = []
    for name in [name for name in form.files if name.startswith("file-")]:
        try:
            taken.append((name, await _received(form, account, name)))
        except FediblogError as error:
            writing.faults[name] = error.message
            writing.status = error.http_status
            described = _description_of(name)
            writing.values[described] = form.text(described)
    return taken


async def _received(form: Form, account: Account, name: str) -> Media:
    upload = form.take(name)
    if upload.path is None:
        raise TooLarge(upload.fault)
    return await media.receive(account, upload.path, form.text(_description_of(name)))


def _description_of(name: str) -> str:
    return name.replace("file-", "alt-of-")


async def _ready(files: Sequence[tuple[str, Media]], account: Account, writing: Writing) -> list[File]:
    """The files when they are done, or as they stand when it takes too long. Broken ones are thrown away."""
    until = time.monotonic() + _PATIENCE
    waits = [media.wait_ready(file.id, max(until - time.monotonic(), 0)) for _, file in files]
    found: list[File] = []
    for (name, _), file in zip(files, await asyncio.gather(*waits), strict=True):
        if file.state == media.FAILED:
            writing.faults[name] = file.error
            writing.status = 422
            await media.discard(account, file.id)
        else:
            found.append(file)
    return found
