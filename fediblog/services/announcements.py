"""What the staff tells everybody here, and who has put it away."""

from dataclasses import dataclass

from fediblog import db, moments, text, uris
from fediblog.errors import NotFound
from fediblog.models import Account


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement as one account sees it. `text` is what was typed."""

    id: int
    text: str
    starts_at: int | None
    ends_at: int | None
    all_day: bool
    published_at: int
    updated_at: int
    read: bool

    @property
    def html(self) -> str:
        """The text, safe to show."""
        return text.render_note(self.text, {}, uris.tag_page)

    @property
    def hashtags(self) -> tuple[str, ...]:
        """The hashtags in it."""
        return text.scan(self.text).hashtags


async def listing(reader: Account) -> list[Announcement]:
    """Those that are published and not over, the oldest first, also those that the reader has put away."""
    found = await db.rows(_LISTING, reader.id, moments.now())
    return [
        Announcement(**{**line, "all_day": bool(line["all_day"]), "read": bool(line["read"])})
        for line in found
    ]


async def dismiss(reader: Account, announcement_id: int) -> None:
    """Put one away; twice is the same as once. Raises NotFound for what the reader is not shown."""
    async with db.transaction():
        if await db.value(_THERE, announcement_id, moments.now()) is None:
            raise NotFound
        await db.execute(_DISMISS, reader.id, announcement_id)


_SHOWN = "n.published_at <= $2 AND (n.ends_at IS NULL OR n.ends_at > $2)"
_LISTING = f"""
SELECT n.id, n.text, n.starts_at, n.ends_at, n.all_day, n.published_at, n.updated_at,
  EXISTS (SELECT 1 FROM announcement_read r WHERE r.account_id = $1 AND r.announcement_id = n.id) AS read
FROM announcement n WHERE {_SHOWN} ORDER BY n.published_at, n.id
"""
_THERE = f"SELECT n.id FROM announcement n WHERE n.id = $1 AND {_SHOWN}"
_DISMISS = """
INSERT INTO announcement_read (account_id, announcement_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
