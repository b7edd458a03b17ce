"""What a view says about the forms that it takes. Without a mark: from members only, and without files."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fediblog import reserve

View = TypeVar("View", bound=Callable[..., Awaitable[Any]])

_VISITORS = "for_visitors"
_FILES = "takes_files"
_NO_FORM = "needs_no_form"


def for_visitors(view: View) -> View:
    """The form is for those who are not signed in, too."""
    return _mark(view, _VISITORS)


def takes_files(view: View) -> View:
    """Files may come with the form."""
    return _mark(view, _FILES)


def needs_no_form(view: View) -> View:
    """Nothing is read from the body, and something else than a form shows who may do this."""
    return _mark(view, _NO_FORM)


def even_when_full(view: View) -> View:
    """It writes little, and nobody should have to wait for it until there is room on the disk again."""
    return _mark(view, reserve.MARK)


def is_for_visitors(view: object) -> bool:
    """Whether `for_visitors` was said."""
    return hasattr(view, _VISITORS)


def is_taking_files(view: object) -> bool:
    """Whether `takes_files` was said."""
    return hasattr(view, _FILES)


def is_formless(view: object) -> bool:
    """Whether `needs_no_form` was said."""
    return hasattr(view, _NO_FORM)


def _mark(view: View, name: str) -> View:
    setattr(view, name, True)
    return view
