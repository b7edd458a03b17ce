"""What the staff may do about somebody, each act with a line in the audit log.

Nobody acts against an equal or a higher rank, and so against oneself neither: the last admin cannot lock
herself out.
"""

from fediblog import db, moments, text
from fediblog.errors import Conflict, Forbidden, NotFound
from fediblog.models import Account, Role, User
from fediblog.services import accounts, admission, audit, members, sessions, tokens


async def suspend(account: Account, by: User, reason: str = "") -> Account:
    """Put an account away: nobody sees it or its posts, and its sessions and API tokens end. Can be undone.

    Raises Forbidden for who is not on the staff, or not above the account's own users.
    """
    await _require(by, account)
    async with db.transaction():
        suspended = await _set(account, by, "suspended_at", moments.now(), "account.suspend", reason)
        await sessions.end_for(account.id)
        await tokens.end_for(account.id)
    return suspended


async def unsuspend(account: Account, by: User) -> Account:
    """Bring a suspended account back. Raises Forbidden; Conflict for one that was never let in or left."""
    await _require(by, account)
    if account.deleted_at is not None or await admission.pending(account.id):
        raise Conflict("This account is not suspended.")
    return await _set(account, by, "suspended_at", None, "account.unsuspend")


async def silence(account: Account, by: User, reason: str = "") -> Account:
    """Keep an account out of the public timelines; who follows it still sees it. Raises Forbidden."""
    await _require(by, account)
    return await _set(account, by, "silenced_at", moments.now(), "account.silence", reason)


async def unsilence(account: Account, by: User) -> Account:
    """Undo `silence`."""
    await _require(by, account)
    return await _set(account, by, "silenced_at", None, "account.unsilence")


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
    return changed


async def _require(by: User, account: Account) -> None:
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
    account: Account, by: User, column: str, value: int | None, action: str, reason: str = ""
) -> Account:
    async with db.transaction():
        await audit.record(
            by, action, str(account.id), handle=account.handle, reason=text.tidy(reason)[:1000]
        )
        columns: dict[str, int | bool | None] = {column: value}
        if column == "suspended_at":
            # From now on it is the staff's decision, not the other server's (remote_accounts).
            columns["suspended_elsewhere"] = False
        return await accounts.change(account.id, columns)


async def _set_user(user: User, by: User | None, column: str, value: int | str | None, action: str) -> User:
    async with db.transaction():
        await User.filter(id=user.id).update(**{column: value})
        await audit.record(by, action, str(user.id), value=value)
        return await User.get(id=user.id)
