"""The mails that an account cannot do without: each is a few sentences and mostly one link."""

from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.fernet import InvalidToken

from fediblog import db, keys, moments, text, uris
from fediblog.config import settings
from fediblog.models import User
from fediblog.services.mailing.letters import Letter, short
from fediblog.services.mailing.rows import Mail

log = structlog.get_logger()

WAITING = "waiting"
WARNED = "warned"

_MOST_SHOWN = 10
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Notice:
    """What a kind of mail says. The words may name {site}, {name} and {when} (the moment of the cause)."""

    subject: str
    sentences: tuple[str, ...]
    button: str = ""
    path: str = ""  # A token follows where the path ends in "=".
    footer: str = "This mail is about your account on {site} and comes only when something happens with it."
    patience: int = 3 * moments.DAY  # How long it is of use (milliseconds).


NOTICES = {
    "confirm": Notice(
        "Confirm your e-mail address for {site}",
        (
            "Somebody, hopefully you, gave this e-mail address for @{name} on {site}.",
            "Please confirm that it is yours.",
            "If that was not you, ignore this mail and nothing will happen.",
        ),
        "Confirm this address",
        "/auth/confirmation?token=",
        patience=moments.DAY,
    ),
    "reset": Notice(
        "Choose a new password for {site}",
        (
            "A new password for @{name} on {site} was asked for at {when}.",
            "The link works once and not for long. If you did not ask, ignore this mail: your password stays"
            " as it is.",
        ),
        "Choose a new password",
        "/auth/password/edit?token=",
        patience=moments.DAY,
    ),
    "approved": Notice(
        "Welcome to {site}",
        ("Your sign-up was accepted: @{name} is yours now.",),
        "Sign in",
        "/auth/sign_in",
    ),
    "rejected": Notice(
        "Your sign-up at {site}",
        ("The people who run {site} did not accept your sign-up.", "Your data has been deleted there."),
    ),
    "taken": Notice(
        "You have an account at {site} already",
        (
            "Somebody, perhaps you, tried to sign up at {site} with this e-mail address, which belongs to"
            " @{name} already.",
            "If you do not remember your password, you can choose a new one. If that was not you, there is"
            " nothing to do.",
        ),
        "Choose a new password",
        "/auth/password/new",
        patience=moments.DAY,
    ),
    "password_changed": Notice(
        "Your password at {site} has been changed",
        (
            "The password of @{name} on {site} was changed at {when}.",
            "If that was not you, choose a new one at once and tell the people who run {site}.",
        ),
        "Choose a new password",
        "/auth/password/new",
    ),
    "new_email": Notice(
        "Confirm your new e-mail address for {site}",
        (
            "Somebody, hopefully you, wants mail for @{name} on {site} to come to this address.",
            "Please confirm that it is yours.",
            "If that was not you, ignore this mail and nothing will happen.",
        ),
        "Confirm this address",
        "/auth/email?token=",
        patience=moments.DAY,
    ),
    "email_asked": Notice(
        "Another e-mail address for your account at {site}",
        (
            "Another e-mail address for @{name} on {site} was asked for at {when}, with the right password.",
            "It counts as soon as the link in a mail to that address is opened. If that was not you, choose"
            " a new password at once: that ends it.",
        ),
        "Choose a new password",
        "/auth/password/new",
    ),
    "email_changed": Notice(
        "Your e-mail address at {site} has been changed",
        (
            "The e-mail address of @{name} on {site} was changed at {when}. This is the last mail to the old"
            " one.",
            "If that was not you, tell the people who run {site}.",
        ),
        "About this server",
        "/about",
    ),
    WARNED: Notice(
        "About your account at {site}",
        ("The people who look after {site} have this to say about @{name}:",),
        "The rules of {site}",
        "/about",
    ),
    "second_factor_on": Notice(
        "Codes are asked for at sign-in to {site}",
        (
            "Since {when} signing in as @{name} on {site} needs a code from an app beside the password.",
            "If that was not you, tell the people who run {site}: they can switch it off.",
        ),
        "About this server",
        "/about",
    ),
    "second_factor_off": Notice(
        "No more codes at sign-in to {site}",
        (
            "Since {when} signing in as @{name} on {site} needs the password alone again.",
            "If that was not you, choose a new password at once and tell the people who run {site}.",
        ),
        "Choose a new password",
        "/auth/password/new",
    ),
    WAITING: Notice(
        "Somebody waits for your approval at {site}",
        ("Waiting to be let in to {site}:",),
        "Look at the sign-ups",
        "/admin/signups",
        "You get this mail because you look after {site}.",
    ),
}


