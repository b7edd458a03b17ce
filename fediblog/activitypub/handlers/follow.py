"""Follow: agreed to, asked of who is locked, or refused (FEDERATION §5). The outbox answers."""

from fediblog import uris
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.errors import Forbidden
from fediblog.models import Account
from fediblog.services import dropped, events, follows, relay_answers, undoing
from fediblog.services.events import Event


async def handle(activity: Node, actor: Account) -> None:
    """Let the actor follow somebody here. Raises NotFound when there is nobody."""
    whom, name = parts.one(activity), parts.name(activity)
    if whom == uris.server_uri():
        return await _follow_server(actor, name)
    target = await parts.somebody_here(whom)
    if await undoing.came_first(actor, name):
        return await dropped.count("undone before it came")
    try:
        await follows.follow(actor, target, uri=name)
    except Forbidden:
        await _refuse(target, actor, name)


async def _refuse(target: Account, actor: Account, name: str | None) -> None:
    """Who is blocked, or follows an account that has moved, hears so."""
    if name is not None:
        await events.record(Event.FOLLOW_REJECTED, target, target_id=actor.id, detail={"uri": name})


async def _follow_server(actor: Account, name: str | None) -> None:
    """Nobody follows the server itself but relays of the LitePub kind, which follow back (FEDERATION §10)."""
    if name is None or not await relay_answers.is_asked(actor):
        return await dropped.count("follow of the server")
    await events.record(Event.FOLLOW_ACCEPTED, None, target_id=actor.id, detail={"uri": name})
