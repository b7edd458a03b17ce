"""The form in which text is stored: composed, without characters that nobody meant to type."""

import re
import unicodedata
from collections.abc import Iterable


def _ranges(characters: Iterable[str]) -> str:
    """The inside of a `[...]` for these characters; as ranges, since `re` is slow with thousands."""
    runs: list[list[str]] = []
    for character in characters:
        if runs and ord(character) == ord(runs[-1][1]) + 1:
            runs[-1][1] = character
        else:
            runs.append([character, character])
    return "".join(f"{first}-{last}" for first, last in runs)


# Accents, vowel signs and the like: part of the letter before them, which `\w` does not know. Enclosing marks
# and the selectors of emoji are left out; the planes above hold only pictures and ideographs.
MARKS = _ranges(
    chr(code)
    for code in (*range(0x300, 0xFE00), *range(0xFE20, 0x1F000))
    if unicodedata.category(chr(code)) in {"Mn", "Mc"}
)

# Controls but tab and line breaks, overrides of the writing direction, halves of a surrogate pair (no
# database and no UTF-8 takes them) and the byte order mark.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MANY_BLANK_LINES = re.compile(r"\n{4,}")

# 30 is the bound of the Stream-Safe Text Format (UAX #15). Without one, normalising 20,000 marks on one
# letter takes seconds, since they are sorted one by one.
_HEAP_OF_MARKS = re.compile(f"([{MARKS}]{{30}})[{MARKS}]+")


def tidy(value: str) -> str:
    """A field of one line: a name, a content warning, a poll option, a description."""
    return _composed(scrubbed(value).replace("\n", " ").replace("\t", " ")).strip()


def tidy_block(value: str) -> str:
    """A field of many lines: no blanks at their ends, at most two empty lines in a row."""
    lines = [line.rstrip() for line in _composed(scrubbed(value)).split("\n")]
    return _MANY_BLANK_LINES.sub("\n\n\n", "\n".join(lines).strip())


def tag_key(name: str) -> str:
    """What two spellings of one hashtag have in common (Unicode §3.13, compatibility caseless match)."""
    folded = unicodedata.normalize("NFKC", _composed(name)).casefold()
    return unicodedata.normalize("NFKC", folded).casefold()


def scrubbed(value: str) -> str:
    """The same text with `\\n` as the only line break and without the characters above."""
    return _LINE_BREAK.sub("\n", _UNWANTED.sub("", value))


def _composed(value: str) -> str:
    """NFC. Marks are counted before, for the time it takes, and after, since it takes some letters apart."""
    if value.isascii():
        return value
    few = _HEAP_OF_MARKS.sub(r"\1", value)
    return _HEAP_OF_MARKS.sub(r"\1", unicodedata.normalize("NFC", few))
