"""The policy of notifications: what strangers of several sorts may put into somebody's list.

What is held back is told all the same, but apart from the list (notification_requests.py); what is dropped
was never told. The policy is asked when something is told, in the statement that tells it.
"""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from fediblog import db, moments
from fediblog.errors import Invalid
from fediblog.models import Account, Visibility

# What Mastodon takes for new; somebody who has followed for less is no follower yet.
_NEW_ACCOUNT = 30 * moments.DAY
_NEW_FOLLOWER = 3 * moments.DAY


class Verdict(StrEnum):
    """What happens to a notice."""

    ACCEPT = "accept"
    FILTER = "filter"
    DROP = "drop"


_ORDER = tuple(Verdict)  # The harder one wins, and its place is what is stored.
HELD = _ORDER.index(Verdict.FILTER)
DROPPED = _ORDER.index(Verdict.DROP)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done with notices of each sort. The defaults are for who never chose.

    Messages of strangers come through at first: what reached people before there was a policy still does.
    """

    not_following: Verdict = Verdict.ACCEPT
    not_followers: Verdict = Verdict.ACCEPT
    new_accounts: Verdict = Verdict.ACCEPT
    private_mentions: Verdict = Verdict.ACCEPT
    limited_accounts: Verdict = Verdict.FILTER


SORTS = tuple(field.name for field in fields(Policy))
_FIRST = Policy()


async def get(account: Account) -> Policy:
    """The policy of an account."""
    found = await db.row(
        f"SELECT {', '.join(SORTS)} FROM notification_policy WHERE account_id = $1", account.id
    )
    return Policy(**{name: _ORDER[place] for name, place in found.items()}) if found else _FIRST


async def edit(account: Account, **changes: str) -> Policy:
    """Change what is given, by the words of `Verdict`, and give what holds now.

    What was told before stays where it is. Raises Invalid for other words and for sorts that do not exist.
    """
    verdicts = {sort: _verdict(sort, word) for sort, word in changes.items()}
    async with db.transaction():
        policy = Policy(**{**asdict(await get(account)), **verdicts})
        await db.execute(_SET, account.id, *(_ORDER.index(verdict) for verdict in asdict(policy).values()))
    return policy


def _verdict(sort: str, word: str) -> Verdict:
    if sort not in SORTS:
        raise Invalid("There is no such sort of notifications.")
    if word not in _ORDER:
        raise Invalid("Choose one of: accept, filter, drop.", sort)
    return Verdict(word)


_SET = f"""
INSERT INTO notification_policy (account_id, {", ".join(SORTS)}) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id) DO UPDATE SET {", ".join(f"{sort} = excluded.{sort}" for sort in SORTS)}
"""


# ---------------------------------------------------------------------------------------------- as SQL


def verdict(receiver: str, sender: str, now: str, private: bool) -> str:
    """SQL: the place of the verdict on a notice. `private`: it may be a mention, in the post `p`, for few.

    Who was let through by name is; who is followed is no stranger, but may still be no follower. An answer
    to the receiver's own post is no message out of nowhere.
    """
    follows = f"SELECT 1 FROM follow y WHERE y.follower_id = {receiver} AND y.target_id = {sender}"
    followed = (
        f"SELECT 1 FROM follow y WHERE y.follower_id = {sender} AND y.target_id = {receiver}"
        f" AND y.created_at <= {now} - {_NEW_FOLLOWER}"
    )
    new = f"SELECT 1 FROM account y WHERE y.id = {sender} AND y.created_at > {now} - {_NEW_ACCOUNT}"
    limited = f"SELECT 1 FROM account y WHERE y.id = {sender} AND y.silenced_at IS NOT NULL"
    no_follower = _when(f"({followed}) IS NULL", receiver, "not_followers")
    sorts = [
        _chosen(receiver, "not_following"),
        no_follower,
        _when(f"({new}) IS NOT NULL", receiver, "new_accounts"),
        _when(f"({limited}) IS NOT NULL", receiver, "limited_accounts"),
    ]
    if private:
        direct = (
            f"p.visibility = {int(Visibility.DIRECT)} AND COALESCE(p.reply_to_author_id, 0) <> {receiver}"
        )
        sorts.append(_when(direct, receiver, "private_mentions"))
    hardest = "GREATEST" if db.dialect() == "postgres" else "MAX"
    return (
        f"CASE WHEN ({permitted(receiver, sender)}) IS NOT NULL THEN 0"
        f" WHEN ({follows}) IS NOT NULL THEN {no_follower} ELSE {hardest}({', '.join(sorts)}) END"
    )


def permitted(receiver: str, sender: str) -> str:
    """SQL: a row when the receiver has let the sender through by name."""
    return f"SELECT 1 FROM notification_permission y WHERE y.account_id = {receiver} AND y.from_id = {sender}"


def open_to_limited(receiver: str) -> str:
    """SQL: a row when the receiver lets all through whom moderators have silenced."""
    return f"SELECT 1 FROM notification_policy y WHERE y.account_id = {receiver} AND y.limited_accounts = 0"


def _when(condition: str, receiver: str, sort: str) -> str:
    return f"CASE WHEN {condition} THEN {_chosen(receiver, sort)} ELSE 0 END"


def _chosen(receiver: str, sort: str) -> str:
    chosen = f"SELECT y.{sort} FROM notification_policy y WHERE y.account_id = {receiver}"
    return f"COALESCE(({chosen}), {_ORDER.index(getattr(_FIRST, sort))})"
