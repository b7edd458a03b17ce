"""What the tests of mail share: mentions without detours, a clock that can be set, and the worker's part."""

import pytest

from fediblog import db, ids, moments, uris
from fediblog.errors import FediblogError
from fediblog.models import Account, Post, Visibility
from fediblog.queue import Job
from fediblog.services import mail, work

OWNER = "the worker of a test"


class Clock:
    """Goes as fast as the real one and can be set forward."""

    def __init__(self) -> None:
        self._real = moments.now
        self._ahead = 0

    def __call__(self) -> int:
        return self._real() + self._ahead

    def forward(self, milliseconds: int) -> None:
        """Set it forward."""
        self._ahead += milliseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of everything in this process."""
    made = Clock()
    monkeypatch.setattr(moments, "now", made)
    # Ids never go back: without this those of the following tests would be from the future.
    monkeypatch.setattr(ids, "_last", ids._last)
    return made


async def mention(
    author: Account,
    *readers: Account,
    content: str = "<p>Hello there</p>",
    visibility: Visibility = Visibility.PUBLIC,
    summary: str = "",
) -> Post:
    """A post that mentions people, and the notification and the owed mail of each, in one transaction."""
    post_id = ids.new()
    async with db.transaction():
        post = await Post.create(
            id=post_id,
            uri=uris.post_uri(post_id),
            author_id=author.id,
            thread_id=post_id,
            visibility=visibility,
            local=author.local,
            content=content,
            summary=summary,
        )
        for reader in readers:
            await db.execute("INSERT INTO mention (post_id, account_id) VALUES ($1, $2)", post.id, reader.id)
            await notify(post, reader)
    return post


async def notify(post: Post, reader: Account) -> int:
    """What notifications.tell does for a mention, inside a transaction. Gives the notification."""
    number = ids.new()
    await db.execute(
        "INSERT INTO notification (id, account_id, kind, from_id, post_id, key, created_at)"
        " VALUES ($1, $2, 'mention', $3, $4, $5, $6)",
        *(number, reader.id, post.author_id, post.id, f"mention:{post.id}", moments.now()),
    )
    await mail.mentioned(number, reader.id)
    return number


async def owed() -> list[int]:
    """The mails in the tray, whenever they are due."""
    return [int(key) for key in await db.column("SELECT key FROM work WHERE kind = 'mail' ORDER BY id")]


async def deliver() -> int:
    """Do all the mail that is due now, as the worker does. Gives the number of those that were put off."""
    put_off = 0
    while found := await work.sweep([Job.MAIL], patience=0):
        for job, work_id in found:
            held = await work.lease(job, work_id, OWNER, suspect=True)
            assert held is not None
            try:
                await mail.send(int(held.key))
            except FediblogError as error:
                put_off += 1
                await work.failed(held, error.message)
            else:
                await work.done(held)
    return put_off


async def states(kind: str = "mention") -> list[str]:
    """The states of all mails of a kind, oldest first."""
    return await db.column("SELECT state FROM mail WHERE kind = $1 ORDER BY id", kind)
