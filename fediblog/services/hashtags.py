"""The rows that tie posts to hashtags: of public posts only, so that a tag timeline needs no check."""

from collections.abc import Sequence

from fediblog import db, ids, text
from fediblog.models import Post, Visibility


async def add(post: Post, names: Sequence[str]) -> None:
    """Tie a new post to its hashtags, inside the transaction that stores it."""
    if post.visibility != Visibility.PUBLIC or not names:
        return
    tag_ids = await _known({text.tag_key(name): name for name in names})
    await db.execute(_TIE.format(given=db.unnest("$2")), post.id, db.array(tag_ids))


async def replace(post: Post, names: Sequence[str]) -> None:
    """Tie a post to these hashtags and no others, inside the transaction of its edit."""
    await db.execute("DELETE FROM post_tag WHERE post_id = $1", post.id)
    await add(post, names)


async def number(name: str) -> int:
    """The id of a hashtag, which is made if nobody has used it yet; inside a transaction."""
    (found,) = await _known({text.tag_key(name): name})
    return found


async def _known(wanted: dict[str, str]) -> list[int]:
    """The ids of hashtags by key. Those that are new are made in order, so that nobody waits crosswise."""
    found = await _find(list(wanted))
    missing = sorted(wanted.keys() - found.keys())
    for key in missing:
        await db.execute(_MAKE, ids.new(), key, wanted[key])
    if missing:
        # Somebody else may have made one in the same moment.
        found |= await _find(missing)
    return list(found.values())


async def _find(keys: Sequence[str]) -> dict[str, int]:
    places = ", ".join(f"${number}" for number in range(1, len(keys) + 1))
    found = await db.rows(f"SELECT id, key FROM tag WHERE key IN ({places})", *keys)
    return {line["key"]: line["id"] for line in found}


_MAKE = "INSERT INTO tag (id, key, name) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING"
_TIE = """
INSERT INTO post_tag (tag_id, post_id) SELECT given.id, CAST($1 AS BIGINT) FROM {given} WHERE given.id > 0
ON CONFLICT DO NOTHING
"""
