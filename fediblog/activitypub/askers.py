"""Who asks us for a document: somebody elsewhere who signs the GET, or nobody (FEDERATION §7.5).

Most documents are for everybody and nobody is asked who they are. A signature is looked at where the answer
depends on it: at what not everybody may see, and everywhere while `federation.authorized_fetch` is on.
"""

from quart import g, request

from fediblog.activitypub import actor_keys, ownership
from fediblog.activitypub.signatures import examine, received
from fediblog.config import settings
from fediblog.errors import Forbidden, Invalid, NotFound, Unauthenticated
from fediblog.models import Account
from fediblog.services import domains, signers

_ASKER = "asker"


async def arrive() -> None:
    """To be done before a document is served: while authorised fetch is on nobody unknown gets in.

    Raises Unauthenticated without a signature that holds, Forbidden for those who are blocked here.
    """
    if settings().federation.authorized_fetch:
        g.asker = await _proven()


async def required() -> Account:
    """Who asks, for what is only for those who say so. Raises as `arrive` does while the switch is on."""
    if known() is None:
        g.asker = await _proven()
    asker: Account = g.asker
    return asker


async def viewer() -> Account | None:
    """Who asks, for what is not for everybody; None when nobody signed, or not so that it can be believed.

    Raises Unavailable when that cannot be found out now: "not there" would be taken for deleted.
    """
    if _ASKER not in g:
        try:
            g.asker = await _proven()
        except (Unauthenticated, Forbidden, NotFound, Invalid):
            # Whoever is refused sees what a stranger sees: nothing. Why is nobody's business here.
            g.asker = None
    return known()


def known() -> Account | None:
    """Who asks, as far as that had to be found out already."""
    asker: Account | None = g.get(_ASKER)
    return asker


def is_looked_at() -> bool:
    """Whether the answer may depend on who asks, so that nobody may keep it for others."""
    return _ASKER in g


async def _proven() -> Account:
    """The account whose key signed this request. Refused before any fetch where its server is blocked."""
    signed = received(request.method, _target(), settings().origin, request.headers.items())
    examine(signed)
    await _let_in(signed.claim.key_id)
    key = await actor_keys.verified(signed)
    await _let_in(key.owner)
    account = (await signers.accounts([key.owner])).get(key.owner)
    if account is None or account.suspended_at is not None:
        raise Forbidden
    return account


async def _let_in(uri: str) -> None:
    """Raises Forbidden for an address on a server that is blocked here."""
    if await domains.refused(ownership.host(uri)):
        raise Forbidden


def _target() -> str:
    """Path and query to the letter, as they were signed."""
    path: bytes = request.scope.get("raw_path") or request.path.encode()
    query = request.query_string
    return (path + (b"?" + query if query else b"")).decode("latin-1")
