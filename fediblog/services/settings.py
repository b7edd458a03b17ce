"""What the staff can change while the server runs, and the rules of the house.

Rows of `setting` win over the configuration. They are read on most pages, so each process keeps them for a
few seconds: a change is seen by the other processes that much later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import orjson

from fediblog import config, db, ids, text, uris
from fediblog.errors import Invalid, NotFound
from fediblog.models import Role, User
from fediblog.remembering import Lately
from fediblog.services import audit, emails, members

_KEPT_SECONDS = 3.0
_LONGEST = {
    "title": 100,
    "short_description": 500,
    "description": 10_000,
    "privacy_policy": 50_000,
    "terms": 50_000,
}
_LONGEST_RULE = 300
_LONGEST_HINT = 1000
_MOST_RULES = 50


class Mode(StrEnum):
    """Who may sign up: everybody, everybody the staff lets in, those with an invite, nobody."""

    OPEN = "open"
    APPROVAL = "approval"
    INVITE = "invite"
    CLOSED = "closed"


class Audience(StrEnum):
    """To whom the rules about other servers are shown."""

    NOBODY = "nobody"
    MEMBERS = "members"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Site:
    """The settings as they hold now. The long texts are what was typed."""

    title: str
    short_description: str
    description: str
    contact_email: str
    registration: Mode
    members_only: bool  # The public timelines are for those who are signed in.
    allow_list: bool  # Only servers that a rule names may speak with us (domains.py).
    privacy_policy: str = ""
    terms: str = ""
    peers_shown: bool = True  # Everybody may know which servers we know.
    blocks_shown: Audience = Audience.NOBODY

    @property
    def description_html(self) -> str:
        """The long description, safe to show."""
        return text.render_note(self.description, {}, uris.tag_page)

    @property
    def privacy_policy_html(self) -> str:
        """The same for the privacy policy."""
        return text.render_note(self.privacy_policy, {}, uris.tag_page)

    @property
    def terms_html(self) -> str:
        """The same for the terms of service."""
        return text.render_note(self.terms, {}, uris.tag_page)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the house and what it means in practice."""

    id: int
    text: str
    hint: str


async def get() -> Site:
    """The settings, some seconds old at most."""
    return await _lately.get()


def forget() -> None:
    """Read anew next time."""
    _lately.forget()


async def change(by: User | None, **values: Any) -> Site:
    """Change some settings, named as in `Site`. Raises Invalid with all faults, and stores nothing then.

    `by` is an admin, else it raises Forbidden, or None for the command line; so with the rules below.
    """
    _require_admin(by)
    tidied = checked(**values)
    async with db.transaction():
        await put(tidied)
        await audit.record(by, "settings.change", "", names=sorted(tidied))
    return await get()


def checked(**values: Any) -> dict[str, Any]:
    """The values as they are stored. Raises Invalid with all faults."""
    found = faults(**values)
    if found:
        raise Invalid(fields=found)
    return {name: _tidy(name, value) for name, value in values.items()}


def faults(**values: Any) -> dict[str, str]:
    """What is wrong with these values, each beside its name."""
    found = {}
    for name, value in values.items():
        try:
            _tidy(name, value)
        except Invalid as fault:
            found[name] = fault.message
    return found


async def put(values: Mapping[str, Any]) -> None:
    """Store values that are known to be good, inside the transaction of a greater change."""
    for name, value in values.items():
        await db.execute(
            "INSERT INTO setting (name, value) VALUES ($1, $2)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            db.json(value),
        )
    db.after_commit(forget)


async def rules() -> tuple[Rule, ...]:
    """The rules of the house, in order."""
    found = await db.rows("SELECT id, text, hint FROM rule ORDER BY position, id")
    return tuple(Rule(**line) for line in found)


