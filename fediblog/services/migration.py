"""Moving an account of ours to another one, and the aliases by which others may move here.

Who moves takes the followers along, so both sides must say so: the old account that it moves, and the new one
that it is the same person (`also_known_as`; FEDERATION §5, Move).
"""

from collections.abc import Sequence

from fediblog import db, moments
from fediblog.errors import Conflict, Invalid
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import accounts, events, locks, work
from fediblog.services.events import Event

# Who has moved may do so again after so long: followers shall not be sent round and round.
PAUSE = 30 * moments.DAY
MOST_ALIASES = 10


async def aliases(account: Account) -> list[Account]:
    """The accounts that may move to this one, as far as we know them still."""
    found = {other.uri: other for other in await Account.filter(uri__in=account.also_known_as)}
    return [found[uri] for uri in account.also_known_as if uri in found]


async def add_alias(account: Account, other: Account) -> Account:
    """Say that another account is the same person; the account as it is afterwards. Twice is as once.

    Raises Invalid for oneself, and beyond ten.
    """
    if other.id == account.id:
        raise Invalid("That is this account itself.", field="handle")
    async with db.transaction():
        known = await _aliases(account)
        if other.uri not in known and len(known) >= MOST_ALIASES:
            raise Invalid(f"There can be {MOST_ALIASES} aliases at most.", field="handle")
        return await _rename(account, known, [*known, other.uri])


async def remove_alias(account: Account, uri: str) -> Account:
    """Say so no more; the account as it is afterwards. Of what is no alias: nothing."""
    async with db.transaction():
        known = await _aliases(account)
        return await _rename(account, known, [name for name in known if name != uri])


async def move(account: Account, target: Account) -> Account:
    """Move an account to another one: its followers are told, here and elsewhere, and it takes no new ones.

    The door has asked for the password, and the target has just been looked at anew. Raises Invalid when
    that is the account itself, is not there, has moved on, or does not call this one an alias of its own;
    Conflict within thirty days of the last move.
    """
    if fault := _fault(account, target):
        raise Invalid(fault, field="handle")
    async with db.transaction():
        await locks.accounts([account.id])
        moved_at = await db.value("SELECT moved_at FROM account WHERE id = $1", account.id)
        if (moved_at or 0) > moments.now() - PAUSE:
            raise Conflict("This account has moved within the last 30 days. Please wait until they are over.")
        moved = await accounts.change(account.id, {"moved_to_id": target.id, "moved_at": moments.now()})
        await events.record(Event.PROFILE_CHANGED, moved)
        await events.record(Event.MOVED, moved, target_id=target.id)
        await work.owe(Job.MOVE, f"{account.id}:{target.id}")
    return moved


async def come_back(account: Account) -> Account:
    """Use an account again that has moved. Its followers do not come back with it."""
    if account.moved_to_id is None:
        return account
    async with db.transaction():
        back = await accounts.change(account.id, {"moved_to_id": None})
        await events.record(Event.PROFILE_CHANGED, back)
    return back


def _fault(account: Account, target: Account) -> str | None:
    if target.id == account.id:
        return "That is this account itself."
    if target.deleted_at is not None or target.suspended_at is not None:
        return "That account is not there."
    if target.moved_to_id is not None:
        return "That account has moved on itself."
    if account.uri not in target.also_known_as:
        return "That account does not name this one as an alias yet. Add the alias there first."
    return None


async def _aliases(account: Account) -> Sequence[str]:
    """As they are now; nobody else changes them until the transaction ends."""
    await locks.accounts([account.id])
    return (await Account.get(id=account.id)).also_known_as or []


async def _rename(account: Account, known: Sequence[str], names: Sequence[str]) -> Account:
    names = list(dict.fromkeys(names))
    if names == list(known):
        return await Account.get(id=account.id)
    changed = await accounts.change(account.id, {"also_known_as": db.json(names)})
    await events.record(Event.PROFILE_CHANGED, changed)
    return changed
