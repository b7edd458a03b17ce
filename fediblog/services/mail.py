"""Mails: what causes them, and sending them.

A mail is a row that is written in the transaction of its cause and one piece of owed work. Its text is made
when it is sent, from what is true then. It is never sent twice, with one exception that nobody can rule out:
when the process dies, or the connection breaks, after the mail server took the mail and before our commit of
that, one twin follows. It has the same Message-ID, by which mail programs recognise it.
"""

import structlog

from fediblog import db, keys, moments, smtp
from fediblog.config import settings as configuration
from fediblog.errors import FediblogError, Invalid
from fediblog.models import User
from fediblog.services import settings
from fediblog.services.mailing import letters, mentions, notices, rows
from fediblog.services.mailing.consent import (
    Kind,
    holder,
    kinds,
    set_kinds,
    unsubscribe,
    unsubscribe_token,
    wanted,
)
from fediblog.services.mailing.letters import Letter
from fediblog.services.mailing.rows import Mail

__all__ = [
    "Kind",
    "account_mail",
    "forget_secrets",
    "holder",
    "kinds",
    "mentioned",
    "send",
    "set_kinds",
    "unsubscribe",
    "unsubscribe_token",
    "wanted",
]

log = structlog.get_logger()


async def mentioned(notification_id: int, account_id: int) -> None:
    """Owe the mail about a mention to the users of an account, inside the transaction that noted it.

    The first goes at once. Those of the next minutes (`mail.batch_minutes`) come together in one. Without a
    mail server the row alone is kept, as not sent: no work is owed for what can go nowhere.
    """
    gather = rows.gather if configuration().mail.leaves else rows.keep_unsent
    for line in await db.rows(_MENTIONED, notification_id, account_id):
        mail_id = await gather(line["user_id"], mentions.KIND)
        await rows.put(mail_id, line["user_id"], line["post_id"], notification_id)


_MENTIONED = """
SELECT u.id AS user_id, n.post_id FROM notification n
JOIN membership m ON m.account_id = $2
JOIN person u ON u.id = m.user_id
WHERE n.id = $1 AND n.post_id IS NOT NULL
  AND u.confirmed_at IS NOT NULL AND u.approved_at IS NOT NULL AND u.disabled_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM mail_opt_out o WHERE o.user_id = u.id AND o.kind = 'mention')
  AND NOT EXISTS (SELECT 1 FROM mail_item i WHERE i.user_id = u.id AND i.post_id = n.post_id)
ORDER BY u.id
"""


async def account_mail(user: User, kind: str, secret: str = "", address: str = "") -> None:
    """Owe a mail about a user's account, inside the transaction of its cause.

    kind: confirm, reset and new_email (these carry a one-time token as `secret`), approved, rejected, taken,
    password_changed, email_asked, email_changed, second_factor_on, second_factor_off; warned, whose `secret`
    is what the staff has to say; and waiting, which goes to everybody on the staff and says who waits for
    approval. `address` is given where it is not the user's own yet. The secret is stored sealed and only
    until the mail has gone or is too late.
    """
    if kind not in notices.NOTICES:
        raise ValueError(f"no such mail: {kind}")
    if kind == notices.WAITING:
        for user_id in await db.column(_STAFF):
            await rows.gather(user_id, kind)
        return
    sealed = keys.seal(configuration().secret, secret.encode()) if secret else None
    await rows.add(user.id, kind, address or user.email, sealed)


_STAFF = """
SELECT id FROM person WHERE role IN ('moderator', 'admin')
  AND confirmed_at IS NOT NULL AND approved_at IS NOT NULL AND disabled_at IS NULL ORDER BY id
"""


async def send(mail_id: int) -> None:
    """Compose a mail that waits and hand it to the mail server. For one that has ended: nothing.

    Raises Unavailable while the server is away; the mail waits on, and what happens meanwhile joins it.
    """
    mail = await rows.waiting(mail_id)
    if mail is None:
        return
    try:
        letter, state = await _compose_and_send(mail)
    except FediblogError as error:
        log.info("mail put off", mail=mail.id, kind=mail.kind, reason=error.message)
        raise
    # Between the server's answer and this commit a kill makes a twin: see above.
    await rows.end(mail, state, letter.told if letter else ())
    _report(mail, state)


async def _compose_and_send(mail: Mail) -> tuple[Letter | None, str]:
    if mail.kind in notices.NOTICES and notices.late(mail):
        return None, "expired"
    site = (await settings.get()).title
    is_mention = mail.kind == mentions.KIND
    letter = await (mentions.compose(mail) if is_mention else notices.compose(mail, site))
    if letter is None:
        return None, "dropped"
    if not configuration().mail.leaves:
        return letter, "unsent"
    try:
        await smtp.send(letters.dress(letter, mail, site))
    except Invalid as error:
        log.warning("mail refused", mail=mail.id, kind=mail.kind, reason=error.message)
        return letter, "refused"
    return letter, "sent"


def _report(mail: Mail, state: str) -> None:
    match state:
        case "unsent":
            log.warning("mail not sent: no mail server is configured", mail=mail.id, kind=mail.kind)
        case "expired":
            log.warning("mail given up: it would come too late", mail=mail.id, kind=mail.kind)
        case _:
            log.info("mail done", mail=mail.id, kind=mail.kind, state=state)


async def forget_secrets() -> None:
    """Erase the secrets of mails that wait in vain: after a day they open nothing any more."""
    async with db.transaction():
        await db.execute(
            "UPDATE mail SET secret = NULL WHERE secret IS NOT NULL AND created_at < $1",
            moments.now() - moments.DAY,
        )
