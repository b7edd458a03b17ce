"""Delete: of a post or a boost, of a consent to be quoted, or of the account itself (FEDERATION §5)."""

from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.models import Account
from fediblog.services import quotes, receiving, remote_accounts


async def handle(activity: Node, actor: Account) -> None:
    """Delete what is the actor's. What nobody knows here is remembered: it may come later."""
    for uri in map(parts.address, parts.things(activity)):
        if uri == actor.uri:
            await remote_accounts.gone(actor)
        else:
            await _delete(uri, actor)


async def _delete(uri: str, actor: Account) -> None:
    parts.check_beside(uri, actor)
    if await Account.exists(uri=uri):
        raise Forged(Reason.OWNER)
    await quotes.withdrawn(actor, uri)
    # A consent is buried, too: who names it later is not believed.
    await receiving.delete(actor, uri)
