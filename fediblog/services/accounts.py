"""Accounts: finding them, and what people here say about themselves."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grapheme

from fediblog import db, hosts, imaging, storage, text, uris
from fediblog.config import settings
from fediblog.errors import Gone, Invalid, NotFound
from fediblog.imaging import Limits, Made
from fediblog.models import Account
from fediblog.paging import BIGGEST
from fediblog.queue import Job
from fediblog.services import admission, events, indexed, link_checks, locks, mentions, names, work
from fediblog.services.events import Event
from fediblog.text import Handle, Person

LONGEST_NAME = 50
LONGEST_NOTE = 500
LONGEST_FIELD = 255

# A link counts as 23 characters whatever its length, so the count alone is no bound on what is stored.
_MOST_STORED = 20_000

_HANDLE = re.compile(r"@?(?P<username>[A-Za-z0-9_.-]{1,200})(?:@(?P<domain>[^\s@/]{1,253}))?")


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody wants to change. None means: as it is."""

    display_name: str | None = None
    note: str | None = None
    fields: Sequence[tuple[str, str]] | None = None  # (name, value), all of them
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None


async def get(account_id: int) -> Account:
    """The account. Raises NotFound, or Gone for one that has been deleted."""
    # No database takes a greater number, and asking would be an error of ours instead of an answer.
    account = await Account.get_or_none(id=account_id) if account_id <= BIGGEST else None
    if account is None or await _hidden(account):
        raise NotFound()
    if account.deleted_at is not None:
        raise Gone()
    return account


async def several(account_ids: Sequence[int]) -> list[int]:
    """Those of the accounts that are there to be shown, in the order given."""
    sql = _SEVERAL.format(given=db.unnest("$1"), pending=admission.PENDING.format("a.id"))
    there = set(await db.column(sql, db.array(list(set(account_ids))))) if account_ids else set()
    return [number for number in dict.fromkeys(account_ids) if number in there]


_SEVERAL = """
SELECT a.id FROM {given} JOIN account a ON a.id = given.id WHERE a.deleted_at IS NULL
  AND (a.suspended_at IS NULL OR NOT a.local OR NOT EXISTS ({pending}))
"""


async def check_here(account_id: int) -> None:
    """Raises NotFound, or Gone, unless this account lives here. For who asks often: it reads no profile."""
    found = await db.row(_STANDING, account_id) if account_id <= BIGGEST else None
    if found is None or not found["local"]:
        raise NotFound()
    if found["deleted_at"] or found["suspended_at"]:
        await get(account_id)


_STANDING = "SELECT local, deleted_at, suspended_at FROM account WHERE id = $1"


async def find(username: str, domain: str = "") -> Account | None:
    """The account with this name, as far as we know it; `domain` is empty for our own."""
    account = await Account.get_or_none(username_key=names.key(username), domain=domain, deleted_at=None)
    return None if account is None or await _hidden(account) else account


async def lookup(handle: str) -> Account:
    """The account for `name`, `@name`, `name@our.domain` or `@name@host`. Raises NotFound; asks no server."""
    match = _HANDLE.fullmatch(handle.strip())
    if match is None:
        raise NotFound()
    account = await find(match["username"], _domain(match["domain"] or ""))
    if account is None:
        raise NotFound()
    return account


async def edit_profile(account: Account, draft: Profile) -> Account:
    """Change what is given and render it; the account as it is afterwards.

    Raises Invalid with every fault; nothing has changed then.
    """
    draft = check(draft)
    columns = {**_flags(draft), **await _words(account, draft)}
    if not columns:
        return account
    async with db.transaction():
        changed = await change(account.id, columns)
        await indexed.account(changed)
        await events.record(Event.PROFILE_CHANGED, changed)
        if draft.fields is not None and link_checks.wanted(changed.fields_):
            await work.owe(Job.CHECK_LINKS, account.id)
    return changed


def check(draft: Profile) -> Profile:
    """The draft with its texts tidied. Raises Invalid with every fault."""
    draft = _tidied(draft)
    faults = {name: fault for name, fault in _faults(draft) if fault}
    if faults:
        raise Invalid(fields=faults)
    return draft


async def set_avatar(account: Account, upload: Path) -> Account:
    """Make an uploaded file the avatar; the file is gone afterwards, whatever happens.

    Raises Invalid for what is no picture, or too big.
    """
    return await _set_picture(account, "avatar", imaging.make_avatar, upload)


async def set_header(account: Account, upload: Path) -> Account:
    """Make an uploaded file the header picture, as `set_avatar` does."""
    return await _set_picture(account, "header", imaging.make_header, upload)


async def remove_avatar(account: Account) -> Account:
    """Go without an avatar."""
    return await _replace_picture(account, "avatar", "")


async def remove_header(account: Account) -> Account:
    """Go without a header picture."""
    return await _replace_picture(account, "header", "")


async def change(account_id: int, columns: Mapping[str, Any]) -> Account:
    """Set columns that are known to be good and count a new version. The account as it is afterwards.

    Raises Gone for an account that has been deleted, also a moment ago: it stays empty.
    """
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
    sql = (
        f"UPDATE account SET {sets}, version = version + 1 WHERE id = $1 AND deleted_at IS NULL RETURNING id"
    )
    async with db.transaction():
        if await db.value(sql, account_id, *columns.values()) is None:
            raise Gone()
        return await Account.get(id=account_id)


