"""The versions of a post: the one before is kept whenever it changes."""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from fediblog import db, ids, moments
from fediblog.models import Account, Post, Visibility
from fediblog.paging import BIGGEST
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


async def history(post: Post, viewer: Account | None) -> list[Version]:
    """The versions that a viewer may know, oldest first, the one of today last; `post` may be shown to them.

    Who was addressed by an edit only knows what was said from then on: an edit does not widen the circle of
    those for whom the text before was meant (SECURITY §6). Files that were taken off are left out once they
    are gone. Raises NotFound when the post is gone.
    """
    since = await _since(post, viewer)
    kept = [_version(row) for row in await db.rows(_KEPT, post.id, since)]
    body = await views.body(post.id)
    today = Version(
        body.summary,
        body.content,
        body.sensitive,
        body.edited_at or body.created_at,
        tuple(_file(found) for found in body.media),
        body.poll.options if body.poll else (),
    )
    return [*await _without_lost_files(kept), today]


async def keep_version(post: Post) -> int:
    """Put the post aside as it stands, inside the transaction that changes it. Gives the edit's moment."""
    body = await views.body(post.id)
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
    await notifications.tell_all(Kind.EDIT, await db.column(_BOOSTERS, post.id), author, post.id)


async def _without_lost_files(versions: list[Version]) -> list[Version]:
    """An author who takes a picture off wants it gone, and so it is a day later (media.prune)."""
    named = {file["id"] for version in versions for file in version.media}
    if not named:
        return versions
    there = set(await db.column(_THERE.format(given=db.unnest("$1")), db.array(list(named))))
    return [
        replace(version, media=tuple(file for file in version.media if file["id"] in there))
        for version in versions
    ]


async def _since(post: Post, viewer: Account | None) -> int:
    """From which moment on a viewer may know what a post said."""
    if post.visibility <= Visibility.UNLISTED or (viewer is not None and viewer.id == post.author_id):
        return 0
    if viewer is None:
        return _NEVER
    found = await db.row(_RIGHTS, post.id, post.author_id, viewer.id) or {}
    if post.visibility == Visibility.FOLLOWERS and found["follows"]:
        return 0
    return _NEVER if found["since"] is None else int(found["since"])


_NEVER = BIGGEST
_THERE = "SELECT x.id FROM {given} JOIN media x ON x.id = given.id"
_KEPT = "SELECT * FROM post_edit WHERE post_id = $1 AND created_at >= $2 ORDER BY id"
_BOOSTERS = (
    "SELECT p.author_id FROM post p JOIN account a ON a.id = p.author_id WHERE p.boost_of_id = $1 AND a.local"
)
_RIGHTS = """
SELECT (SELECT 1 FROM follow f WHERE f.follower_id = $3 AND f.target_id = $2) AS follows,
       (SELECT m.since FROM mention m WHERE m.post_id = $1 AND m.account_id = $3) AS since
"""

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
