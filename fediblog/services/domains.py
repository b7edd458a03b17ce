"""What the staff has decided about whole servers, as everybody who meets one asks for it.

A rule covers its domain, every port of it and every domain below it; of several the one with the longest
name counts, so that a part of a server can be treated otherwise than the whole. With the allow-list on, a
server that no rule names may not speak.

It is asked for each request from outside, so each process keeps all rules for a few seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fediblog import config, db, hosts, moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.remembering import Lately
from fediblog.services import settings

_KEPT_SECONDS = 3.0


class Level(StrEnum):
    """How far a server is let in: fully; only to those who want to hear it; not at all."""

    NONE = "none"
    SILENCE = "silence"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one server."""

    level: Level = Level.NONE
    reject_media: bool = False
    reject_reports: bool = False

    @property
    def refused(self) -> bool:
        """Nothing is fetched from there, nothing goes there, nothing is taken from there."""
        return self.level is Level.SUSPEND


FREE = Policy()
REFUSED = Policy(Level.SUSPEND, reject_media=True, reject_reports=True)


async def policy(domain: str) -> Policy:
    """What holds for a server now (a few seconds ago at worst). Never raises for what is no domain."""
    if _is_ours(domain):
        return FREE
    return covering(await _lately.get(), domain, (await settings.get()).allow_list)


async def policy_of(account: Account) -> Policy:
    """What holds for an account: the rule about the server in its handle, and that about where it lives."""
    return together(await policy(account.domain), await policy(account.host or account.domain))


async def refused(domain: str) -> bool:
    """Whether we have nothing to do with a server: no fetch, no delivery, no inbox."""
    return (await policy(domain)).refused


async def marks(domain: str, host: str = "") -> dict[str, Any]:
    """Columns for the row of an account that is new here: how the rules about its servers mark it."""
    level = together(await policy(domain), await policy(host or domain)).level
    column = {Level.SILENCE: "silenced", Level.SUSPEND: "suspended"}.get(level)
    return {f"{column}_at": moments.now(), f"{column}_by_rule": True} if column else {}


def forget() -> None:
    """Read anew next time."""
    _lately.forget()


def tidy(typed: str) -> str:
    """A domain as it stands in rules and in handles: lower case, ASCII. Raises Invalid for what is none."""
    name = typed.strip().removesuffix(".")
    try:
        domain = hosts.to_ascii(name)
    except ValueError:
        raise Invalid(_NO_DOMAIN, field="domain") from None
    host, colon, port = domain.partition(":")
    if len(host) > hosts.LONGEST or not all(map(_is_label, host.split("."))):
        raise Invalid(_NO_DOMAIN, field="domain")
    if colon and not (port.isdecimal() and len(port) <= 5):
        raise Invalid(_NO_DOMAIN, field="domain")
    return domain


def covering(rules: Mapping[str, Policy], domain: str, allow_list: bool = False) -> Policy:
    """Which of these rules holds for a domain: its own, or that of the nearest domain above it."""
    for name in names(domain):
        if name in rules:
            return rules[name]
    return REFUSED if allow_list else FREE


def together(named: Policy, home: Policy) -> Policy:
    """What holds for an account whose handle names one server and that lives on another: the stricter.

    A name that only the allow-list does not have has not been shut out: then its home is believed.
    """
    if named is REFUSED:
        return home
    level = max(named.level, home.level, key=list(Level).index)
    media, reports = named.reject_media or home.reject_media, named.reject_reports or home.reject_reports
    return Policy(level, media, reports)


def names(domain: str) -> Iterator[str]:
    """The domains whose rules cover one: itself, it without its port, those above it; the nearest first."""
    try:
        name = hosts.to_ascii(domain).removesuffix(".")
    except ValueError:
        name = domain.lower()
    name, colon, port = name.partition(":")
    if colon:
        yield f"{name}:{port}"
    while name:
        yield name
        name = name.partition(".")[2]


async def read() -> dict[str, Policy]:
    """All rules as they stand in the database at this moment."""
    found = await db.rows("SELECT domain, level, reject_media, reject_reports FROM domain_policy")
    return {
        line["domain"]: Policy(Level(line["level"]), bool(line["reject_media"]), bool(line["reject_reports"]))
        for line in found
    }


def _is_ours(domain: str) -> bool:
    ours = config.settings()
    return domain in ("", ours.domain) or domain.lower() == ours.origin.partition("//")[2]


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and set(label) <= _LETTERS


_LETTERS = set("abcdefghijklmnopqrstuvwxyz0123456789-_")
_lately = Lately(_KEPT_SECONDS, read)
_NO_DOMAIN = "That is not the name of a server. It looks like social.example."
