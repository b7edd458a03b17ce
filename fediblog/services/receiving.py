"""Taking in what other servers publish: posts, their edits and their end, and votes."""

from fediblog.models import Account, Post
from fediblog.services.incoming import IncomingPost, IncomingVote


async def receive(author: Account, incoming: IncomingPost, quiet: bool = False) -> Post | None:
    """Take in a post of another server; None when it was deleted before it came.

    The same post twice, also twice at once, is the same as once. `quiet` tells nobody here of it: for what
    comes by a relay. Raises Forbidden when it is not the author's.
    """
    raise NotImplementedError


async def edit(author: Account, post: Post, incoming: IncomingPost) -> Post:
    """Bring a post in line with what its author says now; gives it as it is afterwards.

    Only what says that it is newer is an edit; otherwise nothing but the numbers of its poll is taken over.
    Raises Forbidden when it is not the author's, NotFound when it is gone.
    """
    raise NotImplementedError


async def delete(author: Account, uri: str) -> None:
    """Delete a post or a boost of the author's. One that we do not have is remembered, should it come late.

    Raises Forbidden when it is somebody else's.
    """
    raise NotImplementedError


async def vote(account: Account, incoming: IncomingVote) -> None:
    """Count a vote from elsewhere in a poll of ours. Several choices come one by one.

    Raises NotFound when there is no such poll for the account, Invalid as `polls.vote` does.
    """
    raise NotImplementedError
