"""Whose key somebody has signed with: from the accounts that we know, or asked of the key's own server.

A key is believed when its owner, who lives at the same origin, lists it as its own (SECURITY §2, FEDERATION
§7.4). Rows are the truth; what stands here for a short while spares looking at them. Asking is bounded: five
seconds, 20 at once, two of one server, and who gave no key is not asked again for a while.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.signatures import Reason, Refused, Signed, examine, verify
from fediblog.activitypub.vocabulary import ACTORS, id_of
from fediblog.config import Config, settings
from fediblog.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Unavailable
from fediblog.http import Outside, Unwelcome
from fediblog.http.turns import Turns
from fediblog.models import Account
from fediblog.remembering import Recent, Together
from fediblog.services import signers

# How long a row that was read is believed, in seconds: also how long a change made by another process takes.
# A key that is in no row, because its owner has several, is believed for longer.
_FRESH, _FRESH_WITHOUT_ROW = 30.0, 600.0
_SECONDS = 5.0
_AT_ONCE, _PER_HOST = 20, 2
# Who waits for a turn takes a place in the door: few may, and few for one server.
_MOST_WAITING, _MOST_WAITING_PER_HOST = 60, 8
# Who gave no key: not asked again for so long. What is gone stays gone (storms of Delete cost nothing).
_NO_KEY, _GONE = 600.0, 6 * 3600.0
# A key that does not fit any more is asked for anew, so often.
_BETWEEN_RENEWALS = 300.0
_MOST_KNOWN, _MOST_MISSING = 4_096, 16_384


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and whose it is. `host` is where the owner lives, with its port."""

    id: str
    owner: str
    pem: str
    host: str
    suspended: bool = False


class OwnerGone(Refused):
    """The owner's server says that there was such an actor and is no more (410)."""

    def __init__(self) -> None:
        super().__init__(Reason.KEY)


async def find(key_id: str) -> Key | None:
    """The key as our rows have it; asks nobody."""
    keys = _keys()
    if (key := keys.known.get(key_id)) is None:
        key = await _read(key_id)
        if key is not None:
            keys.known.put(key_id, key, _FRESH)
    return key


async def get(key_id: str) -> Key:
    """The key, asked for when it is not known. Raises Refused when it cannot be had, Unavailable when too
    many are being asked for at this moment.
    """
    return await find(key_id) or await _asked(key_id)


async def verified(request: Signed) -> Key:
    """Whose request this is. Raises Refused when that is not proven, Unavailable as `get`."""
    examine(request)
    return await prove(request, await get(request.claim.key_id))


async def prove(request: Signed, key: Key) -> Key:
    """The key that has signed the request: this one, or the one that its owner has by now.

    Keys change without notice (FEDERATION §7.4), so one that does not fit is asked for once more, at most
    every five minutes for one actor. Raises Refused.
    """
    try:
        verify(request, key.pem)
    except Refused as refused:
        if refused.reason not in (Reason.SIGNATURE, Reason.KEY):
            raise
        newer = await _renewed(key)
        if newer is None or newer.pem == key.pem:
            raise
        verify(request, newer.pem)
        return newer
    return key


async def _renewed(key: Key) -> Key | None:
    """The key as it is now: what another process has stored meanwhile, else as its owner's server has it."""
    keys = _keys()
    stored = await _read(key.id)
    if stored is not None and stored.pem != key.pem:
        keys.known.put(key.id, stored, _FRESH)
        return stored
    if keys.renewed.get(key.owner):
        return None
    keys.renewed.put(key.owner, True, _BETWEEN_RENEWALS)
    return await _asked(key.id, refresh=True)


async def _read(key_id: str) -> Key | None:
    holder = await signers.find(key_id)
    if holder is None or not holder.public_key or not ownership.same_origin(holder.uri, key_id):
        return None
    return _key(key_id, holder.uri, holder.public_key, holder.suspended)


def _key(key_id: str, owner: str, pem: str, suspended: bool) -> Key:
    return Key(key_id, owner, pem, ownership.host(owner), suspended)


# -------------------------------------------------------------------------------------------------- asking


