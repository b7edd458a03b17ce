"""What each activity does to us: one verb, one file. The table is the table of contents (FEDERATION §5).

    create      posts, and votes                    like        likes, with or without an emoji
    update      edits, tallies, profiles            announce    boosts, and what relays and groups pass on
    delete      posts, boosts, accounts             featured    pins
    follow      asking to follow us                 move        going on under another account
    answers     to our asking to follow or quote    block       wanting nothing to do with somebody
    quotes      asking to quote us
    undo        of most of these                    flag        reports
    parts       what all of them ask of an activity
    unwrapping  activities inside of those of groups

Doing one twice is the same as once, whether it comes again under the same id or under another. What an
activity embeds is believed only when it is the actor's own; everything else is an address to fetch from. All
that is dropped is counted by a reason.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fediblog.activitypub import ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import (
    announce,
    answers,
    block,
    create,
    delete,
    featured,
    flag,
    follow,
    like,
    move,
    quotes,
    undo,
    update,
)
from fediblog.models import Account
from fediblog.services import dropped

__all__ = ["HANDLERS", "handle"]

Handler = Callable[[Node, Account], Awaitable[None]]

HANDLERS: Final[dict[str, Handler]] = {
    "Accept": answers.accept,
    "Add": featured.add,
    "Announce": announce.handle,
    "Block": block.handle,
    "Create": create.handle,
    "Delete": delete.handle,
    "Dislike": like.dislike,
    "EmojiReact": like.handle,
    "Flag": flag.handle,
    "Follow": follow.handle,
    "Like": like.handle,
    "Move": move.handle,
    "QuoteRequest": quotes.handle,
    "Reject": answers.reject,
    "Remove": featured.remove,
    "Undo": undo.handle,
    "Update": update.handle,
}


async def handle(activity: Node, actor: Account) -> None:
    """Let an activity have its effect. Its signer is `actor`; it is as `compact.read` makes it.

    What we do not know is counted and dropped. Raises ownership.Forged for what is not the actor's to say,
    our other errors and http.Outside for what cannot be done: then nothing has changed.
    """
    ownership.check_activity(activity, actor.uri)
    verb = HANDLERS.get(str(activity.get("type")))
    if verb is None:
        return await dropped.count("unknown activity")
    await verb(activity, actor)
