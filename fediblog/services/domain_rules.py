"""Rules about whole servers: made by an admin, with a line in the audit log, and carried out by owed work.

A rule is obeyed from the moment of its commit (domains.py): nothing is fetched from, sent to or taken from a
blocked server. What is here already follows in batches: its accounts are suspended, or silenced, as single
ones are, and the follows between them and ours end. Lifting the rule undoes that, but for the follows, and
but for accounts that were put away for a reason of their own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fediblog import db, ids, moments, text
from fediblog.config import settings as configured
from fediblog.errors import Invalid, NotFound
from fediblog.models import Role, User
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import audit, domains, members, settings, severing, work
from fediblog.services.domains import Level, Policy

EVERY = "*"
_LONGEST_COMMENT = 1000
_BATCH = 500
# Each process keeps the rules for seconds: what slipped in meanwhile is found by a second look.
_SECOND_LOOK = moments.MINUTE


@dataclass(frozen=True, slots=True)
class Rule:
    """What the staff has decided about one server, and why."""

    domain: str
    level: Level
    reject_media: bool = False
    reject_reports: bool = False
    public_comment: str = ""
    private_comment: str = ""
    obfuscate: bool = False
    created_at: int = 0
    id: int = field(default=0, compare=False)  # For apps.

    @property
    def policy(self) -> Policy:
        """The part of it that is obeyed."""
        return Policy(self.level, self.reject_media, self.reject_reports)


class Place(NamedTuple):
    """Where accounts live: the server in their handles, and their own one where that is another."""

    domain: str
    host: str = ""

    @property
    def servers(self) -> tuple[str, str]:
        """The two, which most often are one."""
        return self.domain, self.host or self.domain

    @property
    def under(self) -> set[str]:
        """All domains whose rules reach them."""
        return {name for server in self.servers for name in domains.names(server)}


async def listing() -> list[Rule]:
    """All rules, by name."""
    return [_rule(line) for line in await db.rows(f"{_SELECT} ORDER BY domain")]


async def get(domain: str) -> Rule:
    """The rule about exactly this domain. Raises NotFound, and Invalid for what is no domain."""
    found = await db.row(f"{_SELECT} WHERE domain = $1", domains.tidy(domain))
    if found is None:
        raise NotFound("There is no rule about this server.")
    return _rule(found)


async def page(by: User | None, asked: Page, allows: bool) -> list[Rule]:
    """A page of rules, newest first: those that let a server in, or all that keep something of it away.

    Raises Forbidden as the verbs below.
    """
    _require_admin(by)
    sql = f"{_SELECT} WHERE id < $1 AND id > $2 AND {_kind(allows)} ORDER BY id {asked.order}"
    found = await db.rows(f"{sql} LIMIT {asked.rows}", asked.before, asked.after)
    return sorted(map(_rule, found[: asked.limit]), key=lambda rule: -rule.id)


async def numbered(by: User | None, number: int, allows: bool) -> Rule:
    """One of these by its number. Raises Forbidden, NotFound."""
    _require_admin(by)
    found = await db.row(f"{_SELECT} WHERE id = $1 AND {_kind(allows)}", number)
    if found is None:
        raise NotFound("There is no such rule.")
    return _rule(found)


async def make(rule: Rule, by: User | None) -> Rule:
    """Let a rule hold, in place of the one about the same domain if there is one.

    `by` is an admin, else it raises Forbidden, or None for the command line; so with the verbs below. Raises
    Invalid for what is no domain, for our own, and for comments that are too long.
    """
    _require_admin(by)
    rule = checked(rule)
    async with db.transaction():
        await put([rule])
        await audit.record(by, _ACTIONS[rule.level], rule.domain, **_details(rule))
        await owe(rule.domain)
    return rule


async def lift(domain: str, by: User | None) -> None:
    """Drop the rule about exactly this domain. Raises NotFound."""
    _require_admin(by)
    rule = await get(domain)
    async with db.transaction():
        if await db.value("DELETE FROM domain_policy WHERE domain = $1 RETURNING id", rule.domain) is None:
            raise NotFound("There is no rule about this server.")
        await audit.record(by, "domain.lift", rule.domain, level=rule.level.value)
        db.after_commit(domains.forget)
        await owe(rule.domain)


async def set_allow_list(on: bool, by: User | None) -> None:
    """Speak with nobody but servers that a rule names (`on`), or with everybody whom no rule forbids."""
    _require_admin(by)
    async with db.transaction():
        await settings.change(by, allow_list=on)
        await owe(EVERY)


def checked(rule: Rule) -> Rule:
    """The rule as it is stored. Raises Invalid."""
    domain = domains.tidy(rule.domain)
    if domain in (configured().domain, configured().origin.partition("//")[2]):
        raise Invalid("This is our own server.", field="domain")
    public, private = text.tidy_block(rule.public_comment), text.tidy_block(rule.private_comment)
    if max(len(public), len(private)) > _LONGEST_COMMENT:
        raise Invalid(f"A comment can have {_LONGEST_COMMENT} characters at most.", field="comment")
    return replace(rule, domain=domain, public_comment=public, private_comment=private)


async def put(rules: Iterable[Rule]) -> None:
    """Store rules that are known to be good, inside a transaction. `owe` has to follow."""
    for rule in rules:
        await db.execute(
            _PUT,
            *(ids.new(), rule.domain, rule.level.value, rule.reject_media, rule.reject_reports),
            *(rule.public_comment, rule.private_comment, rule.obfuscate, moments.now()),
        )
    db.after_commit(domains.forget)


async def owe(domain: str) -> None:
    """Have the accounts of a domain (EVERY: all) brought in line with the rules, inside the transaction."""
    await work.owe(Job.RULES, domain)
    await work.owe(Job.RULES, f"{domain} again", moments.now() + _SECOND_LOOK)


# ------------------------------------------------------------------------------------------ carrying out


async def enforce(key: str) -> None:
    """Bring accounts in line with the rules as they stand now. Twice is the same as once."""
    domain = key.removesuffix(" again")
    settings.forget()
    rules, allow_list = await domains.read(), (await settings.get()).allow_list
    marked = {Place(**line) for line in await db.rows(_MARKED)}
    for place in await _known_under(domain):
        policy = domains.together(*(domains.covering(rules, name, allow_list) for name in place.servers))
        # Most servers have no rule and never had one.
        if policy.level is not Level.NONE or place in marked:
            await _bring_in_line(place, policy)
    for name in await db.column(_OWED):
        covered = domain == EVERY or domain in domains.names(name)
        if covered and domains.covering(rules, name, allow_list).refused:
            await _withdraw(name)


async def followed(blocked: Collection[str]) -> dict[str, tuple[int, int]]:
    """How many follows a block of each of these domains would end: by people here, and of people here."""
    found = dict.fromkeys(blocked, (0, 0))
    for place in await _known_under(EVERY) if blocked else ():
        covering = place.under & set(found)
        counts = await db.row(_FOLLOWS, *place) if covering else None
        for domain in covering:
            assert counts is not None
            follows, followers = found[domain]
            found[domain] = (follows + counts["follows"], followers + counts["followers"])
    return found


async def _known_under(domain: str) -> list[Place]:
    """The places where somebody lives whom we know: those under this domain, or all."""
    known = [Place(name) for name in await db.column(_KNOWN)]
    known += [Place(**line) for line in await db.rows(_SPLIT)]
    return [place for place in known if domain == EVERY or domain in place.under]


async def _bring_in_line(place: Place, policy: Policy) -> None:
    for column, wanted in (
        ("suspended", policy.level is Level.SUSPEND),
        ("silenced", policy.level is Level.SILENCE),
    ):
        sql = (_MARK if wanted else _UNMARK).format(column=column)
        values = [*place, moments.now()] if wanted else [*place]
        while len(await _changed(sql, values)) == _BATCH:
            pass
    if policy.refused:
        await _sever(place)


async def _withdraw(server: str) -> None:
    """What is on its way to a server that is blocked now does not go any more."""
    while len(await _changed(_END_DELIVERIES, [server, moments.now()])) == _BATCH:
        pass


async def _changed(sql: str, values: Sequence[object]) -> list[int]:
    async with db.transaction():
        return await db.column(sql, *values)


async def _sever(place: Place) -> None:
    after = 0
    while found := await db.column(_ACCOUNTS, *place, after):
        await severing.sever_silently(found)
        after = found[-1]


def _require_admin(by: User | None) -> None:
    if by is not None:
        members.require_staff(by, Role.ADMIN)


def _kind(allows: bool) -> str:
    free = "(level = 'none' AND NOT reject_media AND NOT reject_reports)"
    return free if allows else f"NOT {free}"


def _details(rule: Rule) -> dict[str, object]:
    return {
        "reject_media": rule.reject_media,
        "reject_reports": rule.reject_reports,
        "comment": rule.public_comment,
    }


def _rule(line: db.Row) -> Rule:
    flags = {name: bool(line[name]) for name in ("reject_media", "reject_reports", "obfuscate")}
    return Rule(**{**line, **flags, "level": Level(line["level"])})


_ACTIONS = {Level.SUSPEND: "domain.block", Level.SILENCE: "domain.limit", Level.NONE: "domain.allow"}

_SELECT = """
SELECT domain, level, reject_media, reject_reports, public_comment, private_comment, obfuscate, created_at, id
FROM domain_policy
"""
_PUT = """
INSERT INTO domain_policy (id, domain, level, reject_media, reject_reports, public_comment, private_comment,
    obfuscate, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (domain) DO UPDATE SET level = excluded.level, reject_media = excluded.reject_media,
    reject_reports = excluded.reject_reports, public_comment = excluded.public_comment,
    private_comment = excluded.private_comment, obfuscate = excluded.obfuscate
"""
# The names one by one down the index: there are far fewer of them than of accounts.
_KNOWN = """
WITH RECURSIVE known(domain) AS (
    SELECT min(domain) FROM account WHERE domain > ''
    UNION ALL
    SELECT (SELECT min(a.domain) FROM account a WHERE a.domain > known.domain) FROM known
    WHERE known.domain IS NOT NULL
)
SELECT domain FROM known WHERE domain IS NOT NULL
"""
_SPLIT = "SELECT DISTINCT domain, host FROM account WHERE host <> ''"
_MARKED = "SELECT DISTINCT domain, host FROM account WHERE suspended_by_rule OR silenced_by_rule"
_MARK = f"""
UPDATE account SET {{column}}_at = $3, {{column}}_by_rule = TRUE, version = version + 1 WHERE id IN (
    SELECT id FROM account WHERE domain = $1 AND host = $2 AND {{column}}_at IS NULL AND deleted_at IS NULL
    ORDER BY id LIMIT {_BATCH}
) RETURNING id
"""
_UNMARK = f"""
UPDATE account SET {{column}}_at = NULL, {{column}}_by_rule = FALSE, version = version + 1 WHERE id IN (
    SELECT id FROM account WHERE domain = $1 AND host = $2 AND {{column}}_by_rule AND deleted_at IS NULL
    ORDER BY id LIMIT {_BATCH}
) RETURNING id
"""
_OWED = """
SELECT s.domain FROM server s
WHERE EXISTS (SELECT 1 FROM delivery d WHERE d.server_id = s.id AND d.state = 'due')
"""
_END_DELIVERIES = f"""
UPDATE delivery SET state = 'failed', error = 'blocked', ended_at = $2 WHERE state = 'due' AND id IN (
    SELECT d.id FROM delivery d JOIN server s ON s.id = d.server_id
    WHERE s.domain = $1 AND d.state = 'due' LIMIT {_BATCH}
) RETURNING id
"""
_ACCOUNTS = f"SELECT id FROM account WHERE domain = $1 AND host = $2 AND id > $3 ORDER BY id LIMIT {_BATCH}"
_FOLLOWS = """
WITH those AS (SELECT id FROM account WHERE domain = $1 AND host = $2)
SELECT (SELECT count(*) FROM those a JOIN follow f ON f.target_id = a.id) AS follows,
       (SELECT count(*) FROM those a JOIN follow f ON f.follower_id = a.id) AS followers
"""
