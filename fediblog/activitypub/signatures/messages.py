"""A request as signatures see it, and what its signature claims. No cryptography here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """How a request is signed. A host is remembered with the one that it understands (FEDERATION §7.3)."""

    CAVAGE = "cavage"
    # A few verifiers leave the query out of the request target (FEDERATION §7.1).
    CAVAGE_WITHOUT_QUERY = "cavage-without-query"
    RFC9421 = "rfc9421"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says about itself. Nothing in it is believed before `verify`. Times are in seconds."""

    scheme: Scheme
    key_id: str
    covered: tuple[str, ...]
    signature: bytes
    algorithm: str | None = None
    created: int | None = None
    expires: int | None = None
    # RFC 9421 signs its own parameters, letter by letter as they were sent.
    parameters: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What can be signed of a request.

    `target` is path and query as in the request line, `origin` the public one that the target is under: for
    what comes in it is ours by the configuration, never by a header. Names of headers are in lower case.
    """

    method: str
    target: str
    origin: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one."""
        return self.origin.partition("://")[2]

    @property
    def has_body(self) -> bool:
        """Whether a digest must vouch for something."""
        return carries_body(self.method, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Request):
    """A request that came in with a signature."""

    claim: Claim


def carries_body(method: str, body: bytes | None) -> bool:
    """Whether a digest must vouch for a body. One that is empty says something too, where one is expected."""
    return bool(body) or method.upper() not in ("GET", "HEAD")


def gathered(pairs: Iterable[tuple[str | bytes, str | bytes]]) -> dict[str, str]:
    """Headers by their name in lower case; repeated ones are joined (RFC 9110 §5.3, draft-cavage §2.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = _text(raw_name).lower(), _text(raw_value).strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(raw: str | bytes) -> str:
    return raw if isinstance(raw, str) else raw.decode("latin-1")
