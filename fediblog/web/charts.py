"""Bar charts as plain figures; a template draws them as SVG. No script, no inline style."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from fediblog import moments
from fediblog.web import words

WIDTH, HEIGHT = 360, 120
_LEFT, _BOTTOM, _TOP = 34, 18, 8
_GAP = 0.22  # Of the width that a bar has to itself.
_STEPS = (1, 2, 5)


class Bar(NamedTuple):
    """A day: where it stands, and what it says."""

    x: float
    y: float
    width: float
    height: float
    says: str


class Mark(NamedTuple):
    """A label at an axis."""

    at: float
    words: str


class Chart(NamedTuple):
    """Everything that is drawn."""

    title: str
    figure: str
    bars: list[Bar]
    levels: list[Mark]
    dates: list[Mark]
    summary: str


def bars(title: str, series: Sequence[tuple[int, int]], summed: bool = True) -> Chart:
    """A chart of (number of the day, value), oldest first. Not all values make sense as a sum."""
    most = max((value for _, value in series), default=0)
    step = _step(most)
    top = max(step * math.ceil(most / step), step)
    slot = (WIDTH - _LEFT) / max(len(series), 1)
    return Chart(
        title=title,
        figure=f"{sum(value for _, value in series):,}" if summed else f"up to {most:,}",
        bars=[_bar(place, day, value, top, slot) for place, (day, value) in enumerate(series) if value],
        levels=[Mark(_y(level, top), words.short(level) or "0") for level in range(0, top + 1, step)],
        dates=_dates(series, slot),
        summary=_summary(title, series, summed),
    )


def _step(most: int) -> int:
    """1, 2 or 5 times a power of ten, so that two to four lines stand above the base."""
    size = 1
    while True:
        for factor in _STEPS:
            if factor * size * 4 >= most:
                return factor * size
        size *= 10


def _bar(place: int, day: int, value: int, top: int, slot: float) -> Bar:
    y = _y(value, top)
    return Bar(
        x=round(_LEFT + slot * (place + _GAP / 2), 2),
        y=round(y, 2),
        width=round(slot * (1 - _GAP), 2),
        height=round(_y(0, top) - y, 2),
        says=f"{words.date(moments.day_start(day))}: {value:,}",
    )


def _y(value: float, top: int) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / top, 2)


def _dates(series: Sequence[tuple[int, int]], slot: float) -> list[Mark]:
    """The first day, the one in the middle and the last."""
    places = sorted({0, len(series) // 2, len(series) - 1}) if series else []
    return [
        Mark(round(_LEFT + slot * (place + 0.5), 2), _short_date(series[place][0]))
        for place in places
        if place >= 0
    ]


def _short_date(day: int) -> str:
    then = moments.when(moments.day_start(day))
    return f"{then.day} {then:%b}"


def _summary(title: str, series: Sequence[tuple[int, int]], summed: bool) -> str:
    day, most = max(series, key=lambda point: point[1], default=(0, 0))
    if not most:
        return f"{title}: none on any of these days."
    total = f" {sum(value for _, value in series):,} in all," if summed else ""
    when = words.date(moments.day_start(day))
    return f"{title} on {len(series)} days:{total} most on {when} with {most:,}."
