"""QuoteRequest, and what others say to ours (FEP-044f). The outbox answers."""

from typing import Any

from fediblog import uris
from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.reading import tags
from fediblog.activitypub.vocabulary import POSTS, as_list, id_of
from fediblog.errors import Malformed
from fediblog.models import Account, Post
from fediblog.services import dropped, quotes, visibility


async def handle(activity: Node, actor: Account) -> None:
    """The actor asks whether a post of the actor's may quote one of ours: it may as the policy says.

    One that the actor may not see does not exist. The post that quotes comes along with it, or is fetched.
    Raises Forged when it is not the actor's, or quotes something else.
    """
    quoted = await _ours(parts.one(activity))
    if quoted is None:
        return await dropped.count("quote of nothing here")
    thing = next(iter(as_list(activity.get("instrument"))), None)
    uri = parts.address(thing)
    parts.check_beside(uri, actor)
    if not await visibility.may_see(actor, quoted):
        return await _refuse_stranger(actor, uri, quoted, parts.name(activity))
    post = await _quoting(thing, uri, activity, actor)
    if post is None:
        return await dropped.count("quote in what is no post")
    if post.author_id != actor.id or post.quote_of_id != quoted.id:
        raise Forged(Reason.OWNER)
    await quotes.answer(actor, post.id, quoted.id, parts.name(activity))


async def is_answer(thing: Any, activity: Node, actor: Account) -> bool:
    """Take the actor's Accept or Reject of `thing`, if that is a question of ours whether to quote.

    Only who is quoted has a say. Raises Forged for anybody else, and for a consent that lives elsewhere.
    """
    post_id = _question(thing)
    if post_id is None:
        return False
    post = await Post.get_or_none(id=post_id, local=True)
    quoted = await Post.get_or_none(id=post.quote_of_id) if post and post.quote_of_id else None
    if post is None or quoted is None:
        await dropped.count("answer to nothing")
    elif quoted.author_id != actor.id or not _is_about(thing, post, quoted):
        raise Forged(Reason.OWNER)
    elif activity.get("type") == "Reject":
        await quotes.rejected(post)
    else:
        await quotes.accepted(post, _result(activity, actor))
    return True


async def _ours(uri: str) -> Post | None:
    match uris.local(uri):
        case ("posts", number):
            return await Post.get_or_none(id=number, local=True, boost_of_id=None)
    return None


async def _refuse_stranger(actor: Account, uri: str, quoted: Post, name: str | None) -> None:
    """Who is blocked hears so of what everybody else can see; of all else there is nothing to be said."""
    if await visibility.may_see(None, quoted):
        await quotes.refuse(actor, uri, quoted, name)
    else:
        await dropped.count("quote of nothing here")


async def _quoting(thing: Any, uri: str, activity: Node, actor: Account) -> Post | None:
    """The post that quotes: taken in, though nobody here may follow its author."""
    embedded = thing if ownership.may_embed(thing, activity) else {}
    post = await Post.get_or_none(uri=uri)
    if post is not None:
        return post
    node = embedded or await resolver.document(uri)
    if node.get("type") not in POSTS:
        return None
    if tags.quote(node) != parts.one(activity) or ownership.owner_of(node) != actor.uri:
        raise Forged(Reason.OWNER)
    return await resolver.store_post(node, actor, activity)


def _question(thing: Any) -> int | None:
    """The post of ours that a question was about: by the name of it, else by what is embedded."""
    uri = id_of(thing)
    if uri is not None and (found := uris.quote_request(uri)) is not None:
        return found
    if not isinstance(thing, dict) or thing.get("type") != "QuoteRequest":
        return None
    match uris.local(id_of(thing.get("instrument")) or ""):
        case ("posts", number):
            return number
    return None


def _is_about(thing: Any, post: Post, quoted: Post) -> bool:
    """What is repeated of the question is what was asked."""
    if not isinstance(thing, dict):
        return True
    said = id_of(thing.get("instrument")) or post.uri, id_of(thing.get("object")) or quoted.uri
    return said == (post.uri, quoted.uri)


def _result(activity: Node, actor: Account) -> str:
    """Where the consent can be read: under the actor's own origin."""
    result = id_of(next(iter(as_list(activity.get("result"))), None))
    if result is None:
        raise Malformed("There is no consent in this answer.")
    parts.check_beside(result, actor)
    return result
