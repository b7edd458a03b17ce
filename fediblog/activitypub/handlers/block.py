"""Block: the actor wants nothing to do with somebody here (FEDERATION §5)."""

from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.models import Account
from fediblog.services import blocks, dropped, undoing


async def handle(activity: Node, actor: Account) -> None:
    """Follows end both ways and neither sees the other. Raises NotFound when it is nobody here."""
    target = await parts.somebody_here(parts.one(activity))
    if await undoing.came_first(actor, parts.name(activity)):
        return await dropped.count("undone before it came")
    await blocks.block(actor, target, parts.name(activity))
