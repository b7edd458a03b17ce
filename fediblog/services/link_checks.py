"""Links in a profile: a page that links back with `rel="me"` belongs to the same person.

Who changes their fields has them checked once, by a worker. A mark stays as long as the field does.
"""

from typing import Any

from fediblog import db, http, moments, uris
from fediblog.models import Account
from fediblog.services import locks
from fediblog.text.markup import Start, tokens

_PAGES = ("text/html", "application/xhtml+xml")


def wanted(fields: list[dict[str, Any]]) -> list[str]:
    """The addresses that have no mark yet. Only what is an address and nothing else is one's own page."""
    return [
        field["source"]
        for field in fields
        if field["source"].startswith("https://") and not field.get("verified_at")
    ]


async def check(account_id: int) -> None:
    """Look at the pages that an account of ours names, and mark those that name it."""
    account = await Account.get_or_none(id=account_id, local=True, deleted_at=None, suspended_at=None)
    if account is None:
        return
    ours = {account.url, account.uri, uris.profile_page(account.username)}
    found = {address for address in wanted(account.fields_) if await _names(address, ours)}
    if found:
        await _mark(account_id, found)


async def _names(address: str, ours: set[str]) -> bool:
    try:
        page = await http.fetch(address, accept=_PAGES)
    except http.Outside:
        return False
    return any(
        isinstance(token, Start) and token.name in ("a", "link") and _is_of(token.attributes, ours)
        for token in tokens(page.body.decode("utf-8", "replace"))
    )


def _is_of(attributes: dict[str, str], ours: set[str]) -> bool:
    rel = attributes.get("rel", "").lower().split()
    return "me" in rel and attributes.get("href", "").strip().rstrip("/") in ours


async def _mark(account_id: int, addresses: set[str]) -> None:
    """What has been changed meanwhile is not marked: it has a check of its own."""
    async with db.transaction():
        await locks.accounts([account_id])
        account = await Account.get(id=account_id)
        fields = [
            {**field, "verified_at": field.get("verified_at") or moments.now()}
            if field["source"] in addresses
            else field
            for field in account.fields_
        ]
        await db.execute(_KEEP, account_id, db.json(fields))


_KEEP = "UPDATE account SET fields = $2, version = version + 1 WHERE id = $1"
