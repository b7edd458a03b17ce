"""What each activity does to us: one verb, one file. The table is the table of contents (FEDERATION §5).

Doing one twice is the same as once, whether it comes again under the same id or under another. What an activity
embeds is believed only when it is the actor's own; everything else is an address to fetch from.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fediblog.activitypub import ownership
from fediblog.activitypub.compact import Node
from fediblog.models import Account
from fediblog.services import dropped

Handler = Callable[[Node, Account], Awaitable[None]]

HANDLERS: Final[dict[str, Handler]] = {}


async def handle(activity: Node, actor: Account) -> None:
    """Let an activity have its effect. Its signer is `actor`; it is as `compact.read` makes it.

    What we do not know is counted and dropped. Raises ownership.Forged for what is not the actor's to say, and
    our errors and http.Outside for what cannot be done: then nothing has changed.
    """
    ownership.check_activity(activity, actor.uri)
    verb = HANDLERS.get(str(activity.get("type")))
    if verb is None:
        return await dropped.count("unknown activity")
    return await verb(activity, actor)
