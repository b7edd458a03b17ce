"""Who follows whom between us and one other server, so that the two can agree about it (FEP-8fcf).

A follow is a row on both sides. When an Undo is lost the other side goes on to show followers-only posts to
somebody who has left; so both tell each other a digest of what they have, and settle what differs.
"""

from dataclasses import dataclass

from fediblog import db, ids, moments, uris
from fediblog.config import settings
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import events, follows, work
from fediblog.services.events import Event

# An account elsewhere is settled with at most this often.
_PAUSE = moments.HOUR
# So many are taken back in one go: each is a letter, and a list may name everybody here.
_MOST_DISOWNED = 100


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of our follows of one account: how many ended, were agreed to, and were disowned."""

    ended: int
    agreed: int
    disowned: int


async def elsewhere(account: Account) -> list[str]:
    """All who follow one of our accounts from other servers, by their ids there."""
    return await db.column(_ELSEWHERE, account.id)


async def at(account: Account, authority: str) -> list[str]:
    """Those of them whose ids are under one host (and port), in the order of the ids."""
    schemes = ["https", "http"] if settings().federation.allow_http else ["https"]
    places = " OR ".join(f"substr(a.uri, 1, length(${n})) = ${n}" for n in range(2, 2 + len(schemes)))
    starts = [f"{scheme}://{authority}/" for scheme in schemes]
    return await db.column(f"{_ELSEWHERE} AND ({places}) ORDER BY a.uri", account.id, *starts)


async def here(account: Account) -> list[str]:
    """Those of us who follow an account elsewhere, by their ids."""
    return await db.column(_HERE, account.id)


async def owe(account: Account, url: str) -> bool:
    """Owe a look at the list that an account elsewhere keeps of us at `url`; once an hour at most.

    False when that was done lately.
    """
    now = moments.now()
    async with db.transaction():
        if await db.value(_TURN, account.id, now, now - _PAUSE) is None:
            return False
        await work.owe(Job.SYNCHRONISE, f"{account.id} {url}")
    return True


async def settle(account: Account, listed: set[int], since: int) -> Settled:
    """Bring our follows in line with those of us who follow an account elsewhere as its server has it.

    Who is not listed does not follow any more, unless that began after the moment `since`; who is listed and
    has only asked is agreed to; who is listed and never asked, or has left, takes that back.
    """
    following = set(await db.column(_FOLLOWING, account.id, since))
    asking = set(await db.column(_ASKING, account.id))
    known = set(await db.column(_LOCAL.format(given=db.unnest("$1")), db.array(sorted(listed))))
    everyone = set(await db.column(_FOLLOWING, account.id, moments.now() + 1))
    ended, agreed = following - listed, asking & known
    disowned = sorted(known - everyone - asking)[:_MOST_DISOWNED]
    for follower_id in ended:
        await follows.remove_follower(account, follower_id)
    for follower_id in agreed:
        await follows.accept(account, follower_id)
    for follower_id in disowned:
        await _disown(await Account.get(id=follower_id), account)
    return Settled(len(ended), len(agreed), len(disowned))


async def _disown(follower: Account, account: Account) -> None:
    uri = uris.absolute(f"/ap/follows/{ids.new()}")
    await events.record(Event.FOLLOW_ENDED, follower, target_id=account.id, detail={"uri": uri})


_ELSEWHERE = """
SELECT a.uri FROM follow f JOIN account a ON a.id = f.follower_id WHERE f.target_id = $1 AND NOT a.local
"""
_HERE = "SELECT a.uri FROM follow f JOIN account a ON a.id = f.follower_id WHERE f.target_id = $1 AND a.local"
_FOLLOWING = """
SELECT a.id FROM follow f JOIN account a ON a.id = f.follower_id
WHERE f.target_id = $1 AND a.local AND f.created_at < $2
"""
_ASKING = """
SELECT a.id FROM follow_request f JOIN account a ON a.id = f.follower_id WHERE f.target_id = $1 AND a.local
"""
_LOCAL = "SELECT a.id FROM {given} JOIN account a ON a.id = given.id WHERE a.local AND a.deleted_at IS NULL"
_TURN = """
UPDATE account SET synchronised_at = $2
WHERE id = $1 AND NOT local AND (synchronised_at IS NULL OR synchronised_at <= $3) RETURNING id
"""
