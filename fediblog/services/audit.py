"""The audit log: who of the staff did what to whom. Rows are written in the transaction of the act itself."""

from typing import Any

from fediblog import db, ids, moments
from fediblog.models import User


async def record(by: User | None, action: str, target: str, **detail: Any) -> None:
    """Note an act. `by` is None for the command line and for the server itself. No secrets in `detail`."""
    await db.execute(
        "INSERT INTO audit_entry (id, user_id, action, target, detail, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        *(ids.new(), by.id if by else None, action, target, db.json(detail), moments.now()),
    )
