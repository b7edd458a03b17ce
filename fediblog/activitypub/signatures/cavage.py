"""HTTP signatures as draft-cavage-http-signatures-12 has them: what nearly every server speaks."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fediblog.activitypub.signatures.key_objects import PrivateKey, signature_of
from fediblog.activitypub.signatures.messages import Claim, Request, Scheme, Signed
from fediblog.activitypub.signatures.refusals import Reason, Refused

# One parameter with the comma behind it (§2.1). Real values have no escapes in them.
_PARAMETER = re.compile(r'([A-Za-z]+)=(?:"([^"\\]*)"|([0-9]+))[ \t]*(?:,[ \t]*|\Z)', re.ASCII)
_SECONDS = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)


def parse(value: str) -> Claim:
    """What the `Signature` header says. Raises Refused when it says it twice or not at all."""
    given = _parameters(value)
    covered = tuple(given.get("headers", "(created)").lower().split())
    if not given.get("keyId") or not given.get("signature") or len(set(covered)) != len(covered):
        raise Refused(Reason.SYNTAX)
    return Claim(
        scheme=Scheme.CAVAGE,
        key_id=given["keyId"],
        covered=covered,
        signature=_decoded(given["signature"]),
        algorithm=given.get("algorithm"),
        created=_seconds(given.get("created")),
        expires=_seconds(given.get("expires")),
    )


def _parameters(value: str) -> dict[str, str]:
    given: dict[str, str] = {}
    position = 0
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            raise Refused(Reason.SYNTAX)
        name, quoted, bare = found.groups()
        if name in given:
            # A second signature has the same names again: whose would be checked, and whose believed?
            raise Refused(Reason.SEVERAL)
        given[name] = quoted if quoted is not None else bare
        position = found.end()
    return given


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as fault:
        raise Refused(Reason.SYNTAX) from fault


def _seconds(text: str | None) -> int | None:
    """Only the one spelling of a number: it is signed as text."""
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise Refused(Reason.SYNTAX)
    return int(text)


def check_coverage(request: Signed) -> None:
    """Raises Refused unless method, path, host, time and body are all signed (SECURITY §2)."""
    covered = request.claim.covered
    timed = "date" in covered or "(created)" in covered
    if not timed or "(request-target)" not in covered or "host" not in covered:
        raise Refused(Reason.COVERAGE)
    if request.has_body and "digest" not in covered:
        raise Refused(Reason.COVERAGE)


def bases(request: Signed) -> Iterator[bytes]:
    """The texts that may have been signed: with the query, and for what only reads also without (§2.3).

    Some peers leave the query out (FEDERATION §7.2). What changes something must name its whole target.
    """
    yield base(request, request.claim, request.target)
    if "?" in request.target and not request.has_body:
        yield base(request, request.claim, request.target.partition("?")[0])


def base(request: Request, claim: Claim, target: str) -> bytes:
    """The text that is signed (§2.3). Raises Refused when something covered is not there."""
    special = {
        "(request-target)": f"{request.method.lower()} {target}",
        "(created)": claim.created,
        "(expires)": claim.expires,
    }
    lines = []
    for name in claim.covered:
        value = special[name] if name in special else request.headers.get(name)
        if value is None:
            raise Refused(Reason.ABSENT)
        lines.append(f"{name}: {value}")
    text = "\n".join(lines)
    # A line break in a value would be a line of its own, signed by nobody.
    if text.count("\n") >= len(lines):
        raise Refused(Reason.SYNTAX)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as fault:
        raise Refused(Reason.SYNTAX) from fault


def sign(request: Request, key_id: str, key: PrivateKey, *, with_query: bool) -> dict[str, str]:
    """The `Signature` header of a request that has host, date and, with a body, digest.

    `rsa-sha256` and not `hs2019`: everybody knows the old name (FEDERATION §7.1).
    """
    covered = ("(request-target)", "host", "date") + (("digest",) if request.has_body else ())
    claim = Claim(Scheme.CAVAGE, key_id, covered, b"")
    target = request.target if with_query else request.target.partition("?")[0]
    signature = b64encode(signature_of(key, base(request, claim, target))).decode()
    algorithm = "hs2019" if isinstance(key, Ed25519PrivateKey) else "rsa-sha256"
    return {
        "Signature": f'keyId="{key_id}",algorithm="{algorithm}",headers="{" ".join(covered)}",'
        f'signature="{signature}"'
    }
