"""The mail that tells of mentions, made from what is true at the moment of sending."""

from collections.abc import Sequence

import structlog

from fediblog import db, ids, moments, text, uris
from fediblog.models import User, Visibility
from fediblog.services import hearing, visibility
from fediblog.services.mailing import consent, rows
from fediblog.services.mailing.letters import Letter, short
from fediblog.services.mailing.rows import Mail

log = structlog.get_logger()

KIND = "mention"

# SECURITY §9 R14 and the end of all patience with a mail server that is down.
_PATIENCE = 3 * moments.DAY
_MOST_SHOWN = 20
_LONGEST_EXCERPT = 300


async def compose(mail: Mail) -> Letter | None:
    """The letter, or None when nothing is left that this user may see and wants to hear of."""
    user = await User.get_or_none(id=mail.user_id) if mail.user_id else None
    if user is None or not user.active or KIND not in await consent.wanted(user):
        return None
    told = await rows.items(mail.id)
    news = await _news(user, told)
    if not news:
        return None
    shown = news[:_MOST_SHOWN]
    values = {
        "mentions": [_shown(line) for line in shown],
        "more": len(news) - len(shown),
        "names": sorted({f"@{line['reader']}" for line in news}),
        "notifications": uris.absolute("/notifications"),
        "settings": uris.absolute("/settings/mail"),
    }
    link = consent.unsubscribe_link(user.id, KIND)
    return Letter(user.email, _subject(news), "mention", values, link, told)


async def _news(user: User, notifications: list[int]) -> Sequence[db.Row]:
    oldest = ids.floor(moments.now() - _PATIENCE)
    late = [number for number in notifications if number < oldest]
    if late:
        log.warning("mentions not mailed, the mail server was away for too long", mentions=len(late))
    fresh = [number for number in notifications if number >= oldest]
    return await db.rows(_news_sql(), db.array(fresh), user.id)


def _news_sql() -> str:
    """Mentions that still stand: the rule of notifications, asked again, since much may have changed."""
    return f"""
SELECT reader.username AS reader, p.id AS post_id, p.visibility, p.summary, p.content,
  a.username, a.domain, a.display_name
FROM {db.unnest("$1")}
JOIN notification n ON n.id = given.id AND n.kind = 'mention' AND NOT n.filtered
JOIN membership own ON own.account_id = n.account_id AND own.user_id = $2
JOIN account reader ON reader.id = n.account_id AND reader.suspended_at IS NULL AND reader.deleted_at IS NULL
JOIN post p ON p.id = n.post_id
JOIN account a ON a.id = p.author_id
WHERE {visibility.clause("n.account_id")}
  AND {hearing.clause("n.account_id", "a.id")}
  AND NOT EXISTS (SELECT 1 FROM thread_mute x WHERE x.account_id = n.account_id AND x.thread_id = p.thread_id)
ORDER BY n.id
"""


def _shown(line: db.Row) -> dict[str, str | bool]:
    """One mention as the templates show it. Text goes by mail only where all may read it (SECURITY §6)."""
    private = line["visibility"] > Visibility.UNLISTED
    return {
        "name": _name(line),
        "handle": f"@{line['username']}" + (f"@{line['domain']}" if line["domain"] else ""),
        "profile": uris.absolute(uris.profile_path(line["username"], line["domain"])),
        "page": uris.absolute(uris.post_path(line["username"], line["post_id"], line["domain"])),
        "reader": f"@{line['reader']}",
        "circle": _CIRCLES.get(line["visibility"], ""),
        "summary": "" if private else short(line["summary"], _LONGEST_EXCERPT),
        # Who warns of a text wants it to be opened knowingly, in a mail as on a page.
        "excerpt": "" if private or line["summary"] else text.excerpt(line["content"], _LONGEST_EXCERPT),
    }


_CIRCLES = {
    Visibility.FOLLOWERS: "in a post for followers only",
    Visibility.DIRECT: "in a post that only those it mentions can see",
}


def _subject(news: Sequence[db.Row]) -> str:
    first = _name(news[0])
    others = len({(line["username"], line["domain"]) for line in news}) - 1
    if others:
        return f"{first} and {others} {'other' if others == 1 else 'others'} mentioned you"
    times = f" {len(news)} times" if len(news) > 1 else ""
    return f"{first} mentioned you{times}"


def _name(line: db.Row) -> str:
    return short(line["display_name"]) or str(line["username"])
