"""Rows for tests of what people do to posts and to each other, without the services that write posts."""

from typing import Any

from fediblog import db, ids, moments, uris
from fediblog.models import Account, Media, Post, Visibility


async def post(author: Account, visibility: Visibility = Visibility.PUBLIC, **columns: Any) -> Post:
    """A post as `posts.publish` would store it, without a text of interest."""
    number = ids.new()
    values = {
        "id": number,
        "uri": uris.post_uri(number),
        "thread_id": number,
        "visibility": visibility,
        "local": author.local,
        "content": "<p>Hello</p>",
        **columns,
    }
    return await Post.create(author_id=author.id, **values)


async def mention(post: Post, *accounts: Account) -> None:
    """Name accounts in a post."""
    async with db.transaction():
        for account in accounts:
            await db.execute("INSERT INTO mention (post_id, account_id) VALUES ($1, $2)", post.id, account.id)


async def told(account: Account) -> list[tuple[str, int, int | None]]:
    """What an account was told: kind, who, which post; oldest first, hidden ones too."""
    found = await db.rows(
        "SELECT kind, from_id, post_id FROM notification WHERE account_id = $1 ORDER BY id", account.id
    )
    return [(line["kind"], line["from_id"], line["post_id"]) for line in found]


async def counts(account: Account) -> tuple[int, int]:
    """Followers and following, as counted."""
    found = await Account.get(id=account.id)
    return found.followers_count, found.following_count


async def owed(job: str) -> list[str]:
    """The keys of the work of one kind that is owed."""
    return await db.column("SELECT key FROM work WHERE kind = $1 ORDER BY key", job)


async def file_of(account: Account, **columns: Any) -> Media:
    """A picture as a worker leaves it: ready, and on no post."""
    number = ids.new()
    values = {"kind": "image", "state": "ready", "mime": "image/png", "file": f"{number}.png", **columns}
    return await Media.create(id=number, account_id=account.id, **values)


async def announced(text: str, **columns: Any) -> int:
    """An announcement as the staff makes it: its id."""
    now = moments.now()
    values = {"id": ids.new(), "text": text, "published_at": now, "updated_at": now, **columns}
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    async with db.transaction():
        await db.execute(
            f"INSERT INTO announcement ({', '.join(values)}) VALUES ({places})", *values.values()
        )
    return int(values["id"])
