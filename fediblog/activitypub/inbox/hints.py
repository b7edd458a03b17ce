"""What one server passes on for another: nothing in it is believed, but it may be worth asking for.

Answers to a post are passed on to the post's followers in this way, and relays of the older kind pass on
everything (FEDERATION §5, §7.7, §10). We run no JSON-LD processor, so the signature inside proves nothing.
"""

from fediblog.activitypub import reading, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import id_of
from fediblog.http import Unwelcome
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.services import passed_on, receiving, work
from fediblog.services.incoming import IncomingPost


async def follow(activity: Node, passer: Account) -> None:
    """Ask the post's own server, when somebody here may want to know."""
    thing = activity.get("object")
    uri = id_of(thing)
    if uri is None:
        return
    post = await passed_on.post(uri)
    match activity["type"]:
        case "Create" if post is None and await _is_wanted(thing if isinstance(thing, dict) else {}, passer):
            await work.owe(Job.RESOLVE, uri)
        case "Update" | "Delete" if post is not None:
            await _look_again(post)


async def _is_wanted(thing: Node, passer: Account) -> bool:
    addressed = [*thing.get("to", ()), *thing.get("cc", ())]
    return await passed_on.is_wanted(str(thing.get("inReplyTo") or ""), addressed, passer)


async def _look_again(post: Post) -> None:
    """What has become of it. Only its own server can say that it is deleted."""
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
