"""Addresses of e-mail with which nobody may sign up: all of a domain, or one mailbox under all its spellings.

Of a mailbox only a hash is kept: the list tells nobody whose addresses are in it.
"""

from dataclasses import dataclass
from hashlib import sha256

from fediblog import db, ids, moments
from fediblog.errors import Conflict, Invalid, NotFound
from fediblog.models import Role, User
from fediblog.paging import Page
from fediblog.services import audit, domains, emails, members

_REFUSED = "This e-mail address cannot be used here."
_TAKEN = "This is in the list already."
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class DomainBlock:
    """A domain, with all below it. With approval its people may sign up, but have to wait."""

    id: int
    domain: str
    allow_with_approval: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox, by the hash of its plainest spelling."""

    id: int
    hash: str


async def fault(email: str) -> str | None:
    """Why nobody may sign up with this address, or None."""
    key = emails.find_key(email)
    if key is None:
        return None
    rules = await _rules(key)
    taken = await db.value("SELECT 1 FROM canonical_email_block WHERE hash = $1", digest(key))
    return _REFUSED if taken or not all(rules) else None


async def has_to_wait(email: str) -> bool:
    """Whether who signs up with this address needs the staff's approval."""
    key = emails.find_key(email)
    return bool(key and await _rules(key))


def digest(key: str) -> str:
    """The hash of a mailbox: without dots and what follows a +, as Mastodon makes it."""
    name, _, domain = key.lower().rpartition("@")
    plain = name.partition("+")[0].replace(".", "")
    return sha256(f"{plain}@{domain}".encode()).hexdigest()


async def listing(by: User, page: Page) -> list[DomainBlock]:
    """A page of domains, newest first. Raises Forbidden for who is no admin; so do all verbs below."""
    members.require_staff(by, Role.ADMIN)
    found = await db.rows(_page(_DOMAINS, page), page.before, page.after)
    return sorted(map(_domain_block, found[: page.limit]), key=lambda block: -block.id)


async def get(by: User, block_id: int) -> DomainBlock:
    """One domain. Raises NotFound."""
    members.require_staff(by, Role.ADMIN)
    found = await db.row(f"{_DOMAINS} WHERE id = $1", block_id)
    if found is None:
        raise NotFound
    return _domain_block(found)


async def add(by: User, domain: str, allow_with_approval: bool = False) -> DomainBlock:
    """Shut a domain out. Raises Invalid for what is none, or in the list."""
    members.require_staff(by, Role.ADMIN)
    block = DomainBlock(ids.new(), domains.tidy(domain), allow_with_approval, moments.now())
    try:
        async with db.transaction():
            await db.execute(_ADD, block.id, block.domain, block.allow_with_approval, block.created_at)
            await audit.record(by, "email_domain.block", block.domain, with_approval=allow_with_approval)
    except Conflict:
        raise Invalid(_TAKEN, field="domain") from None
    return block


async def remove(by: User, block_id: int) -> None:
    """Let a domain in again. Raises NotFound."""
    block = await get(by, block_id)
    async with db.transaction():
        await db.execute("DELETE FROM email_block WHERE id = $1", block_id)
        await audit.record(by, "email_domain.unblock", block.domain)


async def mailboxes(by: User, page: Page) -> list[Mailbox]:
    """A page of mailboxes, newest first."""
    members.require_staff(by, Role.ADMIN)
    found = await db.rows(_page(_MAILBOXES, page), page.before, page.after)
    return sorted((Mailbox(**line) for line in found[: page.limit]), key=lambda block: -block.id)


async def mailbox(by: User, block_id: int) -> Mailbox:
    """One mailbox. Raises NotFound."""
    members.require_staff(by, Role.ADMIN)
    found = await db.row(f"{_MAILBOXES} WHERE id = $1", block_id)
    if found is None:
        raise NotFound
    return Mailbox(**found)


async def matching(by: User, email: str) -> list[Mailbox]:
    """Those that this address is. Raises Invalid for what is no address."""
    members.require_staff(by, Role.ADMIN)
    found = await db.rows(f"{_MAILBOXES} WHERE hash = $1", digest(emails.key(emails.tidy(email))))
    return [Mailbox(**line) for line in found]


async def add_mailbox(by: User, email: str, hash_: str = "") -> Mailbox:
    """Shut a mailbox out, by its address or by the hash of it. Raises Invalid."""
    members.require_staff(by, Role.ADMIN)
    wanted = digest(emails.key(emails.tidy(email))) if email else hash_.strip().lower()
    if len(wanted) != _HASH_DIGITS or not set(wanted) <= set("0123456789abcdef"):
        raise Invalid("That is no hash of an address.", field="canonical_email_hash")
    block = Mailbox(ids.new(), wanted)
    try:
        async with db.transaction():
            await db.execute(_ADD_MAILBOX, block.id, block.hash, moments.now())
            await audit.record(by, "mailbox.block", block.hash)
    except Conflict:
        raise Invalid(_TAKEN, field="email") from None
    return block


async def remove_mailbox(by: User, block_id: int) -> None:
    """Let a mailbox in again. Raises NotFound."""
    block = await mailbox(by, block_id)
    async with db.transaction():
        await db.execute("DELETE FROM canonical_email_block WHERE id = $1", block_id)
        await audit.record(by, "mailbox.unblock", block.hash)


async def _rules(key: str) -> list[bool]:
    """For each rule about the domain of an address whether its people may wait for approval."""
    names = list(domains.names(key.rpartition("@")[2]))
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    sql = f"SELECT allow_with_approval FROM email_block WHERE domain IN ({places})"
    return [bool(found) for found in await db.column(sql, *names)]


def _page(select: str, page: Page) -> str:
    return f"{select} WHERE id < $1 AND id > $2 ORDER BY id {page.order} LIMIT {page.rows}"


def _domain_block(line: db.Row) -> DomainBlock:
    return DomainBlock(**{**line, "allow_with_approval": bool(line["allow_with_approval"])})


_DOMAINS = "SELECT id, domain, allow_with_approval, created_at FROM email_block"
_ADD = "INSERT INTO email_block (id, domain, allow_with_approval, created_at) VALUES ($1, $2, $3, $4)"
_MAILBOXES = "SELECT id, hash FROM canonical_email_block"
_ADD_MAILBOX = "INSERT INTO canonical_email_block (id, hash, created_at) VALUES ($1, $2, $3)"