# ------------------------------------------------------------------------------------------------- finding


async def _hidden(account: Account) -> bool:
    """Who has not been let in yet is not there. Only suspended ones can be that, so most pay nothing."""
    return account.local and account.suspended_at is not None and await admission.pending(account.id)


def _domain(typed: str) -> str:
    """The domain of a handle as it is stored: in ASCII, empty when it is ours."""
    try:
        domain = hosts.to_ascii(typed)
    except ValueError:
        raise NotFound() from None
    return "" if domain == settings().domain else domain


# ------------------------------------------------------------------------------------------------- profile


def _tidied(draft: Profile) -> Profile:
    fields = draft.fields
    if fields is not None:
        tidied = [(text.tidy(name), text.tidy(value)) for name, value in fields]
        fields = [pair for pair in tidied if any(pair)]
    return Profile(
        display_name=None if draft.display_name is None else text.tidy(draft.display_name),
        note=None if draft.note is None else text.tidy_block(draft.note),
        fields=fields,
        locked=draft.locked,
        bot=draft.bot,
        discoverable=draft.discoverable,
        indexable=draft.indexable,
        hide_collections=draft.hide_collections,
    )


def _faults(draft: Profile) -> Iterable[tuple[str, str | None]]:
    if draft.display_name is not None and _too_long(draft.display_name, LONGEST_NAME):
        yield "display_name", f"A name can have {LONGEST_NAME} characters at most."
    note = draft.note or ""
    if len(note) > _MOST_STORED or text.length(note) > LONGEST_NOTE:
        yield "note", f"That is longer than {LONGEST_NOTE} characters."
    yield "fields", _fields_fault(draft.fields or ())


def _fields_fault(fields: Sequence[tuple[str, str]]) -> str | None:
    most = settings().limits.max_fields
    if len(fields) > most:
        return f"There can be {most} fields at most."
    if not all(name for name, _ in fields):
        return "Each field needs a name."
    if any(_too_long(part, LONGEST_FIELD) for field in fields for part in field):
        return f"A field can have {LONGEST_FIELD} characters at most."
    return None


def _too_long(words: str, most: int) -> bool:
    return len(words) > _MOST_STORED or grapheme.length(words) > most


def _flags(draft: Profile) -> dict[str, Any]:
    given = {
        "locked": draft.locked,
        "discoverable": draft.discoverable,
        "indexable": draft.indexable,
        "hide_collections": draft.hide_collections,
        "actor_type": None if draft.bot is None else "Service" if draft.bot else "Person",
    }
    return {name: value for name, value in given.items() if value is not None}


async def _words(account: Account, draft: Profile) -> dict[str, Any]:
    """The texts as columns, with those they mention linked."""
    fields = draft.fields or ()
    people = await _people([draft.note or "", *(value for _, value in fields)])
    columns: dict[str, Any] = {}
    if draft.display_name is not None:
        columns["display_name"] = draft.display_name
    if draft.note is not None:
        columns["note_source"] = draft.note
        columns["note"] = text.render_note(draft.note, people, uris.tag_page)
    if draft.fields is not None:
        columns["fields"] = db.json([_field(account, name, value, people) for name, value in fields])
    return columns


def _field(account: Account, name: str, source: str, people: Mapping[Handle, Person]) -> dict[str, Any]:
    """A field that stays as it was keeps the mark that its link was checked."""
    same = [old for old in account.fields_ if (old.get("name"), old.get("source")) == (name, source)]
    return {
        "name": name,
        "source": source,
        "value": text.render_field(source, people, uris.tag_page),
        "verified_at": same[0].get("verified_at") if same else None,
    }


async def _people(sources: Iterable[str]) -> dict[Handle, Person]:
    """Those of us whom these texts name. Mentions of people elsewhere stay words."""
    handles = {handle for source in sources for handle in text.scan(source).handles}
    return mentions.people(await mentions.find(filter(mentions.ours, handles)))


# ------------------------------------------------------------------------------------------------ pictures


async def _set_picture(
    account: Account, which: str, make: Callable[[Path, Path, Limits], Awaitable[Made]], upload: Path
) -> Account:
    files = storage.current()
    limits = Limits(image_bytes=settings().limits.image_megabytes * 1024**2)
    try:
        made = await make(upload, files.workshop, limits)
    except Invalid as fault:
        raise Invalid(fault.message, field=which) from None
    finally:
        await asyncio.to_thread(upload.unlink, missing_ok=True)
    return await _replace_picture(account, which, await files.save(made.file, made.suffix))


async def _replace_picture(account: Account, which: str, key: str) -> Account:
    """Whatever happens, the picture that is named in the row is there. The other one goes."""
    unwanted = key
    try:
        async with db.transaction():
            await locks.hold(f"{which}:{account.id}")
            old = await db.value(f"SELECT {which} FROM account WHERE id = $1", account.id)
            changed = await change(account.id, {which: key})
            await events.record(Event.PROFILE_CHANGED, changed)
            # An error from here on may come after the commit (a caller hangs up, a connection breaks): which
            # of the two is not wanted then, the sweep of orphans finds out.
            unwanted = ""
        unwanted = old
    finally:
        await storage.current().remove(unwanted)
    return changed
