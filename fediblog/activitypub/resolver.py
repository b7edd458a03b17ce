"""From a handle or an address to the account or post that it names, fetched if it is not known yet."""

from fediblog.activitypub.budgets import Budget
from fediblog.activitypub.compact import Node
from fediblog.models import Account, Post


async def account(handle: str) -> Account:
    """The account that `name`, `@name` or `name@host` means, by WebFinger when it is not known (FEDERATION §1.4).

    Raises NotFound when there is none, Forbidden for a server that is blocked here, http.Outside, Malformed
    and Forged for what its server says.
    """
    raise NotImplementedError


async def actor(uri: str, refresh: bool = False) -> Account:
    """The account with this address. One that is known is not fetched, unless `refresh` asks for it.

    Raises NotFound for what is no actor, Gone, and as `account` does.
    """
    raise NotImplementedError


async def post(uri: str, budget: Budget | None = None, quiet: bool = False) -> Post | None:
    """The post with this address, fetched with what it answers when it is not known.

    None when it is deleted or no post. Raises as `account` does.
    """
    raise NotImplementedError


async def store_post(
    node: Node, author: Account, activity: Node | None = None, quiet: bool = False
) -> Post | None:
    """Take in a document that may be believed: it was fetched, or embedded by its owner. Votes are counted.

    None for a vote, and for what is deleted or no post. Raises Forged when it is not the author's, Malformed.
    """
    raise NotImplementedError


async def find(text: str, viewer: Account | None) -> Account | Post | None:
    """What somebody typed or pasted into the search: a handle, or the address of a profile or a post.

    None when it is nothing of that kind, or nothing that the viewer may see. For nobody nothing is fetched.
    Raises as `account` does.
    """
    raise NotImplementedError
