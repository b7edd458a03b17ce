"""Who may see a post: one rule, as a query and as a question.

The two stand side by side and a test walks every viewer, level and relation to prove that they agree. What a
viewer may not see does not exist for that viewer (SECURITY §1.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fediblog import db
from fediblog.models import Account, Post, Visibility


@dataclass(frozen=True, slots=True)
class Relation:
    """What stands between a viewer and the author of a post."""

    own: bool = False
    follows: bool = False
    mentioned: bool = False
    blocked: bool = False  # The author blocks the viewer.
    suspended: bool = False  # The author is suspended by this server.


def allows(visibility: Visibility, relation: Relation) -> bool:
    """The rule itself."""
    if relation.suspended:
        return False
    if relation.own:
        return True
    if relation.blocked:
        return False
    match visibility:
        case Visibility.PUBLIC | Visibility.UNLISTED:
            return True
        case Visibility.FOLLOWERS:
            return relation.follows or relation.mentioned
        case Visibility.DIRECT:
            return relation.mentioned


def clause(viewer: str | None, post: str = "p") -> str:
    """The rule as SQL on a post's alias.

    `viewer` is the parameter that holds the viewer's id, None for nobody.
    """
    known = f"(SELECT 1 FROM account s WHERE s.id = {post}.author_id AND s.suspended_at IS NOT NULL) IS NULL"
    if viewer is None:
        return f"{post}.visibility <= 1 AND {known}"
    blocked = f"SELECT 1 FROM block b WHERE b.account_id = {post}.author_id AND b.target_id = {viewer}"
    mentioned = f"SELECT 1 FROM mention m WHERE m.post_id = {post}.id AND m.account_id = {viewer}"
    follows = f"SELECT 1 FROM follow f WHERE f.follower_id = {viewer} AND f.target_id = {post}.author_id"
    return (
        f"({post}.author_id = {viewer} OR (({blocked}) IS NULL AND ({post}.visibility <= 1"
        f" OR ({mentioned}) IS NOT NULL OR ({post}.visibility = 2 AND ({follows}) IS NOT NULL)))) AND {known}"
    )


async def may_see(viewer: Account | None, post: Post) -> bool:
    """The rule as a question. A boost is seen by whoever sees both the boost and what it passes on."""
    if post.boost_of_id is not None:
        original = await Post.get_or_none(id=post.boost_of_id)
        if original is None or not await may_see(viewer, original):
            return False
    return allows(post.visibility, await _relation(viewer, post))


async def visible(post_ids: Iterable[int], viewer: Account | None) -> set[int]:
    """Those of the posts that a viewer may see, in one statement."""
    name = "$2" if viewer else None
    values = [viewer.id] if viewer else []
    sql = (
        f"SELECT p.id FROM {db.unnest('$1')} JOIN post p ON p.id = given.id"
        f" LEFT JOIN post o ON o.id = p.boost_of_id WHERE {clause(name)}"
        f" AND (p.boost_of_id IS NULL OR ({clause(name, 'o')}))"
    )
    return set(await db.column(sql, db.array(list(post_ids)), *values))


_RELATION = """
SELECT (SELECT 1 FROM account s WHERE s.id = $2 AND s.suspended_at IS NOT NULL) AS suspended,
       (SELECT 1 FROM follow f WHERE f.follower_id = $1 AND f.target_id = $2) AS follows,
       (SELECT 1 FROM mention m WHERE m.post_id = $3 AND m.account_id = $1) AS mentioned,
       (SELECT 1 FROM block b WHERE b.account_id = $2 AND b.target_id = $1) AS blocked
"""


async def _relation(viewer: Account | None, post: Post) -> Relation:
    viewer_id = viewer.id if viewer else 0
    found = await db.row(_RELATION, viewer_id, post.author_id, post.id) or {}
    return Relation(own=viewer_id == post.author_id, **{name: bool(value) for name, value in found.items()})