async def _asked(key_id: str, refresh: bool = False) -> Key:
    """Ask for a key; whoever wants the same one meanwhile gets the same answer."""
    keys = _keys()
    if not refresh and (gone := keys.missing.get(key_id)) is not None:
        raise OwnerGone() if gone else Refused(Reason.KEY)
    return await keys.asking.get(key_id, partial(_ask, keys, key_id, refresh))


async def _ask(keys: "_Keys", key_id: str, refresh: bool) -> Key:
    try:
        async with keys.turn(ownership.host(key_id)):
            key, in_row = await _fetched(key_id, refresh)
    except Conflict as error:
        raise Unavailable() from error
    except _NOT_HAD as error:
        gone = isinstance(error, Gone) or getattr(error, "status", 0) == 410
        if gone or not refresh:
            keys.missing.put(key_id, gone, _GONE if gone or _is_absent(error) else _NO_KEY)
            keys.known.drop(key_id)
        raise (OwnerGone() if gone else Refused(Reason.KEY)) from error
    keys.known.put(key_id, key, _FRESH if in_row else _FRESH_WITHOUT_ROW)
    return key


_NOT_HAD = (Outside, NotFound, Invalid, Forbidden, TimeoutError)


def _is_absent(error: BaseException) -> bool:
    return isinstance(error, NotFound) or (isinstance(error, Unwelcome) and error.status == 404)


async def _fetched(key_id: str, refresh: bool) -> tuple[Key, bool]:
    """The key, and whether the owner's row holds it. Raises Forged unless the owner lists it, there."""
    owner = key_id.partition("#")[0] if "#" in key_id else await _owner(key_id)
    account = await resolver.actor(owner, refresh)
    if account.key_id != key_id and not refresh:
        account = await resolver.actor(owner, refresh=True)
    if not ownership.same_origin(account.uri, key_id):
        raise ownership.Forged(ownership.Reason.ORIGIN)
    in_row = account.key_id == key_id and bool(account.public_key)
    pem = account.public_key if in_row else await _listed(account, key_id)
    return _key(key_id, account.uri, pem, account.suspended_at is not None), in_row


async def _listed(account: Account, key_id: str) -> str:
    """A key that is not in its owner's row: one of several, or one of which they give only the address."""
    if account.key_id == key_id:
        listed = {"id": account.uri, "publicKey": await resolver.document(key_id)}
    else:
        listed = await resolver.document(account.uri)
    return ownership.key_of(listed, key_id)


async def _owner(key_id: str) -> str:
    """Who holds a key that has an address of its own: a bare key, or the stub of an actor (GoToSocial)."""
    document = await resolver.document(key_id)
    named = document if document.get("type") in ACTORS else document.get("owner", document.get("controller"))
    owner = id_of(named)
    if owner is None:
        raise ownership.Forged(ownership.Reason.OWNER)
    return owner


# ----------------------------------------------------------------------------------------------- remembering


class _Keys:
    """What one process remembers of keys, for one configuration: with another it begins anew."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.known: Recent[Key] = Recent(_MOST_KNOWN)
        self.missing: Recent[bool] = Recent(_MOST_MISSING)  # True: it is gone
        self.renewed: Recent[bool] = Recent(_MOST_MISSING)
        self.asking: Together[Key] = Together()
        self._turns = Turns(_PER_HOST, _AT_ONCE)
        self._people: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Five seconds with one of the places. Raises Unavailable when none is free in this time."""
        if self._people.total() >= _MOST_WAITING or self._people[host] >= _MOST_WAITING_PER_HOST:
            raise Unavailable()
        self._people[host] += 1
        began = False
        try:
            async with asyncio.timeout(_SECONDS), self._turns.of(host):
                began = True
                yield
        except TimeoutError:
            # Whose server it is that is slow: theirs, or ours that has no place.
            if began:
                raise
            raise Unavailable() from None
        finally:
            self._people[host] -= 1
            if not self._people[host]:
                del self._people[host]


_current: _Keys | None = None


def _keys() -> _Keys:
    global _current
    if _current is None or _current.config is not settings():
        _current = _Keys(settings())
    return _current
