"""Blocking, and `hidden`, the table of who does not see whom. It follows from blocks, mutes, hidden servers.

`hidden` spares every timeline three look-ups (TIMELINES §1). It is derived: its rows change in the
transaction of their cause, and can be made again at any time.
"""

from fediblog import db, ids, moments, uris
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import events, follows, locks, people
from fediblog.services.events import Event
from fediblog.services.people import People, Relation

BLOCKED = Relation("block", "account_id", "target_id")


async def block(account: Account, target: Account, uri: str | None = None) -> None:
    """Block: follows and requests end both ways, and neither sees the other any more.

    `uri` is the name that another server gave its block. Raises Invalid for oneself.
    """
    if account.id == target.id:
        raise Invalid("You cannot block yourself.")
    number = ids.new()
    uri = uri or uris.absolute(f"/ap/blocks/{number}")
    async with db.transaction():
        await locks.pair(account.id, target.id)
        fresh = await db.value(_BLOCK, account.id, target.id, number, uri, moments.now())
        await settle_hidden(account.id, target.id)
        await follows.sever(account.id, target.id, by=account)
        if fresh is not None:
            await events.record(Event.BLOCKED, account, target_id=target.id, detail={"uri": uri})


async def unblock(account: Account, target: Account) -> None:
    """Lift a block. Follows do not come back. Without a block: nothing."""
    async with db.transaction():
        await locks.pair(account.id, target.id)
        uri = await db.value(_UNBLOCK, account.id, target.id)
        if uri is not None:
            await events.record(Event.UNBLOCKED, account, target_id=target.id, detail={"uri": uri})
        await settle_hidden(account.id, target.id)


async def blocked(account: Account, page: Page) -> People:
    """Whom an account blocks."""
    return await people.listed(BLOCKED, account.id, page)


async def settle_hidden(one: int, other: int) -> None:
    """Bring the two rows between two accounts in line with their causes, inside the same transaction."""
    pair = "(({a} = $1 AND {b} = $2) OR ({a} = $2 AND {b} = $1))"
    there = pair.format(a="account_id", b="target_id")
    await db.execute(f"DELETE FROM hidden WHERE {there}", one, other)
    await db.execute(f"INSERT INTO hidden (account_id, target_id) {_causes(there, there, _PAIR)}", one, other)


async def rebuild_hidden(account_id: int) -> None:
    """Make all rows of an account again: its mutes, the blocks on both sides, the servers that it hides."""
    async with db.transaction():
        await db.execute("DELETE FROM hidden WHERE account_id = $1", account_id)
        causes = _causes("account_id = $1", "target_id = $1", _ALL)
        await db.execute(f"INSERT INTO hidden (account_id, target_id) {causes}", account_id)


def _causes(mine: str, theirs: str, servers: str) -> str:
    """The only definition of `hidden`: my mutes, my blocks, the blocks of me, and whole servers.

    Who comes from a server later is hidden by hidden_domains.greet.
    """
    return (
        f"SELECT account_id, target_id FROM mute WHERE {mine}"
        f" UNION SELECT account_id, target_id FROM block WHERE {mine}"
        f" UNION SELECT target_id, account_id FROM block WHERE {theirs}"
        f" UNION {servers}"
    )


_SERVERS = """SELECT d.account_id, a.id FROM hidden_domain d JOIN account a ON a.domain = d.domain
WHERE d.account_id = {}"""
_ALL = _SERVERS.format("$1")
_PAIR = f"{_SERVERS.format('$1')} AND a.id = $2 UNION {_SERVERS.format('$2')} AND a.id = $1"


_BLOCK = """
INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, target_id) DO NOTHING RETURNING id
"""
_UNBLOCK = "DELETE FROM block WHERE account_id = $1 AND target_id = $2 RETURNING uri"
