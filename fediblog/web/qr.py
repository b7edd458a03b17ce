"""Texts as pictures for cameras. A template draws them as SVG: no file, no script, no inline style."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import segno

_BORDER = 4  # Modules that have to stay white around it (ISO/IEC 18004).


class Picture(NamedTuple):
    """A square of so many modules, and the dark ones among them as the path of an SVG."""

    size: int
    path: str


def drawn(text: str) -> Picture:
    """The picture of a text."""
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix]
    return Picture(len(rows) + 2 * _BORDER, "".join(_bars(rows)))


def _bars(rows: list[list[int]]) -> Iterator[str]:
    for y, row in enumerate(rows, _BORDER):
        x = _BORDER
        for dark, run in groupby(row):
            width = len(list(run))
            if dark:
                yield f"M{x} {y}h{width}v1h-{width}z"
            x += width
