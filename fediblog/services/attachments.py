"""What hangs on posts from elsewhere: files that stay where they are, and polls that are counted there.

All of it happens inside the transaction that takes the post in or changes it.
"""

from collections.abc import Iterable, Sequence

from fediblog import db, moments
from fediblog.models import Media, Post
from fediblog.queue import Job
from fediblog.services import work
from fediblog.services.incoming import Attachment, Question


async def put_files(post: Post, files: Sequence[Attachment]) -> None:
    """Put files on a new post, in their order."""
    if files:
        await Media.bulk_create([_media(post, position, each) for position, each in enumerate(files)])


async def replace_files(post: Post, files: Sequence[Attachment]) -> None:
    """Let an edited post have exactly these files. The same address is the same file, described anew.

    Those taken off live on for a while, as ours do, so that the history can name them.
    """
    there = {media.remote_url: media for media in await Media.filter(post_id=post.id)}
    for position, file in enumerate(files):
        media = _media(post, position, file)
        if known := there.pop(file.url, None):
            media.id = known.id
            await media.save(update_fields=_DESCRIBED)
        else:
            await media.save(force_create=True)
    for media in there.values():
        await db.execute(_TAKE_OFF, media.id, moments.now())


async def put_poll(post: Post, question: Question) -> None:
    """Put a poll on a new post, as it stands. Who voted here hears of its end."""
    await db.execute(
        _PUT_POLL,
        *(post.id, question.multiple, question.voters, question.expires_at, question.closed_at),
        moments.now(),
    )
    for position, (title, votes) in enumerate(question.options):
        await db.execute(_PUT_OPTION, post.id, position, title, votes)
    if question.closed_at is None and question.expires_at is not None:
        await work.owe(Job.CLOSE_POLL, post.id, not_before=question.expires_at)


async def replace_poll(post: Post, question: Question | None) -> None:
    """Bring the poll of an edited post in line: the same question keeps its votes, another begins anew."""
    if question is not None and await take_tallies(post, question):
        return
    # With the row go options and ballots.
    await db.execute("DELETE FROM poll WHERE id = $1", post.id)
    if question is not None:
        await put_poll(post, question)


async def take_tallies(post: Post, question: Question) -> bool:
    """Take over how a poll stands. False when that is another poll than we have: nothing has changed then."""
    multiple = await db.value("SELECT multiple FROM poll WHERE id = $1", post.id)
    titles = await db.column("SELECT title FROM poll_option WHERE poll_id = $1 ORDER BY position", post.id)
    if multiple is None or bool(multiple) != question.multiple or titles != _titles(question.options):
        return False
    for position, (_, votes) in enumerate(question.options):
        await db.execute(
            "UPDATE poll_option SET votes = $3 WHERE poll_id = $1 AND position = $2", post.id, position, votes
        )
    ends_at = question.expires_at if question.closed_at is None else question.closed_at
    if await db.value(_TALLY, post.id, question.voters, ends_at, moments.now()) and ends_at is not None:
        # The end itself, and who hears of it, is the same for all polls.
        await work.owe(Job.CLOSE_POLL, post.id, not_before=ends_at)
    return True


def _titles(options: Iterable[tuple[str, int]]) -> list[str]:
    return [title for title, _ in options]


def _media(post: Post, position: int, file: Attachment) -> Media:
    return Media(
        account_id=post.author_id,
        post_id=post.id,
        position=position,
        kind=file.kind,
        state="ready",
        mime=file.mime,
        remote_url=file.url,
        remote_preview_url=file.preview_url,
        description=file.description,
        focus_x=file.focus[0] if file.focus else None,
        focus_y=file.focus[1] if file.focus else None,
        width=file.width,
        height=file.height,
        duration=file.duration,
        blurhash=file.blurhash,
    )


_DESCRIBED = (
    "position kind mime remote_preview_url description focus_x focus_y width height duration blurhash".split()
)
_TAKE_OFF = "UPDATE media SET post_id = NULL, position = 0, created_at = $2 WHERE id = $1"
_PUT_POLL = """
INSERT INTO poll (id, multiple, voters, expires_at, closed_at, fetched_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_PUT_OPTION = "INSERT INTO poll_option (poll_id, position, title, votes) VALUES ($1, $2, $3, $4)"
_TALLY = """
UPDATE poll SET voters = $2, expires_at = $3, fetched_at = $4 WHERE id = $1 AND closed_at IS NULL RETURNING id
"""
