"""Names of hosts: the one place where a name in any script becomes the one that DNS knows.

IDNA 2008 (RFC 5891) without any mapping but lower case, as httpx and aiohttp have it for what they send: two
standards in one house would be two hosts behind one name.
"""

import re
import unicodedata

import idna

LONGEST = 253  # RFC 1035 §2.3.4, without the dots' and the root's own bytes

# IDNA 2003, which much of the world still speaks, and IDNA 2008 read these four as different hosts.
_AMBIGUOUS = re.compile("[ßςẞ\u200c\u200d]", re.IGNORECASE)


def to_ascii(name: str) -> str:
    """A host, with a port or without: `Bücher.example:8000` -> `xn--bcher-kva.example:8000`.

    What is ASCII already only becomes lower case. Raises ValueError for what cannot be a name.
    """
    if name.isascii():
        return name.lower()
    if len(name) > LONGEST:
        raise ValueError("the name of a host has 253 characters at most")
    host, colon, port = name.partition(":")
    composed = unicodedata.normalize("NFC", host.lower())
    return idna.encode(composed).decode("ascii") + colon + port


def is_ambiguous(name: str) -> bool:
    """Whether others would take this for the name of another host than we do."""
    return _AMBIGUOUS.search(name) is not None
