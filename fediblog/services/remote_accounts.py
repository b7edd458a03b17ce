"""Accounts on other servers, as far as they are known here.

An account is its address (`uri`); the handle is a name that it has, and may lose. Two never have the same:
who can prove by WebFinger that it is theirs now takes it from who had it; without proof the first keeps it.
"""

from typing import Any

from fediblog import db, hosts, http, ids, moments, uris
from fediblog.config import settings
from fediblog.errors import Conflict, Forbidden, Gone
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import deletion, domains, hidden_domains, indexed, locks, names, work
from fediblog.services.incoming import IncomingAccount

# A profile is read anew when it is older, if something reminds us of the account.
FRESH = moments.DAY


async def store(incoming: IncomingAccount, confirmed: bool = False) -> Account:
    """Keep what another server says about an account of its own; the account as it is now.

    `confirmed` says that WebFinger has confirmed the handle in both directions: then it is taken from whoever
    had it. An account that is known keeps the handle it had until that is so (FEDERATION §5, Update). Raises
    Conflict for a new one when somebody else has the handle, Gone for an account that has been deleted,
    Forbidden for a handle or an address of ours.
    """
    handle = _handle(incoming)
    async with db.transaction():
        known, holder = await _alone(incoming.uri, *handle)
        if known is not None and known.deleted_at is not None:
            raise Gone
        columns = {**_columns(incoming), **await _standing(incoming, known)}
        if known is not None and not confirmed:
            return await _change(known, {**columns, "host": _host(incoming.uri, known.domain)})
        if holder is not None:
            await _take_handle(holder, confirmed)
        columns |= {"username": incoming.username, "username_key": handle[0], "domain": handle[1]}
        columns["host"] = _host(incoming.uri, handle[1])
        return await (_change(known, columns) if known else _create(incoming, columns))


async def gone(account: Account) -> None:
    """An account has been deleted elsewhere: all of it goes here too, at once for everybody's eyes.

    Twice is the same as once. Raises Forbidden for an account of ours.
    """
    if account.local:
        raise Forbidden
    async with db.transaction():
        if await deletion.mark(account.id):
            await work.owe(Job.ERASE, account.id)


async def want_fresh(account: Account) -> None:
    """Owe a new look at an account elsewhere when the last one was long ago. Nobody waits for it."""
    if not account.local and not is_fresh(account):
        async with db.transaction():
            await work.owe(Job.REFRESH, account.id)


def is_fresh(account: Account) -> bool:
    """Whether what we know of an account is of today."""
    return account.local or (account.fetched_at or 0) > moments.now() - FRESH


async def looked_at(account: Account) -> None:
    """Note that its server was asked, whatever came of it: it is left in peace for a day."""
    async with db.transaction():
        await db.execute("UPDATE account SET fetched_at = $2 WHERE id = $1", account.id, moments.now())


def _handle(incoming: IncomingAccount) -> tuple[str, str]:
    """The handle as it is looked up. Deliveries to an inbox of ours would be to ourselves (SECURITY §2)."""
    domain = hosts.to_ascii(incoming.domain)
    ours = domain == settings().domain or any(map(uris.is_local, (incoming.uri, incoming.inbox)))
    if ours or not domain:
        raise Forbidden("Nobody outside speaks for this server.")
    return names.key(incoming.username), domain


def _host(uri: str, domain: str) -> str:
    """Where an account lives; nothing when that is the server in its handle."""
    host = http.authority(uri)
    return "" if host == domain else host


async def _alone(uri: str, key: str, domain: str) -> tuple[Account | None, Account | None]:
    """The account of this address and whoever else has the handle; nobody else changes them meanwhile."""
    await locks.hold(f"handle:{key}@{domain}")
    await locks.hold(uri)
    involved = await db.column(_INVOLVED, uri, key, domain)
    if not involved:
        return None, None
    await locks.accounts(involved)
    holder = await Account.get_or_none(username_key=key, domain=domain)
    known = await Account.get_or_none(uri=uri)
    return known, None if holder is None or holder.uri == uri else holder


