"""What servers pass on for others is a hint: is it worth asking the post's own server? (FEDERATION §7.7)."""

from collections.abc import Collection

from fediblog import db, uris
from fediblog.models import Account, Post


async def post(uri: str) -> Post | None:
    """The post of another server with this address, if we have it."""
    return await Post.get_or_none(uri=uri, local=False)


async def is_wanted(reply_to_uri: str, addressed: Collection[str], passer: Account) -> bool:
    """Whether somebody here may want a post that we do not have.

    It answers one that is here, is addressed to somebody here, or comes by a relay that we asked for posts.
    All of this is what the hint claims; what the post's own server says decides later.
    """
    if reply_to_uri and await db.value("SELECT 1 FROM post WHERE uri = $1", reply_to_uri):
        return True
    if any(uris.local(each) for each in addressed):
        return True
    relays = "SELECT 1 FROM relay WHERE state = 'accepted' AND actor_uri = $1"
    return bool(await db.value(relays, passer.uri))
