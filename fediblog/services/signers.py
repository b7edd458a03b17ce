"""Who elsewhere may have signed a request: found by key, and whether we know somebody at all."""

from collections.abc import Collection
from dataclasses import dataclass

from fediblog import db
from fediblog.models import Account


@dataclass(frozen=True, slots=True)
class Holder:
    """An account elsewhere that has said which key is its own."""

    id: int
    uri: str
    public_key: str
    suspended: bool


async def find(key_id: str) -> Holder | None:
    """Whose key this is, as far as we know. Of several who claim it, the one whose address it begins with."""
    found = await db.rows(
        "SELECT id, uri, public_key, suspended_at FROM account"
        " WHERE NOT local AND key_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT 10",
        key_id,
    )
    if not found:
        return None
    row = min(found, key=lambda each: (not key_id.startswith(each["uri"]), each["id"]))
    return Holder(row["id"], row["uri"], row["public_key"], row["suspended_at"] is not None)


async def known(uri: str) -> bool:
    """Whether there is an account with this address that has not been deleted."""
    return await db.value("SELECT 1 FROM account WHERE uri = $1 AND deleted_at IS NULL", uri) is not None


async def accounts(uris: Collection[str]) -> dict[str, Account]:
    """Those of these accounts that we know, by their address."""
    found = await Account.filter(uri__in=list(uris), deleted_at=None)
    return {account.uri: account for account in found}
