"""One page of something that is ordered by id: what was asked for, and the links to its neighbours.

`max_id` is strictly older, `since_id` strictly newer and the newest page, `min_id` strictly newer and the
page right next to it. All three answer newest first (CLIENT-API §3.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

BIGGEST = (1 << 63) - 1
_CURSORS = ("max_id", "since_id", "min_id", "limit")
_STEPS = (20, 40, 80, 200)


@dataclass(frozen=True, slots=True)
class Page:
    """A cursor. The bounds are exclusive; `limit` is a number of items."""

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    @property
    def before(self) -> int:
        """The exclusive upper bound, also when none was asked for."""
        return BIGGEST if self.max_id is None else self.max_id

    @property
    def after(self) -> int:
        """The exclusive lower bound, also when none was asked for."""
        return max(self.min_id or 0, self.since_id or 0)

    @property
    def upward(self) -> bool:
        """True when the page wanted is the one right above `min_id`, so the query runs oldest first."""
        return self.min_id is not None

    @property
    def rows(self) -> int:
        """How many rows to ask for: a number to be written into the statement. Cut to `limit` what comes.

        When the limit is a parameter, PostgreSQL's one plan for all (TIMELINES §2.3) is made for a tenth of
        all rows, and of twenty look-ups it makes hash joins and a sort over everything. There are a few steps
        only, so that there are few statements.
        """
        return next((step for step in _STEPS if step >= self.limit), self.limit)

    @property
    def order(self) -> str:
        """The SQL direction that makes LIMIT keep the right end. Turn an upward page round after reading."""
        return "ASC" if self.upward else "DESC"


def parse(args: Mapping[str, str], default: int = 20, most: int = 40) -> Page:
    """A Page from query parameters. Garbage counts as not given; a limit over `most` is cut to it."""
    limit = _number(args.get("limit")) or default
    return Page(
        limit=min(limit, most),
        max_id=_number(args.get("max_id")),
        since_id=_number(args.get("since_id")),
        min_id=_number(args.get("min_id")),
    )


def links(url: str, args: Iterable[tuple[str, str]], page: Page, cursors: list[int]) -> str:
    """The value of a Link header, `next` first; empty for an empty page.

    `cursors` are the ids (of posts, or of relation rows) of the page shown, newest first; `args` are the
    caller's own parameters, which all links keep.
    """
    if not cursors:
        return ""
    kept = tuple((name, value) for name, value in args if name not in _CURSORS)
    start = f"{url}?{_query(kept, page.limit)}"
    return f'<{start}&max_id={cursors[-1]}>; rel="next", <{start}&min_id={cursors[0]}>; rel="prev"'


@lru_cache(256)
def _query(kept: tuple[tuple[str, str], ...], limit: int) -> str:
    return urlencode([*kept, ("limit", str(limit))])


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), BIGGEST) or None
