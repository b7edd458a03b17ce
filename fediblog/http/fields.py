"""Fields of an answer that decide something: Content-Type and Retry-After (RFC 9110)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from fediblog import moments

_MOST_WAIT = moments.DAY // moments.SECOND

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"[ \t]*({_WORD}/{_WORD})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*(?:({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?[ \t]*')


@dataclass(frozen=True)
class MediaType:
    """A media type taken apart: `essence` is `type/subtype`; names in lower case, values as they came."""

    essence: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def fits(self, wanted: "MediaType") -> bool:
        """Whether this is what was asked for, which may be a range: `image/*`, `*/*`.

        A parameter that is asked for must be there. A profile is a list of URIs, and the one asked for must
        be in it (RFC 6906 §3.1). Other parameters, such as a charset, decide nothing.
        """
        return _in_range(self.essence, wanted.essence) and all(
            set(value.split()) <= set(self.parameters.get(name, "").split())
            for name, value in wanted.parameters.items()
        )


def media_type(text: str) -> MediaType | None:
    """The media type in a Content-Type (RFC 9110 §8.3.1); None when it is not exactly one."""
    head = _TYPE.match(text)
    if not head:
        return None
    at, parameters = head.end(), dict[str, str]()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if not found:
            return None
        name, token, quoted = found.groups()
        if name and name.lower() in parameters:
            return None
        if name:
            parameters[name.lower()] = token or re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()
    return MediaType(head[1].lower(), parameters)


def fits_one(actual: MediaType, wanted: Iterable[str]) -> bool:
    """Whether a type is one of those in a list such as goes into Accept."""
    return any(kind is not None and actual.fits(kind) for kind in map(media_type, wanted))


def retry_after(value: str | None) -> int | None:
    """Seconds to wait by a Retry-After (RFC 9110 §10.2.3), a day at most; None when it says nothing."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # Ten digits are more than a day: no need to make a number of a thousand.
        return min(int(value[:10]), _MOST_WAIT)
    try:
        date = parsedate_to_datetime(value)
        # A date with -0000 comes without a zone: it is UTC all the same (RFC 5322 §3.3).
        timestamp = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0, min(round(timestamp - moments.now() / moments.SECOND), _MOST_WAIT))


def _in_range(essence: str, wanted: str) -> bool:
    kind, _, subtype = wanted.partition("/")
    return wanted in ("*/*", essence) or (subtype == "*" and essence.startswith(f"{kind}/"))
