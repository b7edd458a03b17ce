"""The versions of a post: the one before is kept whenever it changes."""

from dataclasses import dataclass
from typing import Any

import orjson

from fediblog import db, ids, moments
from fediblog.models import Account, Post
from fediblog.services import notifications, views
from fediblog.services.notifications import Kind


@dataclass(frozen=True, slots=True)
class Version:
    """A post as it was from `created_at` on. `media` are {id, description, file, small_file, kind}."""

    summary: str
    content: str
    sensitive: bool
    created_at: int
    media: tuple[dict[str, Any], ...]
    options: tuple[str, ...]


async def history(post: Post) -> list[Version]:
    """All versions, the original first and the one of today last."""
    kept = await db.rows("SELECT * FROM post_edit WHERE post_id = $1 ORDER BY id", post.id)
    today = (await views.bodies([post.id]))[post.id]
    return [_version(row) for row in kept] + [
        Version(
            today.summary,
            today.content,
            today.sensitive,
            post.edited_at or post.created_at,
            tuple(_file(found) for found in today.media),
            today.poll.options if today.poll else (),
        )
    ]


async def keep_version(post: Post) -> int:
    """Put the post aside as it stands, inside the transaction that changes it. Gives the edit's moment."""
    body = (await views.bodies([post.id]))[post.id]
    await db.execute(
        _KEEP,
        ids.new(),
        post.id,
        post.summary,
        post.source,
        post.content,
        post.sensitive,
        db.json([_file(found) for found in body.media]),
        db.json(list(body.poll.options) if body.poll else []),
        post.edited_at or post.created_at,
    )
    before: int = post.edited_at or post.created_at
    return max(moments.now(), before + 1)


async def tell_boosters(author: Account, post: Post) -> None:
    """Who passed a text on hears that it says something else now."""
    for account_id in await db.column("SELECT author_id FROM post WHERE boost_of_id = $1", post.id):
        await notifications.tell(Kind.EDIT, account_id, author, post.id)


_KEEP = """INSERT INTO post_edit
(id, post_id, summary, source, content, sensitive, media, options, created_at) VALUES
($1, $2, $3, $4, $5, $6, $7, $8, $9)"""


def _file(found: views.MediaView) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "description": found.description,
        "file": found.file,
        "small_file": found.small_file,
    }


def _version(row: db.Row) -> Version:
    return Version(
        row["summary"],
        row["content"],
        bool(row["sensitive"]),
        row["created_at"],
        tuple(orjson.loads(row["media"])),
        tuple(orjson.loads(row["options"])),
    )
