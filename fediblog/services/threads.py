"""A post in its thread: what it answers, up to the root, and what answers it (TIMELINES §7)."""

from collections import defaultdict
from typing import NamedTuple

from fediblog import db
from fediblog.models import Account, Post
from fediblog.services import views, visibility
from fediblog.services.views import Entry


class Reach(NamedTuple):
    """How much of a thread is shown."""

    ancestors: int
    descendants: int
    depth: int


# A visitor's bounds are those that apps know from their peers (CLIENT-API §3.2.8).
_VISITOR = Reach(ancestors=40, descendants=60, depth=20)
_MEMBER = Reach(ancestors=100, descendants=4096, depth=100)
# What is read of a thread in all, whatever of it may be shown: those nearest to the post.
_MOST_READ = 4096


class Context(NamedTuple):
    """Ancestors from the root down to the parent; descendants each before its own replies."""

    ancestors: list[Entry]
    descendants: list[Entry]


async def context(post: Post, viewer: Account | None) -> Context:
    """The thread around a post as far as the viewer may see it, without those the viewer hides."""
    reach = _VISITOR if viewer is None else _MEMBER
    viewer_id = viewer.id if viewer else 0
    above = (
        await db.column(_up(viewer), post.reply_to_id, viewer_id, reach.ancestors) if post.reply_to_id else []
    )
    below = await db.rows(_down(viewer), post.id, viewer_id, reach.descendants, reach.depth)
    # In threads from elsewhere an answer may stand above what it answers, and then comes again and again.
    above = [number for number in dict.fromkeys(above) if number != post.id]
    below = list({line["id"]: line for line in below if line["id"] != post.id}.values())
    order = _depth_first(post, below)
    found = await views.entries([*above, *order], viewer)
    return Context(
        [found[number] for number in reversed(above) if number in found],
        [found[number] for number in order if number in found],
    )


def _up(viewer: Account | None) -> str:
    return f"""
WITH RECURSIVE up(id, depth) AS (
    SELECT CAST($1 AS BIGINT), 1
    UNION ALL
    SELECT c.reply_to_id, up.depth + 1 FROM up JOIN post c ON c.id = up.id
    WHERE c.reply_to_id IS NOT NULL AND up.depth < $3
)
SELECT p.id FROM up JOIN post p ON p.id = up.id WHERE {_shown(viewer)} ORDER BY up.depth"""


def _down(viewer: Account | None) -> str:
    return f"""
WITH RECURSIVE down(id, depth) AS (
    SELECT CAST($1 AS BIGINT), 0
    UNION ALL
    SELECT c.id, down.depth + 1 FROM down JOIN post c ON c.reply_to_id = down.id WHERE down.depth < $4
), near AS (SELECT id, depth FROM down LIMIT {_MOST_READ})
SELECT p.id, p.reply_to_id, p.author_id FROM near JOIN post p ON p.id = near.id
WHERE near.depth > 0 AND {_shown(viewer)} ORDER BY p.id LIMIT $3"""


def _shown(viewer: Account | None) -> str:
    """`$2` stands in the text also for a visitor, because both databases want every parameter to be used."""
    not_hidden = "(SELECT 1 FROM hidden h WHERE h.account_id = $2 AND h.target_id = p.author_id) IS NULL"
    return f"{visibility.clause('$2' if viewer else None)} AND {not_hidden}"


def _depth_first(post: Post, replies: list[dict[str, int]]) -> list[int]:
    """Each reply before its own replies, the author's answers to themselves before others'.

    What hangs on a reply that the viewer may not see follows at the end, in the order of time.
    """
    children: dict[int, list[dict[str, int]]] = defaultdict(list)
    known = {post.id} | {reply["id"] for reply in replies}
    for reply in replies:
        children[reply["reply_to_id"] if reply["reply_to_id"] in known else 0].append(reply)
    for siblings in children.values():
        siblings.sort(key=lambda reply: (reply["author_id"] != post.author_id, reply["id"]))
    order: list[int] = []
    stack = [*reversed(children[0]), *reversed(children[post.id])]
    while stack:
        reply = stack.pop()
        order.append(reply["id"])
        stack.extend(reversed(children[reply["id"]]))
    return order
