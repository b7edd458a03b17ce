"""The texts and numbers with a form of their own. Entities and routes are annotated with these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal


@dataclass(frozen=True, slots=True)
class Kind:
    """A form, as it is called on the page and in JSON Schema."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)


def _text(name: str, **schema: Any) -> Kind:
    return Kind(name, schema)


def between(least: int, most: int, usual: int | None = None) -> Kind:
    """A whole number from here to there; what is not given is `usual`."""
    usually = {} if usual is None else {"default": usual}
    return Kind(f"number, {least}–{most}", {"minimum": least, "maximum": most, **usually})


def at_most(characters: int) -> Kind:
    """A text that is not longer."""
    return Kind(f"text, at most {characters}", {"maxLength": characters})


Id = Annotated[str, _text("id", pattern="^[0-9]+$")]
Moment = Annotated[
    str, _text("time", format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
]
Day = Annotated[str, _text("day", format="date", pattern=r"^\d{4}-\d\d-\d\d$")]
Address = Annotated[str, _text("address", format="uri", pattern="^[a-z][a-z0-9+.-]*:")]
Html = Annotated[str, _text("HTML")]
Digits = Annotated[str, _text("digits", pattern="^[0-9]+$")]
Seconds = Annotated[int, Kind("seconds")]
Count = Annotated[int, Kind("count", {"minimum": 0})]
File = Annotated[bytes, Kind("file")]
When = Annotated[str, _text("time", format="date-time")]  # As it is sent: any spelling of ISO 8601.

Visibility = Literal["public", "unlisted", "private", "direct"]
QuotePolicy = Literal["public", "followers", "nobody"]
