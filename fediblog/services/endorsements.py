"""Endorsements: people one follows and recommends to whoever looks at one's page."""

from fediblog import db, ids
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import locks, people
from fediblog.services.people import NOBODY, People, Relation

ENDORSED = Relation("endorsement", "account_id", "target_id")

_MOST = 100


async def endorse(account: Account, target: Account) -> None:
    """Recommend somebody; twice is the same as once. It ends with the follow.

    Raises Invalid for who is not followed, and for too many.
    """
    async with db.transaction():
        await locks.pair(account.id, target.id)
        if await db.value(_FOLLOWS, account.id, target.id) is None:
            raise Invalid("You have to follow somebody to recommend them.")
        await locks.hold(f"endorsements:{account.id}")
        await db.execute(_ENDORSE, account.id, target.id, ids.new())
        if await db.value("SELECT count(*) FROM endorsement WHERE account_id = $1", account.id) > _MOST:
            raise Invalid(f"You can recommend {_MOST} people at most.")


async def unendorse(account: Account, target: Account) -> None:
    """End that. Not recommended: nothing."""
    async with db.transaction():
        await db.execute(
            "DELETE FROM endorsement WHERE account_id = $1 AND target_id = $2", account.id, target.id
        )


async def endorsed(owner: Account, viewer: Account | None, page: Page) -> People:
    """Whom somebody recommends, as far as the viewer may know."""
    if viewer is not None and viewer.id == owner.id:
        return await people.listed(ENDORSED, owner.id, page)
    if owner.suspended_at is not None:
        return NOBODY
    blocked = ["(SELECT 1 FROM block b WHERE b.account_id = $3 AND b.target_id = $4) IS NULL"]
    return await people.listed(ENDORSED, owner.id, page, viewer, *(blocked if viewer else []))


_FOLLOWS = "SELECT 1 FROM follow WHERE follower_id = $1 AND target_id = $2"
_ENDORSE = "INSERT INTO endorsement (account_id, target_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
