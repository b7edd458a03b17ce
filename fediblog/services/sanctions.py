"""Acting on somebody as apps for moderators do: one act, often because of a report, sometimes with a mail."""

from enum import StrEnum

from fediblog import db, text
from fediblog.errors import Invalid
from fediblog.models import Account, User
from fediblog.services import audit, mail, members, moderation, reports

_LONGEST = 1000


class Action(StrEnum):
    """What can be done; NONE is a word of warning."""

    NONE = "none"
    SENSITIVE = "sensitive"
    DISABLE = "disable"
    SILENCE = "silence"
    SUSPEND = "suspend"


async def impose(
    account: Account, by: User, action: str, words: str = "", report_id: int | None = None, tell: bool = False
) -> None:
    """Act, all of it or nothing: a report that is named is resolved, and with `tell` the owner gets a mail.

    Raises Invalid, NotFound for a report that is not there, Forbidden as moderation does.
    """
    if action not in set(Action):
        raise Invalid("There is no such action.", field="type")
    words = text.tidy_block(words)
    if len(words) > _LONGEST:
        raise Invalid(f"Please say it in {_LONGEST} characters.", field="text")
    async with db.transaction():
        # Before the act: of a suspended account nobody could be told any more.
        if tell:
            await _tell(account, Action(action), words)
        await _carry_out(account, by, Action(action), words)
        if report_id is not None:
            report = await reports.resolve(by, report_id)
            if report.target_id != account.id:
                raise Invalid("That report is about somebody else.", field="report_id")


async def enable(account: Account, by: User) -> None:
    """Switch the log-in of an account on again. Raises Forbidden, Invalid where nobody signs in here."""
    await moderation.enable((await _owner(account)).id, by)


async def _carry_out(account: Account, by: User, action: Action, words: str) -> None:
    match action:
        case Action.NONE:
            await moderation.require(by, account)
            await audit.record(by, "account.warn", str(account.id), handle=account.handle, reason=words)
        case Action.SENSITIVE:
            await moderation.sensitize(account, by, words)
        case Action.DISABLE:
            await moderation.disable((await _owner(account)).id, by)
        case Action.SILENCE:
            await moderation.silence(account, by, words)
        case Action.SUSPEND:
            await moderation.suspend(account, by, words)


async def _tell(account: Account, action: Action, words: str) -> None:
    owners = await members.users(account.id)
    if owners and account.local:
        await mail.account_mail(owners[0], "warned", "\n".join(filter(None, (_DONE[action], words))))


async def _owner(account: Account) -> User:
    owners = await members.users(account.id)
    if not owners:
        raise Invalid("Nobody signs in to this account here.", field="type")
    return owners[0]


_DONE = {
    Action.NONE: "This is a warning.",
    Action.SENSITIVE: "Your pictures are shown only after a click.",
    Action.DISABLE: "You cannot sign in any more.",
    Action.SILENCE: "Your posts are shown to those alone who follow you.",
    Action.SUSPEND: "Your account is suspended.",
}