async def _take_handle(holder: Account, confirmed: bool) -> None:
    """Free a handle. Who is gone needs none; all others keep theirs until it is known to be another's."""
    if not confirmed and holder.deleted_at is None:
        raise Conflict("Another account has this name already.")
    await db.execute(_FREE_HANDLE, holder.id, f"{holder.username_key}#{holder.id}")


async def _create(incoming: IncomingAccount, columns: dict[str, Any]) -> Account:
    made = Account(
        id=ids.new(),
        local=False,
        uri=incoming.uri,
        created_at=max(0, min(incoming.created_at or moments.now(), moments.now())),
        **{**columns, **await domains.marks(columns["domain"], columns["host"])},
    )
    await made.save(force_create=True)
    await indexed.account(made)
    await hidden_domains.greet(made)
    return made


async def _change(known: Account, columns: dict[str, Any]) -> Account:
    """A new version only when there is something new: whatever hangs on it is rendered again then."""
    seen = {name: value for name, value in columns.items() if name != "fetched_at"}
    if any(getattr(known, name) != value for name, value in seen.items()):
        columns = {**columns, "version": known.version + 1}
    renamed = any(seen.get(name, old) != old for name, old in _named(known).items())
    if columns["host"] not in ("", known.host):
        # It lives elsewhere now, as far as we know: rules about that server reach it from now on.
        await work.owe(Job.RULES, columns["host"])
    known.update_from_dict(columns)
    await known.save(update_fields=list(columns))
    if renamed:
        await indexed.account(known)
    return known


def _named(known: Account) -> dict[str, str]:
    return {"username": known.username, "display_name": known.display_name}


def _columns(incoming: IncomingAccount) -> dict[str, Any]:
    """What the other server says, as it is stored."""
    return {
        "actor_type": incoming.actor_type,
        "url": incoming.url,
        "inbox": incoming.inbox,
        "shared_inbox": "" if uris.is_local(incoming.shared_inbox) else incoming.shared_inbox,
        "outbox": incoming.outbox,
        "followers_uri": incoming.followers_uri,
        "following_uri": incoming.following_uri,
        "featured_uri": incoming.featured_uri,
        "display_name": incoming.display_name,
        "note": incoming.note,
        "fields_": [_field(name, value) for name, value in incoming.fields],
        "avatar_remote_url": incoming.avatar_url,
        "header_remote_url": incoming.header_url,
        "locked": incoming.locked,
        "discoverable": incoming.discoverable,
        "indexable": incoming.indexable,
        "also_known_as": list(incoming.also_known_as),
        "public_key": incoming.public_key,
        "key_id": incoming.key_id,
        "emojis": [{"shortcode": each.shortcode, "url": each.url} for each in incoming.emojis],
        "fetched_at": moments.now(),
    }


def _field(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "source": "", "value": value, "verified_at": None}


async def _standing(incoming: IncomingAccount, known: Account | None) -> dict[str, Any]:
    """Where it has moved to, and whether its own server has put it away, which only that server may undo."""
    columns: dict[str, Any] = {"moved_to_id": await _moved_to(incoming)}
    suspended_here = known is not None and known.suspended_at is not None and not known.suspended_elsewhere
    if not suspended_here:
        since = known.suspended_at if known else None
        columns["suspended_elsewhere"] = incoming.suspended
        columns["suspended_at"] = (since or moments.now()) if incoming.suspended else None
    return columns


async def _moved_to(incoming: IncomingAccount) -> int | None:
    """The account that it has moved to, if we know it and it says so too (FEDERATION §5, Move)."""
    target = await Account.get_or_none(uri=incoming.moved_to, deleted_at=None) if incoming.moved_to else None
    return target.id if target is not None and incoming.uri in target.also_known_as else None


_INVOLVED = "SELECT id FROM account WHERE uri = $1 OR (username_key = $2 AND domain = $3)"
_FREE_HANDLE = "UPDATE account SET username_key = $2, version = version + 1 WHERE id = $1"
