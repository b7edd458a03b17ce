"""Answers of others, passed on to the followers of whom they answer (inbox forwarding, FEDERATION §7.7).

Who follows somebody sees both sides of a conversation this way, though the other side knows nothing of them.
The bytes are passed on as they came: what proves whose they are is inside.
"""

from fediblog import db, ids
from fediblog.activitypub import delivery, ownership
from fediblog.activitypub.budgets import memory
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import as_list, id_of
from fediblog.models import Account, Post, Visibility
from fediblog.services import dropped, outgoing, recipients, sent

_FORWARDED = ("Create", "Update")
# Without one of these nobody believes us.
_PROOFS = ("signature", "proof")


async def forward(activity: Node, body: bytes) -> None:
    """Pass on an activity that has had its effect here, when it carries a proof of its own.

    Only an answer for everybody, to a post of ours, that is addressed to its author's followers. Twice is the
    same as once. One server makes us write to all of them at a bounded pace (SECURITY §4): what is above it
    is not passed on.
    """
    thing = activity.get("object")
    if activity.get("type") not in _FORWARDED or not isinstance(thing, dict) or not _is_proven(activity):
        return
    answered = await _answered(id_of(thing) or "")
    if answered is None or answered.followers_uri not in _addressed(activity, thing):
        return
    origin = ownership.host(activity["id"])
    if not memory().forwarded.take(origin):
        return await dropped.count("too many answers to pass on")
    inboxes = await delivery.by_server(await recipients.followers(answered.id))
    inboxes.pop(origin, None)
    async with db.transaction():
        number = await _keep(activity, body, answered) if inboxes else None
        if number is not None:
            await outgoing.enqueue(number, inboxes)


def _is_proven(activity: Node) -> bool:
    return "id" in activity and any(isinstance(activity.get(name), dict) for name in _PROOFS)


async def _answered(uri: str) -> Account | None:
    """Who of us is answered by a post of somebody elsewhere that everybody may see."""
    post = await Post.get_or_none(uri=uri, local=False)
    if post is None or post.visibility > Visibility.UNLISTED or post.reply_to_author_id is None:
        return None
    return await Account.get_or_none(
        id=post.reply_to_author_id, local=True, suspended_at=None, deleted_at=None
    )


def _addressed(activity: Node, thing: Node) -> set[str | None]:
    return {
        id_of(each) for node in (activity, thing) for name in ("to", "cc") for each in as_list(node.get(name))
    }


async def _keep(activity: Node, body: bytes, answered: Account) -> int | None:
    return await sent.write(ids.new(), activity["id"], activity["type"], body, account_id=answered.id)
