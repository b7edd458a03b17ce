"""The servers that we know, and those with which we have little or nothing to do, as far as it is public."""

import hashlib
from dataclasses import dataclass

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.remembering import Lately
from fediblog.services import domain_rules, domains, settings
from fediblog.services.domains import Level
from fediblog.services.settings import Audience

_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule as others may know it. Of a name that is starred out the digest tells who knows it anyway."""

    domain: str
    digest: str
    level: Level
    comment: str


async def listing() -> list[str]:
    """All servers of which we know somebody, some minutes old; not those that are blocked.

    Raises NotFound when the staff keeps that to itself.
    """
    site = await settings.get()
    if not site.peers_shown:
        raise NotFound
    rules = await domains.read()
    known = await _lately.get()
    return [name for name in known if not domains.covering(rules, name, site.allow_list).refused]


async def rules(viewer: Account | None) -> list[Shown]:
    """The rules that keep servers away or apart, the strict ones first.

    Raises NotFound for who is none of those to whom the staff shows them.
    """
    audience = (await settings.get()).blocks_shown
    if audience is Audience.NOBODY or (audience is Audience.MEMBERS and viewer is None):
        raise NotFound
    found = [rule for rule in await domain_rules.listing() if rule.level is not Level.NONE]
    found.sort(key=lambda rule: (rule.level is not Level.SUSPEND, rule.domain))
    return [
        Shown(
            starred(rule.domain) if rule.obfuscate else rule.domain,
            hashlib.sha256(rule.domain.encode()).hexdigest(),
            rule.level,
            rule.public_comment,
        )
        for rule in found
    ]


def starred(domain: str) -> str:
    """A name of which the middle half is stars, so that nobody finds the way there by the list."""
    edge = max(1, len(domain) // 4)
    middle = "".join(letter if letter == "." else "*" for letter in domain[edge:-edge])
    return domain[:edge] + middle + domain[-edge:]


def forget() -> None:
    """Look anew next time."""
    _lately.forget()


async def _known() -> list[str]:
    return await db.column("SELECT DISTINCT domain FROM account WHERE domain <> '' ORDER BY domain")


_lately = Lately(_KEPT_SECONDS, _known)
