"""Networks that the staff keeps out: of signing up, or of everything.

Whether somebody may come in at all is asked with each request, so each process keeps these networks for a
few seconds, by the length of their prefixes: asking costs a look into a set for each length, however many.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fediblog import db, ids, moments, text
from fediblog.errors import Conflict, Invalid, NotFound, Unavailable
from fediblog.models import Role, User
from fediblog.paging import Page
from fediblog.remembering import Lately
from fediblog.services import audit, members

_KEPT_SECONDS = 5.0
_LONGEST_COMMENT = 1000
_MOST_SECONDS = 10 * 365 * 24 * 3600

Kept = Mapping[tuple[int, int], set[int]]


class Severity(StrEnum):
    """What a network is kept out of, the strictest last."""

    APPROVAL = "sign_up_requires_approval"
    SIGN_UP = "sign_up_block"
    NO_ACCESS = "no_access"


@dataclass(frozen=True, slots=True)
class Block:
    """A network that is kept out, until it expires if it does."""

    id: int
    network: str
    severity: Severity
    comment: str
    expires_at: int | None
    created_at: int


async def listing(by: User, page: Page) -> list[Block]:
    """A page of blocks, newest first. Raises Forbidden for who is no admin; so do the verbs below."""
    members.require_staff(by, Role.ADMIN)
    sql = f"{_SELECT} WHERE id < $1 AND id > $2 AND {_HOLDS.format(now='$3')} ORDER BY id {page.order}"
    found = await db.rows(f"{sql} LIMIT {page.rows}", page.before, page.after, moments.now())
    return sorted(map(_block, found[: page.limit]), key=lambda block: -block.id)


async def get(by: User, block_id: int) -> Block:
    """One block. Raises NotFound."""
    members.require_staff(by, Role.ADMIN)
    found = await db.row(f"{_SELECT} WHERE id = $1 AND {_HOLDS.format(now='$2')}", block_id, moments.now())
    if found is None:
        raise NotFound
    return _block(found)


async def add(by: User, network: str, severity: str, comment: str = "", seconds: int | None = None) -> Block:
    """Keep a network, or an address, out for so long. Raises Invalid, also for one that is kept out."""
    members.require_staff(by, Role.ADMIN)
    now = moments.now()
    values = (ids.new(), _network(network), *_checked(severity, comment), _end(seconds), now)
    try:
        async with db.transaction():
            await db.execute("DELETE FROM address_block WHERE expires_at <= $1", now)
            await db.execute(_ADD, *values)
            await audit.record(by, "address.block", values[1], severity=severity)
            db.after_commit(_lately.forget)
    except Conflict:
        raise Invalid("This network is in the list already.", field="ip") from None
    return await get(by, values[0])


async def change(
    by: User, block_id: int, network: str, severity: str, comment: str, seconds: int | None
) -> Block:
    """Make another one of it; without `seconds` its end stays. Raises NotFound, Invalid."""
    block = await get(by, block_id)
    expires_at = block.expires_at if seconds is None else _end(seconds)
    values = (_network(network), *_checked(severity, comment), expires_at)
    try:
        async with db.transaction():
            await db.execute(_CHANGE, block_id, *values)
            await audit.record(by, "address.change", values[0], severity=severity)
            db.after_commit(_lately.forget)
    except Conflict:
        raise Invalid("This network is in the list already.", field="ip") from None
    return await get(by, block_id)


async def remove(by: User, block_id: int) -> None:
    """Let a network in again. Raises NotFound."""
    block = await get(by, block_id)
    async with db.transaction():
        await db.execute("DELETE FROM address_block WHERE id = $1", block_id)
        await audit.record(by, "address.unblock", block.network)
        db.after_commit(_lately.forget)


async def refused(address: str) -> bool:
    """Whether nothing is answered to this address, some seconds late at worst."""
    try:
        kept = await _lately.get()
    except Unavailable:
        return False  # Without its database the server has nothing to tell anyway.
    return bool(kept) and _is_in(kept, address)


async def severity(address: str) -> Severity | None:
    """What this address is kept out of: the strictest of all that hold for it."""
    lines = await db.rows(f"{_SELECT} WHERE {_HOLDS.format(now='$1')}", moments.now())
    found = [Severity(line["severity"]) for line in lines if _is_in(_by_length([line["network"]]), address)]
    return max(found, key=list(Severity).index, default=None)


def forget() -> None:
    """Read anew next time."""
    _lately.forget()


async def _read() -> Kept:
    sql = f"SELECT network FROM address_block WHERE severity = $2 AND {_HOLDS.format(now='$1')}"
    return _by_length(await db.column(sql, moments.now(), Severity.NO_ACCESS.value))


def _by_length(networks: list[str]) -> Kept:
    """The beginnings of networks, by version and by how many bits are not theirs."""
    kept: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for parsed in map(ip_network, networks):
        rest = parsed.max_prefixlen - parsed.prefixlen
        kept[parsed.version, rest].add(int(parsed.network_address) >> rest)
    return kept


def _is_in(kept: Kept, address: str) -> bool:
    parsed = _address(address)
    if parsed is None:
        return False
    number = int(parsed)
    return any(
        number >> rest in begins for (version, rest), begins in kept.items() if version == parsed.version
    )


def _address(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _network(typed: str) -> str:
    try:
        parsed = ip_network(typed.strip(), strict=False)
    except ValueError:
        raise Invalid("That is neither an address nor a network.", field="ip") from None
    if parsed.prefixlen == 0:
        raise Invalid("That would be everybody.", field="ip")
    return str(parsed)


def _checked(severity: str, comment: str) -> tuple[str, str]:
    if severity not in set(Severity):
        raise Invalid("Choose what the network is kept out of.", field="severity")
    comment = text.tidy_block(comment)
    if len(comment) > _LONGEST_COMMENT:
        raise Invalid(f"A comment can have {_LONGEST_COMMENT} characters at most.", field="comment")
    return severity, comment


def _end(seconds: int | None) -> int | None:
    if seconds is None:
        return None
    if not 0 < seconds <= _MOST_SECONDS:
        raise Invalid("A block lasts from a second to ten years.", field="expires_in")
    return moments.now() + seconds * moments.SECOND


def _block(line: db.Row) -> Block:
    return Block(**{**line, "severity": Severity(line["severity"])})


_lately = Lately(_KEPT_SECONDS, _read)
_HOLDS = "(expires_at IS NULL OR expires_at > {now})"
_SELECT = "SELECT id, network, severity, comment, expires_at, created_at FROM address_block"
_ADD = """
INSERT INTO address_block (id, network, severity, comment, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_CHANGE = "UPDATE address_block SET network = $2, severity = $3, comment = $4, expires_at = $5 WHERE id = $1"
