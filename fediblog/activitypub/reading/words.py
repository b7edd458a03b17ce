"""Plain texts, numbers and yes or no as others write them: tidy and within their budget (SECURITY §4, §5)."""

from typing import Any

from fediblog import text

MOST_NAME = 500
MOST_SUMMARY = 2_000
MOST_DESCRIPTION = 10_000

# No sum of such numbers leaves 64 bits, and JavaScript can count as far.
_MOST = 2**53
# Some mark an empty warning with blanks that nobody sees.
_INVISIBLE = "\u200b\u200c\u200d\u2060\u3164\u00ad"


def line(value: Any, most: int) -> str:
    """One line of plain text. Names and warnings may come as HTML: the tags go, references become letters."""
    if not isinstance(value, str):
        return ""
    written = value[: 20 * most]
    bare = text.plain(written) if "<" in written or "&" in written else written
    return text.tidy(" ".join(filter(None, bare.split("\n")))).strip(_INVISIBLE)[:most].strip()


def verbatim(value: Any, most: int) -> str:
    """One line that stands for itself, with whatever is in it: the choice in a poll, which must match."""
    return text.tidy(value[:most]) if isinstance(value, str) else ""


def block(value: Any, most: int) -> str:
    """Plain text of several lines: what a picture shows."""
    return text.tidy_block(value[:most]) if isinstance(value, str) else ""


def number(value: Any) -> int:
    """How many; what is no number, or less than none, is 0."""
    return max(0, min(value, _MOST)) if isinstance(value, int) and not isinstance(value, bool) else 0


def yes(value: Any) -> bool:
    """Only a plain yes is one."""
    return value is True
