"""The digest of a body: `Digest` as the fediverse has it (RFC 3230) and `Content-Digest` (RFC 9530).

SHA-256 and SHA-512 count. Others prove nothing and are passed over; of those that count all must be right.
"""

import hashlib
import hmac
from base64 import b64encode

from fediblog.activitypub.signatures.refusals import Reason, Refused

_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def digest(body: bytes) -> str:
    """The value of `Digest`."""
    return f"SHA-256={_encoded('sha-256', body)}"


def content_digest(body: bytes) -> str:
    """The value of `Content-Digest`."""
    return f"sha-256=:{_encoded('sha-256', body)}:"


def check_digest(value: str, body: bytes) -> None:
    """Raises Refused unless `Digest` is that of the body."""
    _check(value, body, "")


def check_content_digest(value: str, body: bytes) -> None:
    """Raises Refused unless `Content-Digest` is that of the body."""
    _check(value, body, ":")


def _check(value: str, body: bytes, fence: str) -> None:
    checked = set()
    for part in value.split(","):
        name, _, given = part.strip().partition("=")
        name = name.lower()
        if name not in _HASHES:
            continue
        # Twice the same would be twice the work, as often as a header has room for it.
        expected = f"{fence}{_encoded(name, body)}{fence}" if name not in checked else ""
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Refused(Reason.DIGEST)
        checked.add(name)
    if not checked:
        raise Refused(Reason.DIGEST)


def _encoded(name: str, body: bytes) -> str:
    return b64encode(_HASHES[name](body).digest()).decode()
