"""User names: how they may look, which nobody gets, and which look too much like one that exists.

Letters, digits and underscores only: other servers accept nothing else, and the look-alikes of other scripts
(Cyrillic a in `аlice`) are refused with them. What remains are the twins within ASCII.
"""

import re
import string
import unicodedata
from functools import lru_cache
from importlib.resources import files

from confusable_homoglyphs import confusables

from fediblog import db
from fediblog.config import settings

LONGEST = 30
TAKEN = "This name is taken. Please choose another one."
ALIKE = "This name looks too much like another one here. Please choose a different one."
RESERVED = "This name is reserved. Please choose another one."

# Normalising many marks on one letter takes quadratic time, and nobody here or elsewhere has such a name.
_LONGEST_READ = 500

_NAME = re.compile(rf"[a-zA-Z0-9_]{{1,{LONGEST}}}")

# `adm1n` and `r00t` are meant to be read as words: a digit stands for the letter it is taken for.
_READ_AS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "l": "i", "_": None})


def key(username: str) -> str:
    """What is unique about a name."""
    return _composed(username).casefold()


def tidy(username: str) -> str:
    """The name that was meant: wide letters are letters, and some people write the @ too."""
    return _composed(username.strip()).strip().removeprefix("@")


def fault(username: str, staff: bool = False) -> str | None:
    """Why nobody can have this name, or None. `staff` may take the reserved ones."""
    if not _NAME.fullmatch(username):
        return f"A name has 1 to {LONGEST} letters (a-z), digits and underscores."
    if not staff and _read(username) in _reserved():
        return RESERVED
    return None


async def taken(username: str, staff: bool = False) -> str | None:
    """Why this name is no longer free, or None. Names of deleted accounts stay taken.

    `staff` may take a name that only looks like another one.
    """
    sql = "SELECT 1 FROM account WHERE username_key = $1 AND domain = ''"
    if await db.value(sql, key(username)):
        return TAKEN
    if not staff and await db.value(_LOOKS_LIKE, _looks(username)):
        return ALIKE
    return None


def _composed(username: str) -> str:
    return unicodedata.normalize("NFKC", username[:_LONGEST_READ])


def _read(username: str) -> str:
    return key(username).translate(_READ_AS)


def _reserved() -> frozenset[str]:
    host = re.sub(r"[^a-z0-9]", "", settings().domain.split(":")[0])
    return _words() | {_read(host)}


@lru_cache(1)
def _words() -> frozenset[str]:
    """Names that would look like the server itself, its staff or one of its addresses."""
    text = (files("fediblog.services") / "reserved_names.txt").read_text(encoding="utf-8")
    return frozenset(_read(name) for name in text.split())


def _twins() -> list[tuple[str, str]]:
    """Which of our letters look like which other, by Unicode's UTS 39: l, 1 and I; O and 0; rn and m."""
    letters = string.ascii_letters + string.digits
    found: dict[str, str] = {}
    for letter in letters:
        entries = confusables.is_confusable(letter, greedy=True) or []
        for twin in (glyph["c"] for entry in entries for glyph in entry["homoglyphs"]):
            if all(part in letters for part in twin) and twin not in found and letter not in found:
                found[twin] = letter
    return sorted(found.items())


_TWINS = _twins()


def _looks(username: str) -> str:
    """A name as a hasty eye sees it. Two names with the same look are one too many."""
    for twin, letter in _TWINS:
        username = username.replace(twin, letter)
    return username.lower()


def _looks_sql() -> str:
    sql = "username"
    for twin, letter in _TWINS:
        sql = f"replace({sql}, '{twin}', '{letter}')"
    return f"lower({sql})"


# Reads all local names; that is some milliseconds for ten thousand, once per sign-up.
_LOOKS_LIKE = f"SELECT 1 FROM account WHERE domain = '' AND {_looks_sql()} = $1"
