"""What `fediblog doctor` says about one thing that it has looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do about it."""

    what: str
    grade: Grade
    words: str
    fix: str = ""
