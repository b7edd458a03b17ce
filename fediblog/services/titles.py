"""Titles that people give to what is theirs: lists, filters."""

from fediblog import text
from fediblog.errors import Invalid

LONGEST = 256


def checked(typed: str, what: str) -> str:
    """A title as it is stored. Raises Invalid, in which `what` is the thing that needs one."""
    title = text.tidy(typed)
    if not title:
        raise Invalid(f"A {what} needs a title.", "title")
    if len(title) > LONGEST:
        raise Invalid(f"A title can have at most {LONGEST} characters.", "title")
    return title
