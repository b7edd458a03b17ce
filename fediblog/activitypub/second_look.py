"""Looking again at a post of another server that we have: edited, or deleted, as its own server says now."""

from fediblog.activitypub import reading, resolver
from fediblog.http import Unwelcome
from fediblog.models import Account, Post
from fediblog.services import receiving
from fediblog.services.incoming import IncomingPost


async def at(post: Post) -> None:
    """Bring a post in line with what its own server shows; only that can say that it is deleted.

    Raises as `resolver.document` does when it cannot be asked.
    """
    author = await Account.get(id=post.author_id)
    try:
        document = await resolver.document(post.uri)
    except Unwelcome as error:
        if error.status not in (404, 410):
            raise
        return await receiving.delete(author, post.uri)
    if document.get("type") == "Tombstone":
        return await receiving.delete(author, post.uri)
    incoming = reading.post(document, None, author.followers_uri)
    if isinstance(incoming, IncomingPost):
        await receiving.edit(author, post, incoming)
    return None