def late(mail: Mail) -> bool:
    """Whether the mail would be of no use any more."""
    return moments.now() > mail.created_at + NOTICES[mail.kind].patience


async def compose(mail: Mail, site: str) -> Letter | None:
    """The letter, or None when there is nothing to tell or nobody to tell it to."""
    notice = NOTICES[mail.kind]
    if mail.kind == WAITING:
        return await _to_staff(mail, notice, site)
    token = _token(mail)
    if token is None:
        return None
    name = await _username(mail.user_id) or site
    if mail.kind == WARNED:
        lines = [text.tidy(line) for line in token.splitlines() if line.strip()]
        return _letter(notice, mail, mail.address, site, name, uris.absolute(notice.path), lines)
    return _letter(notice, mail, mail.address, site, name, link=uris.absolute(notice.path + token))


async def _to_staff(mail: Mail, notice: Notice, site: str) -> Letter | None:
    user = await User.get_or_none(id=mail.user_id) if mail.user_id else None
    people = await db.rows(_PEOPLE, _MOST_SHOWN)
    if user is None or not user.active or not people:
        return None
    lines = [_person(line) for line in people]
    more = people[0]["all_of_them"] - len(people)
    if more:
        lines.append(f"and {more} more")
    return _letter(notice, mail, user.email, site, "", lines=lines, link=uris.absolute(notice.path))


def _letter(
    notice: Notice,
    mail: Mail,
    address: str,
    site: str,
    name: str,
    link: str,
    lines: list[str] | None = None,
) -> Letter:
    words = {"site": short(site), "name": name, "when": _when(mail.created_at)}
    values: dict[str, Any] = {
        "sentences": [sentence.format_map(words) for sentence in notice.sentences],
        "lines": lines or [],
        "button": notice.button.format_map(words),
        "footer": notice.footer.format_map(words),
        "link": link if notice.path else "",
    }
    return Letter(address, notice.subject.format_map(words), "notice", values)


# Who has an address that was never confirmed may be a machine, and nobody needs to look at it yet.
_PEOPLE = """
SELECT a.username, u.reason, count(*) OVER () AS all_of_them FROM person u
JOIN membership m ON m.user_id = u.id JOIN account a ON a.id = m.account_id
WHERE u.approved_at IS NULL AND u.confirmed_at IS NOT NULL AND u.disabled_at IS NULL
ORDER BY u.id LIMIT $1
"""


def _person(line: db.Row) -> str:
    reason = short(line["reason"], _LONGEST_REASON)
    return f"@{line['username']}: {reason}" if reason else f"@{line['username']}"


async def _username(user_id: int | None) -> str | None:
    sql = "SELECT a.username FROM membership m JOIN account a ON a.id = m.account_id WHERE m.user_id = $1"
    found: str | None = await db.value(f"{sql} ORDER BY a.id LIMIT 1", user_id)
    return found


def _token(mail: Mail) -> str | None:
    """The token of a mail that carries one, "" of others, None when it cannot be opened any more."""
    if mail.secret is None:
        return None if NOTICES[mail.kind].path.endswith("=") else ""
    try:
        return keys.unseal(settings().secret, bytes(mail.secret)).decode()
    except InvalidToken:
        log.warning("a mail cannot be opened, the server's secret key has changed", mail=mail.id)
        return None


def _when(moment: int) -> str:
    return f"{moments.when(moment):%H:%M on %d %B %Y} (UTC)"
