"""Lists of rules about servers, in the form in which Mastodon's admins pass them on.

    #domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate

A list is taken in whole or not at all, and what it would change can be seen before. It never softens what the
staff here has decided: a stricter rule stays.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fediblog import db
from fediblog.errors import Invalid
from fediblog.models import Role, User
from fediblog.services import audit, domain_rules, members
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level

MOST_BYTES = 5 * 1024 * 1024
_MOST_LINES = 50_000
_BATCH = 200

_COLUMNS = ("domain", "severity", "reject_media", "reject_reports", "public_comment", "obfuscate")
_LEVELS = {"noop": Level.NONE, "silence": Level.SILENCE, "suspend": Level.SUSPEND}
_SEVERITIES = {level: severity for severity, level in _LEVELS.items()}
_FLAGS = {"true": True, "false": False, "": False, "1": True, "0": False}
_STRICTNESS = list(Level)


class Change(StrEnum):
    """What a line does here."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    STAYS = "stays"  # We have a stricter rule.


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list, the rule that holds here now, and the follows that end if it is taken in."""

    rule: Rule
    change: Change
    before: Rule | None
    follows: int = 0  # Of accounts there, by people here.
    followers: int = 0  # Of people here, by accounts there.


def read(content: str) -> list[Rule]:
    """The rules in a list. Raises Invalid with the faults of all lines, each under `line 3`."""
    if len(content) > MOST_BYTES:
        raise Invalid("The list is too long.")
    rules: dict[str, Rule] = {}
    faults: dict[str, str] = {}
    for number, row in _rows(content):
        try:
            rule = _rule(row)
        except Invalid as fault:
            faults[f"line {number}"] = fault.message
        else:
            rules[rule.domain] = rule
    if len(rules) > _MOST_LINES:
        raise Invalid("The list is too long.")
    if faults:
        raise Invalid(fields=faults)
    return list(rules.values())


async def preview(rules: Iterable[Rule]) -> list[Line]:
    """What each rule of a list would change here."""
    now = {rule.domain: rule for rule in await domain_rules.listing()}
    lines = [_line(rule, now.get(rule.domain)) for rule in rules]
    ends = [line.rule.domain for line in lines if _blocks(line)]
    follows = await domain_rules.followed(ends)
    return [_counted(line, *follows.get(line.rule.domain, (0, 0))) for line in lines]


async def take_in(rules: Sequence[Rule], by: User | None) -> list[Line]:
    """Let the rules of a list hold; what has changed. Raises Forbidden for who is no admin."""
    if by is not None:
        members.require_staff(by, Role.ADMIN)
    lines = await preview(rules)
    wanted = [line.rule for line in lines if line.change in (Change.NEW, Change.CHANGED)]
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        async with db.transaction():
            await domain_rules.put(batch)
            await audit.record(by, "domain.import", "", domains=[rule.domain for rule in batch])
            await domain_rules.owe(domain_rules.EVERY)
    return lines


async def export() -> str:
    """All rules as a list that Mastodon and others take in."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([f"#{name}" for name in _COLUMNS])
    for rule in await domain_rules.listing():
        flags = [str(flag) for flag in (rule.reject_media, rule.reject_reports)]
        severity = _SEVERITIES[rule.level]
        writer.writerow([rule.domain, severity, *flags, rule.public_comment, str(rule.obfuscate)])
    return target.getvalue()


def _rows(content: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines with their numbers and names. Without a line of names the columns are in the usual order."""
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
    names: Sequence[str] = _COLUMNS
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            titles = [cell.lower().lstrip("#") for cell in cells]
            if reader.line_num == 1 and "domain" in titles:
                names = titles
            else:
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise Invalid(f"This is no list of servers: {error}.", field=f"line {reader.line_num}") from None


def _rule(row: dict[str, str]) -> Rule:
    """The rule in a line. Raises Invalid."""
    domain = row.get("domain", "")
    if "*" in domain:
        raise Invalid("Part of the name is starred out.")
    severity = row.get("severity", "").lower() or "suspend"
    if severity not in _LEVELS:
        raise Invalid("The severity is noop, silence or suspend.")
    flags = [_flag(row.get(name, "")) for name in ("reject_media", "reject_reports", "obfuscate")]
    comment = row.get("public_comment", "")
    return domain_rules.checked(
        Rule(domain, _LEVELS[severity], flags[0], flags[1], comment, obfuscate=flags[2])
    )


def _flag(typed: str) -> bool:
    if typed.lower() not in _FLAGS:
        raise Invalid("Say True or False.")
    return _FLAGS[typed.lower()]


def _line(rule: Rule, before: Rule | None) -> Line:
    if before is None:
        return Line(rule, Change.NEW, None)
    if _STRICTNESS.index(before.level) > _STRICTNESS.index(rule.level):
        return Line(rule, Change.STAYS, before)
    same = (before.policy, before.public_comment) == (rule.policy, rule.public_comment)
    return Line(rule, Change.SAME if same else Change.CHANGED, before)


def _blocks(line: Line) -> bool:
    blocked = line.before is not None and line.before.level is Level.SUSPEND
    return line.rule.level is Level.SUSPEND and not blocked


def _counted(line: Line, follows: int, followers: int) -> Line:
    return replace(line, follows=follows, followers=followers)
