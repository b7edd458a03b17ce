"""Admin::Account as JSON: an account with what the staff alone may know."""

from collections.abc import Iterable, Sequence

from fediblog import moments
from fediblog.api import auth, entities, rendering
from fediblog.services import dossiers
from fediblog.services.dossiers import Dossier, Login


async def account(account_id: int) -> bytes:
    """One account, for whoever asks. Raises Forbidden, NotFound."""
    return (await rendered([await dossiers.get(auth.user(), account_id)]))[account_id]


async def several(account_ids: Iterable[int]) -> dict[int, bytes]:
    """Accounts by id, also deleted ones, in three statements."""
    return await rendered(list((await dossiers.several(auth.user(), account_ids)).values()))


async def rendered(found: Sequence[Dossier]) -> dict[int, bytes]:
    """Accounts as JSON by id, in one statement."""
    shown = await rendering.accounts([one.id for one in found])
    return {
        one.id: entities.dump(_facts(one))[:-1] + b',"account":' + shown[one.id] + b"}"
        for one in found
        if one.id in shown
    }


def _facts(found: Dossier) -> entities.Json:
    return {
        "id": str(found.id),
        "username": found.username,
        "domain": found.domain or None,
        "created_at": moments.iso(found.created_at),
        "suspended": found.suspended,
        "silenced": found.silenced,
        "sensitized": found.sensitized,
        **(_login(found.login) if found.login else _ELSEWHERE),
    }


def _login(found: Login) -> entities.Json:
    return {
        "email": found.email,
        "ip": found.addresses[0][0] if found.addresses else None,
        "ips": [{"ip": address, "used_at": moments.iso(at)} for address, at in found.addresses],
        "role": entities.role(found.role),
        "confirmed": found.confirmed,
        "approved": found.approved,
        "disabled": found.disabled,
        "locale": found.locale,
        "invite_request": found.reason or None,
        "invited_by_account_id": str(found.invited_by_id) if found.invited_by_id else None,
        "created_by_application_id": None,
    }


_ELSEWHERE: entities.Json = {
    **dict.fromkeys(("email", "ip", "role", "confirmed", "approved", "disabled", "locale", "invite_request")),
    "ips": [],
    "invited_by_account_id": None,
    "created_by_application_id": None,
}
