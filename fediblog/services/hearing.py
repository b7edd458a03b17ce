"""Who hears of what others do: the rule of notifications and of the mails about them."""

from fediblog.services import notification_policy


def clause(receiver: str, sender: str) -> str:
    """SQL: nothing stands between the two, and the sender is not one whom few are to hear."""
    return f"{peace(receiver, sender)} AND {unlimited(receiver, sender)}"


def peace(receiver: str, sender: str) -> str:
    """SQL: neither blocks the other, and the receiver has neither muted the sender's notifications nor hidden
    the sender's server.

    A mute that leaves notifications alone hides posts only.
    """
    blocks = f"SELECT 1 FROM block x WHERE x.account_id = {receiver} AND x.target_id = {sender}"
    blocked = f"SELECT 1 FROM block x WHERE x.account_id = {sender} AND x.target_id = {receiver}"
    muted = (
        f"SELECT 1 FROM mute x WHERE x.account_id = {receiver} AND x.target_id = {sender} AND x.notifications"
    )
    server = f"SELECT y.domain FROM account y WHERE y.id = {sender}"
    away = f"SELECT 1 FROM hidden_domain x WHERE x.account_id = {receiver} AND x.domain = ({server})"
    # Scalar sub-selects on purpose: of NOT EXISTS PostgreSQL may make a join or a hash table over everything.
    return " AND ".join(f"({one}) IS NULL" for one in (blocks, blocked, muted, away))


def unlimited(receiver: str, sender: str) -> str:
    """SQL: whoever is silenced is heard by followers and by those who have let them, or all such, through."""
    follows = f"SELECT 1 FROM follow y WHERE y.follower_id = {receiver} AND y.target_id = {sender}"
    return (
        f"(SELECT 1 FROM account x WHERE x.id = {sender} AND x.silenced_at IS NOT NULL"
        f" AND ({follows}) IS NULL AND ({notification_policy.permitted(receiver, sender)}) IS NULL"
        f" AND ({notification_policy.open_to_limited(receiver)}) IS NULL) IS NULL"
    )
