"""Polls: asking, voting, closing. One ballot per voter, by a primary key (SECURITY §2, poll stuffing)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from dataclasses import replace as changed

from fediblog import db, moments, text
from fediblog.config import settings
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.services import acting, events, locks, notifications, work
from fediblog.services.events import Event
from fediblog.services.notifications import Kind

OPTION_CHARACTERS = 100
SHORTEST_SECONDS = 5 * 60
LONGEST_SECONDS = 30 * 24 * 60 * 60

_BATCH = 500
# Votes that come within this time are told together.
_BETWEEN_TALLIES = moments.MINUTE
_ENDED = "The poll has already ended."
_VOTED = "You have already voted on this poll."


@dataclass(frozen=True, slots=True)
class PollDraft:
    """A question as a door hands it in. `hide_totals` hides the results until the end."""

    options: tuple[str, ...]
    seconds: int
    multiple: bool = False
    hide_totals: bool = False


def check(draft: PollDraft) -> PollDraft:
    """The draft with tidy options. Raises Invalid with a sentence for the options and one for the time."""
    tidy = changed(draft, options=tuple(text.tidy(option) for option in draft.options))
    faults = dict(_faults(tidy))
    if faults:
        raise Invalid(fields=faults)
    return tidy


async def create(post_id: int, draft: PollDraft) -> None:
    """Put a poll on a post, inside the transaction that publishes it. Raises as `check` does."""
    draft = check(draft)
    expires_at = moments.now() + draft.seconds * moments.SECOND
    await db.execute(
        "INSERT INTO poll (id, multiple, hide_totals, expires_at) VALUES ($1, $2, $3, $4)",
        *(post_id, draft.multiple, draft.hide_totals, expires_at),
    )
    for position, title in enumerate(draft.options):
        await db.execute(
            "INSERT INTO poll_option (poll_id, position, title) VALUES ($1, $2, $3)",
            *(post_id, position, title),
        )
    await work.owe(Job.CLOSE_POLL, post_id, not_before=expires_at)


async def replace(post_id: int, draft: PollDraft | None) -> None:
    """Bring the poll of a post in line with an edit, inside its transaction.

    Another question (options, or how many one may choose) begins anew without votes; the same one keeps
    its votes and its end, so that nobody shifts the end to where they like the result. None removes the poll.
    """
    draft = check(draft) if draft else None
    multiple = await db.value("SELECT multiple FROM poll WHERE id = $1", post_id)
    options = await db.column(_TITLES, post_id)
    if multiple is not None and draft and (list(draft.options), draft.multiple) == (options, bool(multiple)):
        await db.execute("UPDATE poll SET hide_totals = $2 WHERE id = $1", post_id, draft.hide_totals)
        return
    # With the row go options and ballots.
    await db.execute("DELETE FROM poll WHERE id = $1", post_id)
    if draft:
        await create(post_id, draft)


async def vote(account: Account, post: Post, choices: Collection[int]) -> None:
    """Vote for one or more options by position, on a post that the account may see.

    Raises NotFound when there is no poll, Invalid when it is over, one's own, or has no such option, when
    there are too many choices or none, and when the account has voted before; and as `acting.check` does.
    """
    post = await acting.original(post)
    chosen = sorted(set(choices))
    async with db.transaction():
        await acting.check(account, post)
        await _may_vote(account, post, chosen)
        ballot = sum(1 << position for position in chosen)
        if not await db.value(_CAST, post.id, account.id, ballot, moments.now()):
            raise Invalid(_VOTED)
        await _counted(post, chosen, 1)
        await _record(account, post, chosen)


async def choose(account: Account, post: Post, option: str) -> None:
    """A choice by its title, as other servers send them: where several are allowed they come one by one.

    The same choice twice is the same as once. Raises as `vote` does, and Invalid for a second choice where
    only one is allowed.
    """
    titles = await db.column(_TITLES, post.id)
    position = titles.index(option) if option in titles else -1
    async with db.transaction():
        await acting.check(account, post)
        await _may_vote(account, post, [position])
        if await db.value(_CAST, post.id, account.id, 1 << position, moments.now()):
            await _counted(post, [position], 1)
        elif await db.value(_CAST_ANOTHER, post.id, account.id, 1 << position):
            await _counted(post, [position], 0)
        elif not await db.value(_CHOSEN, post.id, account.id, 1 << position):
            raise Invalid(_VOTED)


async def close(post_id: int) -> None:
    """End a poll whose time is over: author and voters are told, and it counts as a new version of the post.

    Of one that goes on, is closed already or gone: nothing, or once more when its time comes.
    """
    poll = await db.row(_OPEN, post_id)
    if poll is None:
        return
    if poll["expires_at"] > moments.now():
        async with db.transaction():
            await work.owe(Job.CLOSE_POLL, post_id, not_before=poll["expires_at"])
        return
    author = await Account.get(id=poll["author_id"])
    await _tell_voters(post_id, author)
    async with db.transaction():
        if await locks.change(post_id) and await db.value(_CLOSE, post_id, moments.now()):
            await notifications.tell(Kind.POLL, author.id, author, post_id)
            await events.record(Event.POLL_CHANGED, author, post_id=post_id)
            await db.execute("UPDATE post SET version = version + 1 WHERE id = $1", post_id)


async def tell_tally(post_id: int) -> None:
    """Let other servers know how a poll of ours stands. Of one that is over: nothing, that was told."""
    author_id = await db.value(_RUNNING, post_id)
    if author_id is not None:
        author = await Account.get(id=author_id)
        await events.record(Event.POLL_CHANGED, author, post_id=post_id)


def _faults(draft: PollDraft) -> Iterable[tuple[str, str]]:
    most = settings().limits.max_poll_options
    if not all(draft.options):
        yield "poll_options", "An option of the poll is empty."
    elif len(draft.options) < 2:
        yield "poll_options", "A poll needs at least two options."
    elif len(draft.options) > most:
        yield "poll_options", f"A poll can have at most {most} options."
    elif len(set(draft.options)) < len(draft.options):
        yield "poll_options", "Two options of the poll are the same."
    elif any(map(_too_long, draft.options)):
        yield "poll_options", f"An option of the poll is longer than {OPTION_CHARACTERS} characters."
    if draft.seconds < SHORTEST_SECONDS:
        yield "poll_seconds", "A poll must last at least five minutes."
    elif draft.seconds > LONGEST_SECONDS:
        yield "poll_seconds", "A poll can last at most 30 days."


def _too_long(option: str) -> bool:
    """Counted as in a content warning: each character that a reader sees, however many of Unicode's it is."""
    return len(option) > 20 * OPTION_CHARACTERS or text.length("", option) > OPTION_CHARACTERS


