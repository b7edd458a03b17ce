"""What the staff may do about somebody, each act with a line in the audit log.

Nobody acts against an equal or a higher rank, and so against oneself neither: the last admin cannot lock
herself out.
"""

from collections.abc import Mapping

from fediblog import db, moments, text
from fediblog.errors import Conflict, Forbidden, NotFound
from fediblog.models import Account, Role, User
from fediblog.queue import Job
from fediblog.services import accounts, admission, audit, domains, events, members, sessions, tokens, work
from fediblog.services.domains import Level
from fediblog.services.events import Event


async def suspend(account: Account, by: User | None, reason: str = "") -> Account:
    """Put an account away: nobody sees it or its posts, and its sessions and API tokens end. Can be undone.

    Of one elsewhere nothing is taken in any more, and the follows between it and ours end for good. `by` is
    None on the command line. Raises Forbidden for who is not on the staff, or not above the account's users.
    """
    await require(by, account)
    # From now on it is the staff's own decision, whatever else it was before.
    columns = {"suspended_at": moments.now(), "suspended_by_rule": False, "suspended_elsewhere": False}
    async with db.transaction():
        suspended = await _set(account, by, columns, "account.suspend", reason)
        await events.record(Event.PROFILE_CHANGED, suspended)
        await sessions.end_for(account.id)
        await tokens.end_for(account.id)
        if not account.local:
            await work.owe(Job.SEVER, account.id)
    return suspended


async def unsuspend(account: Account, by: User | None) -> Account:
    """Bring a suspended account back.

    Raises Forbidden; Conflict for one that was never let in, has left, or lives on a server that is blocked.
    """
    await require(by, account)
    if account.deleted_at is not None or await admission.pending(account.id):
        raise Conflict("This account is not suspended.")
    if (await domains.policy_of(account)).refused:
        raise Conflict("The whole server of this account is blocked.")
    columns = {"suspended_at": None, "suspended_by_rule": False, "suspended_elsewhere": False}
    async with db.transaction():
        restored = await _set(account, by, columns, "account.unsuspend")
        await events.record(Event.PROFILE_CHANGED, restored)
    return restored


async def silence(account: Account, by: User | None, reason: str = "") -> Account:
    """Keep an account out of the public timelines; who follows it still sees it. Raises Forbidden."""
    await require(by, account)
    columns = {"silenced_at": moments.now(), "silenced_by_rule": False}
    return await _set(account, by, columns, "account.silence", reason)


async def unsilence(account: Account, by: User | None) -> Account:
    """Undo `silence`. Raises Forbidden; Conflict for an account on a server that is limited as a whole."""
    await require(by, account)
    if (await domains.policy_of(account)).level is Level.SILENCE:
        raise Conflict("The whole server of this account is limited.")
    return await _set(account, by, {"silenced_at": None, "silenced_by_rule": False}, "account.unsilence")


async def sensitize(account: Account, by: User | None, reason: str = "") -> Account:
    """Show the pictures of all its posts, old and new, only after a click. Raises Forbidden."""
    await require(by, account)
    return await _set(account, by, {"sensitized_at": moments.now()}, "account.sensitize", reason)


async def unsensitize(account: Account, by: User | None) -> Account:
    """Undo `sensitize`. Raises Forbidden."""
    await require(by, account)
    return await _set(account, by, {"sensitized_at": None}, "account.unsensitize")


async def disable(user_id: int, by: User) -> User:
    """Switch a log-in off: its sessions and API tokens end, its accounts stay. Raises Forbidden."""
    user = await _outranked(user_id, by)
    async with db.transaction():
        disabled = await _set_user(user, by, "disabled_at", moments.now(), "user.disable")
        await sessions.revoke_all(user)
        await tokens.revoke_all(user)
    return disabled


async def enable(user_id: int, by: User) -> User:
    """Undo `disable`."""
    user = await _outranked(user_id, by)
    return await _set_user(user, by, "disabled_at", None, "user.enable")


async def set_role(user_id: int, role: Role, by: User | None) -> User:
    """Give somebody another role; all sessions end, so that none carries more or less than it should.

    `by` is an admin, or None on the command line. Raises Forbidden, also for the role of another admin.
    """
    if by is not None:
        members.require_staff(by, Role.ADMIN)
    user = await _outranked(user_id, by)
    async with db.transaction():
        changed = await _set_user(user, by, "role", role.value, "user.role")
        await sessions.revoke_all(user)
        if role is Role.USER:
            await db.execute(_FORGET_WHAT_STAFF_HEARS, user.id)
    return changed


async def require(by: User | None, account: Account) -> None:
    """Raises Forbidden unless this member of the staff may act on an account."""
    if by is None:
        return
    members.require_staff(by)
    if not members.outranks(by, await members.rank(account.id)):
        raise Forbidden("You cannot do that to a member of the staff who ranks as high as you.")


async def _outranked(user_id: int, by: User | None) -> User:
    user = await User.get_or_none(id=user_id)
    if user is None:
        raise NotFound()
    if by is not None:
        members.require_staff(by)
        if not members.outranks(by, user.role):
            raise Forbidden("You cannot do that to a member of the staff who ranks as high as you.")
    return user


async def _set(
    account: Account, by: User | None, columns: Mapping[str, object], action: str, reason: str = ""
) -> Account:
    async with db.transaction():
        await audit.record(
            by, action, str(account.id), handle=account.handle, reason=text.tidy(reason)[:1000]
        )
        return await accounts.change(account.id, columns)


async def _set_user(user: User, by: User | None, column: str, value: int | str | None, action: str) -> User:
    async with db.transaction():
        await User.filter(id=user.id).update(**{column: value})
        await audit.record(by, action, str(user.id), value=value)
        return await User.get(id=user.id)


_FORGET_WHAT_STAFF_HEARS = """
DELETE FROM notification WHERE kind IN ('admin.report', 'admin.sign_up')
  AND account_id IN (SELECT account_id FROM membership WHERE user_id = $1)
"""
