"""Who may see a post: one rule, as a query and as a question.

The two stand side by side and a test walks every viewer, level and relation to prove that they agree. What a
viewer may not see does not exist for that viewer (SECURITY §1.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fediblog import db
from fediblog.models import Account, Post, Visibility
from fediblog.services import joined


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
    return await find(post.id, viewer) is not None


async def find(post_id: int, viewer: Account | None) -> Post | None:
    """The post, None when it is not there for this viewer. One statement, for a boost two."""
    viewer_id = viewer.id if viewer else 0
    found = await db.row(_FIND, viewer_id, post_id)
    if found is None:
        return None
    post = joined.build(Post, "p", found)
    if post.boost_of_id is not None and await find(post.boost_of_id, viewer) is None:
        return None
    between = {name: bool(found[name]) for name in _BETWEEN}
    return post if allows(post.visibility, Relation(viewer_id == post.author_id, **between)) else None


def whole_clause(viewer: str | None, post: str = "p") -> str:
    """The rule as SQL for posts and boosts alike: of a boost what it passes on must be seen, too."""
    original = (
        f"SELECT 1 FROM post passed WHERE passed.id = {post}.boost_of_id AND {clause(viewer, 'passed')}"
    )
    return f"{clause(viewer, post)} AND ({post}.boost_of_id IS NULL OR EXISTS ({original}))"


async def visible(post_ids: Iterable[int], viewer: Account | None) -> set[int]:
    """Those of the posts that a viewer may see, in one statement."""
    values = [viewer.id] if viewer else []
    rule = whole_clause("$2" if viewer else None)
    sql = f"SELECT p.id FROM {db.unnest('$1')} JOIN post p ON p.id = given.id WHERE {rule}"
    return set(await db.column(sql, db.array(list(post_ids)), *values))


_BETWEEN = ("follows", "mentioned", "blocked", "suspended")
_FIND = f"""
SELECT {joined.columns(Post, "p")},
       (SELECT 1 FROM account s WHERE s.id = p.author_id AND s.suspended_at IS NOT NULL) AS suspended,
       (SELECT 1 FROM follow f WHERE f.follower_id = $1 AND f.target_id = p.author_id) AS follows,
       (SELECT 1 FROM mention m WHERE m.post_id = p.id AND m.account_id = $1) AS mentioned,
       (SELECT 1 FROM block b WHERE b.account_id = p.author_id AND b.target_id = $1) AS blocked
FROM post p WHERE p.id = $2
"""