async def add_rule(by: User | None, words: str, hint: str = "") -> Rule:
    """A new rule at the end. Raises Invalid when it is empty or too long, or there are too many."""
    _require_admin(by)
    rule = Rule(ids.new(), *_rule(words, hint))
    async with db.transaction():
        if await db.value("SELECT count(*) FROM rule") >= _MOST_RULES:
            raise Invalid(f"There can be {_MOST_RULES} rules at most.", field="text")
        await db.execute(
            "INSERT INTO rule (id, position, text, hint)"
            " SELECT CAST($1 AS BIGINT), COALESCE(max(position), 0) + 1, CAST($2 AS TEXT), CAST($3 AS TEXT)"
            " FROM rule",
            *(rule.id, rule.text, rule.hint),
        )
        await audit.record(by, "rule.add", str(rule.id), text=rule.text)
    return rule


async def edit_rule(by: User | None, rule_id: int, words: str, hint: str = "") -> Rule:
    """Other words for a rule. Raises NotFound, or Invalid as `add_rule` does."""
    _require_admin(by)
    rule = Rule(rule_id, *_rule(words, hint))
    async with db.transaction():
        sql = "UPDATE rule SET text = $2, hint = $3 WHERE id = $1 RETURNING id"
        if await db.value(sql, rule.id, rule.text, rule.hint) is None:
            raise NotFound()
        await audit.record(by, "rule.edit", str(rule.id), text=rule.text)
    return rule


async def remove_rule(by: User | None, rule_id: int) -> None:
    """Drop a rule. Raises NotFound."""
    _require_admin(by)
    async with db.transaction():
        if await db.value("DELETE FROM rule WHERE id = $1 RETURNING id", rule_id) is None:
            raise NotFound()
        await audit.record(by, "rule.remove", str(rule_id))


def _require_admin(by: User | None) -> None:
    if by is not None:
        members.require_staff(by, Role.ADMIN)


async def _read() -> Site:
    current = config.settings()
    lines = await db.rows("SELECT name, value FROM setting")
    stored = {line["name"]: orjson.loads(line["value"]) for line in lines if line["name"] in _NAMES}
    values = {
        "title": current.web.site_title,
        "short_description": "",
        "description": "",
        "contact_email": "",
        "registration": current.registration.mode,
        "members_only": False,
        "allow_list": False,
        **stored,
    }
    audience = Audience(values.get("blocks_shown", Audience.NOBODY))
    return Site(**{**values, "registration": Mode(values["registration"]), "blocks_shown": audience})


_NAMES = frozenset(field.name for field in fields(Site))
_lately = Lately(_KEPT_SECONDS, _read)


def _tidy(name: str, value: Any) -> Any:
    match name:
        case "registration":
            return _mode(value).value
        case "blocks_shown":
            return _audience(value).value
        case "members_only" | "allow_list" | "peers_shown":
            return bool(value)
        case "contact_email":
            return emails.tidy(value) if value.strip() else ""
        case "title" | "short_description" | "description" | "privacy_policy" | "terms":
            return _words(name, value)
    raise Invalid("There is no such setting.")


def _mode(value: str) -> Mode:
    if value not in set(Mode):
        raise Invalid("Choose one of the four ways to sign up.")
    return Mode(value)


def _audience(value: str) -> Audience:
    if value not in set(Audience):
        raise Invalid("Choose nobody, members or everybody.")
    return Audience(value)


def _words(name: str, value: str) -> str:
    words = text.tidy(value) if name in ("title", "short_description") else text.tidy_block(value)
    if name == "title" and not words:
        raise Invalid("The site needs a title.")
    if len(words) > _LONGEST[name]:
        raise Invalid(f"This can have {_LONGEST[name]} characters at most.")
    return words


def _rule(words: str, hint: str) -> tuple[str, str]:
    words, hint = text.tidy(words), text.tidy_block(hint)
    faults = {}
    if not words or len(words) > _LONGEST_RULE:
        faults["text"] = f"A rule has 1 to {_LONGEST_RULE} characters."
    if len(hint) > _LONGEST_HINT:
        faults["hint"] = f"The explanation can have {_LONGEST_HINT} characters at most."
    if faults:
        raise Invalid(fields=faults)
    return words, hint
