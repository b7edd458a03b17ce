"""Words to search by: the same for what is written and for what is asked, on both databases.

A letter is the same large or small, wide or narrow, with or without an accent. Where words stand without
blanks between them (Chinese, Japanese, Thai …), and in Korean, whose words grow endings, each pair of
neighbours is a word of its own. (Why: docs/decisions/0011-words-are-made-by-us.md.)
"""

import unicodedata
from itertools import groupby
from typing import NamedTuple

# Whatever somebody writes, it is stored and looked at in parts of this size.
_LONGEST = 64
_MOST = 10_000
_MOST_BYTES = 200_000
# Accents of Latin, Greek and Cyrillic; the marks of other scripts are vowels.
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_UNPARTED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # Japanese
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Chinese
    (0xAC00, 0xD7A3),  # Korean
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_BETWEEN, _WORD, _RUN = 0, 1, 2


class Phrase(NamedTuple):
    """Terms that stand next to each other; `begins`: the last one may go on."""

    terms: tuple[str, ...]
    begins: bool = False


def terms(text: str) -> list[str]:
    """The terms of a text that is stored, in their order."""
    found: list[str] = []
    size = 0
    for kind, part in _parts(text):
        for term in [part] if kind == _WORD else [*_pairs(part), part[-1]]:
            size += len(term.encode())
            if size > _MOST_BYTES or len(found) >= _MOST:
                return found
            found.append(term)
    return found


def phrases(text: str, whole: bool = False) -> list[Phrase]:
    """What a text has to have in it when this is asked for. `whole` words begin no longer ones."""
    found: list[Phrase] = []
    for kind, parts in groupby(_parts(text), key=lambda each: each[0]):
        if kind == _WORD:
            words = tuple(part for _, part in parts)
            # So short a beginning is one of half of all words.
            found.append(Phrase(words, not whole and len(words[-1]) > 2))
        else:
            found += [Phrase(tuple(_pairs(run)) or (run,), len(run) == 1) for _, run in parts]
    return found


def _parts(text: str) -> list[tuple[int, str]]:
    parted = groupby(_folded(text), key=_kinds.__getitem__)
    return [
        (kind, "".join(letters)[: _LONGEST if kind == _WORD else None]) for kind, letters in parted if kind
    ]


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", text.translate(_ACCENTS))


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


class _Kinds(dict[str, int]):
    """What each character is; whatever has been seen once is known."""

    def __missing__(self, letter: str) -> int:
        kind = self[letter] = _kind(letter)
        return kind


def _kind(letter: str) -> int:
    if unicodedata.category(letter)[0] not in "LMN":
        return _BETWEEN
    return _RUN if any(first <= ord(letter) <= last for first, last in _UNPARTED) else _WORD


_kinds = _Kinds()
