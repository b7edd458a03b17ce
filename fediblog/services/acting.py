"""What comes before every act on a post: which post is meant, and whether the two get on.

Whether the account may see the post has been asked by `posts.get`, which handed it out.
"""

from fediblog import db
from fediblog.errors import Forbidden, NotFound
from fediblog.models import Account, Post
from fediblog.services import locks


async def original(post: Post) -> Post:
    """Acting on a boost is acting on what it passes on (CLIENT-API §3.1.4). Raises NotFound when gone."""
    if post.boost_of_id is None:
        return post
    found = await Post.get_or_none(id=post.boost_of_id)
    if found is None:
        raise NotFound
    return found


async def check(account: Account, post: Post) -> None:
    """Refuse an act, inside its transaction; if not, the post stays until that ends.

    Raises NotFound when the post has gone meanwhile or its author blocks the account, Forbidden when the
    account blocks the author.
    """
    found = await db.row(f"{_BETWEEN} {locks.keeping('p')}", account.id, post.id)
    if found is None or found["blocked_by"]:
        raise NotFound
    if found["blocking"]:
        raise Forbidden("You have blocked the author of this post.")


_BETWEEN = """
SELECT EXISTS (SELECT 1 FROM block b WHERE b.account_id = $1 AND b.target_id = p.author_id) AS blocking,
       EXISTS (SELECT 1 FROM block b WHERE b.account_id = p.author_id AND b.target_id = $1) AS blocked_by
FROM post p WHERE p.id = $2
"""