async def _may_vote(account: Account, post: Post, chosen: list[int]) -> None:
    # Until the vote is counted nobody puts another question into the place of this one.
    poll = await db.row(f"{_POLL} {locks.keeping('q')}", post.id)
    if poll is None:
        raise NotFound
    if post.author_id == account.id:
        raise Invalid("You cannot vote on your own poll.")
    if poll["closed_at"] or (poll["expires_at"] or moments.now() + 1) <= moments.now():
        raise Invalid(_ENDED)
    if not chosen:
        raise Invalid("Choose an option first.", "choices")
    if not all(0 <= position < poll["options"] for position in chosen):
        raise Invalid("There is no such option.", "choices")
    if len(chosen) > 1 and not poll["multiple"]:
        raise Invalid("You can choose only one option.", "choices")


async def _record(account: Account, post: Post, chosen: Collection[int]) -> None:
    titles = await db.column(_TITLES, post.id)
    options = [titles[position] for position in chosen]
    await events.record(
        Event.VOTED, account, post_id=post.id, target_id=post.author_id, detail={"options": options}
    )


async def _counted(post: Post, chosen: Collection[int], voters: int) -> None:
    if post.local:
        await work.owe(Job.TALLY, post.id, not_before=moments.now() + _BETWEEN_TALLIES)
    for position in chosen:
        await db.execute(_TALLY, post.id, position)
    if not await db.value(_COUNT_VOTERS, post.id, voters):
        raise Invalid(_ENDED)  # In this very moment: what voters were told stays as it is.


async def _tell_voters(post_id: int, author: Account) -> None:
    """In batches of their own, before the poll is closed: a crash repeats them and leaves nobody out."""
    after = 0
    while voters := await db.column(_VOTERS, post_id, after, _BATCH):
        async with db.transaction():
            await notifications.tell_all(Kind.POLL, voters, author, post_id)
        after = voters[-1]


_TITLES = "SELECT title FROM poll_option WHERE poll_id = $1 ORDER BY position"
_RUNNING = """
SELECT p.author_id FROM poll q JOIN post p ON p.id = q.id WHERE q.id = $1 AND p.local AND q.closed_at IS NULL
"""
_POLL = """
SELECT q.multiple, q.expires_at, q.closed_at,
  (SELECT count(*) FROM poll_option o WHERE o.poll_id = q.id) AS options
FROM poll q WHERE q.id = $1
"""
_CAST = """
INSERT INTO poll_ballot (poll_id, account_id, choices, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING account_id
"""
_TALLY = "UPDATE poll_option SET votes = votes + 1 WHERE poll_id = $1 AND position = $2"
_COUNT_VOTERS = "UPDATE poll SET voters = voters + $2 WHERE id = $1 AND closed_at IS NULL RETURNING id"
_CAST_ANOTHER = """
UPDATE poll_ballot SET choices = choices | $3
WHERE poll_id = $1 AND account_id = $2 AND (choices & $3) = 0
  AND EXISTS (SELECT 1 FROM poll q WHERE q.id = $1 AND q.multiple) RETURNING account_id
"""
_CHOSEN = "SELECT 1 FROM poll_ballot WHERE poll_id = $1 AND account_id = $2 AND (choices & $3) <> 0"
_OPEN = """
SELECT q.expires_at, p.author_id FROM poll q JOIN post p ON p.id = q.id
WHERE q.id = $1 AND q.closed_at IS NULL AND q.expires_at IS NOT NULL
"""
_CLOSE = """
UPDATE poll SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL AND expires_at <= $2 RETURNING id
"""
_VOTERS = """
SELECT b.account_id FROM poll_ballot b JOIN account a ON a.id = b.account_id
WHERE b.poll_id = $1 AND b.account_id > $2 AND a.local ORDER BY b.account_id LIMIT $3
"""
