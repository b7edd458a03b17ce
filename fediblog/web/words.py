"""Numbers, moments and names as a reader likes them. Pure functions, used by the templates as filters."""

from email.utils import format_datetime

from fediblog import moments
from fediblog.services.views import MediaView

_MONTHS = "January February March April May June July August September October November December".split()
# (from this age on, the unit's length, its letter, its name)
_AGES = (
    (moments.DAY, moments.DAY, "d", "day"),
    (moments.HOUR, moments.HOUR, "h", "hour"),
    (moments.MINUTE, moments.MINUTE, "m", "minute"),
)
_HUES = 8


def ago(moment: int, now: int) -> str:
    """`now`, `4m`, `3h`, `2d`, then `22 Nov`, then `22 Nov 2025`."""
    age = now - moment
    if age < moments.MINUTE:
        return "now"
    if age < 7 * moments.DAY:
        return next(f"{age // unit}{letter}" for start, unit, letter, _ in _AGES if age >= start)
    then = moments.when(moment)
    day = f"{then.day} {_MONTHS[then.month - 1][:3]}"
    return day if then.year == moments.when(now).year else f"{day} {then.year}"


def exact(moment: int) -> str:
    """`22 November 2026, 20:00 UTC`."""
    then = moments.when(moment)
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}, {then:%H:%M} UTC"


def date(moment: int) -> str:
    """`22 November 2026`."""
    then = moments.when(moment)
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}"


def rfc822(moment: int) -> str:
    """`Sun, 22 Nov 2026 20:00:00 +0000`, as RSS wants it."""
    return format_datetime(moments.when(moment))


def span(milliseconds: int) -> str:
    """`5 hours`: a length of time in its largest unit, rounded up to a minute at least."""
    for start, unit, _, name in _AGES:
        if milliseconds >= start:
            return plural(milliseconds // unit, name)
    return "a minute"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 vote`, `2 votes`, `1,204 votes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short(number: int) -> str:
    """A count beside an icon: empty for none, exact to 9,999, then `12.3k`."""
    if number <= 0:
        return ""
    if number < 10_000:
        return f"{number:,}"
    thousands, letter = (number / 1_000, "k") if number < 1_000_000 else (number / 1_000_000, "M")
    return f"{thousands:.1f}".removesuffix(".0") + letter


def initial(name: str) -> str:
    """The letter on the tile of somebody without a picture."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")[:1]


def hue(number: int) -> int:
    """Which of the tile colours an account has, for good."""
    # The low bits of an id are random and the others are its time.
    return number % _HUES


def focus(file: MediaView) -> str:
    """The classes that keep the focal point in view: five steps each way, none for the middle."""
    if file.focus_x is None or file.focus_y is None:
        return ""
    steps = {"x": round((file.focus_x + 1) * 2), "y": round((1 - file.focus_y) * 2)}
    return "".join(f" {axis}{step}" for axis, step in steps.items() if step != 2)
