"""Believing a signed request: all that must hold, the cheap things first (FEDERATION §7.2, SECURITY §2)."""

import re
from calendar import timegm
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from fediblog import moments
from fediblog.activitypub.ownership import same_authority
from fediblog.activitypub.signatures import cavage, rfc9421
from fediblog.activitypub.signatures.digests import check_content_digest, check_digest
from fediblog.activitypub.signatures.key_objects import PublicKey, holds, public_key
from fediblog.activitypub.signatures.messages import Claim, Scheme, Signed, gathered
from fediblog.activitypub.signatures.refusals import Reason, Refused

Pairs = Iterable[tuple[str | bytes, str | bytes]]

# Peers try again for hours with the signature of the first attempt, and clocks are wrong by an hour.
OLDEST = 12 * moments.HOUR
AHEAD = moments.HOUR
# How wrong a clock may be where a peer has named the end itself (SECURITY R11).
SKEW = 5 * moments.MINUTE

_LONGEST_KEY_ID = 2_048
_MONTHS = {
    name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)",
    re.ASCII,
)
# What the header may name, and by which keys; it never chooses (no HMAC, no `none`).
_RSA_NAMES = {Scheme.CAVAGE: ("rsa-sha256", "hs2019"), Scheme.RFC9421: ("rsa-v1_5-sha256",)}
_ED25519_NAMES = {Scheme.CAVAGE: ("hs2019",), Scheme.RFC9421: ("ed25519",)}


def received(method: str, target: str, origin: str, headers: Pairs, body: bytes = b"") -> Signed:
    """A request as it came in. `target` is the raw path with the query, `origin` our public one.

    Raises Refused when it has no signature, a broken one, or several.
    """
    by_name = gathered(headers)
    claim = _claim(by_name)
    return Signed(
        method=method.upper(), target=target, origin=origin, headers=by_name, body=body, claim=claim
    )


def parse(headers: Mapping[str, str] | Pairs) -> Claim:
    """What the signature claims: whose key, over what. Raises Refused as `received` does."""
    return _claim(gathered(headers.items() if isinstance(headers, Mapping) else headers))


def _claim(headers: dict[str, str]) -> Claim:
    if "signature-input" in headers:
        claim = rfc9421.parse(headers)
    elif "signature" in headers:
        claim = cavage.parse(headers["signature"])
    else:
        raise Refused(Reason.MISSING)
    if len(claim.key_id) > _LONGEST_KEY_ID:
        raise Refused(Reason.SYNTAX)
    return claim


def examine(request: Signed, now: int | None = None) -> None:
    """Everything that can be told without the key: worth doing before one is fetched. Raises Refused."""
    rules = cavage if request.claim.scheme is Scheme.CAVAGE else rfc9421
    rules.check_coverage(request)
    _check_host(request)
    if same_authority(request.claim.key_id, request.origin):
        raise Refused(Reason.OURS)
    _check_window(request, moments.now() if now is None else now)
    _check_body(request)


def verify(request: Signed, public_key_pem: str, now: int | None = None) -> None:
    """Raises Refused unless the owner of the key has signed this very request, for us, a short time ago.

    Reason SIGNATURE or KEY may mean that the peer has changed its key: the time to fetch it once more
    (FEDERATION §7.4). All other reasons hold whatever the key is.
    """
    examine(request, now)
    key = public_key(public_key_pem)
    _check_algorithm(request.claim, key)
    rules = cavage if request.claim.scheme is Scheme.CAVAGE else rfc9421
    if not any(holds(key, request.claim.signature, base) for base in rules.bases(request)):
        raise Refused(Reason.SIGNATURE)


def _check_host(request: Signed) -> None:
    """The host must be ours, or what was signed for another server could be played to us."""
    host = request.headers.get("host", "").lower()
    default = ":443" if request.origin.startswith("https:") else ":80"
    if host.removesuffix(default) != request.authority.removesuffix(default):
        raise Refused(Reason.HOST)


def _check_window(request: Signed, now: int) -> None:
    claim = request.claim
    if claim.created is not None and (claim.scheme is Scheme.RFC9421 or "(created)" in claim.covered):
        _check_age(claim.created * moments.SECOND, now)
    if claim.scheme is Scheme.CAVAGE and "date" in claim.covered:
        _check_age(_moment(request.headers.get("date", "")), now)
    if claim.expires is not None and now > claim.expires * moments.SECOND + SKEW:
        raise Refused(Reason.EXPIRED)


def _check_age(moment: int, now: int) -> None:
    if moment < now - OLDEST:
        raise Refused(Reason.STALE)
    if moment > now + AHEAD:
        raise Refused(Reason.EARLY)


@lru_cache(maxsize=256)
def _moment(date: str) -> int:
    """An IMF-fixdate (RFC 9110 §5.6.7) in milliseconds. Of one second there are many requests."""
    found = _DATE.fullmatch(date)
    if found is None or found[2] not in _MONTHS:
        raise Refused(Reason.DATE)
    day, _, year, hour, minute, second = found.groups()
    try:
        when = datetime(int(year), _MONTHS[found[2]], int(day), int(hour), int(minute), int(second))  # noqa: DTZ001
    except ValueError as fault:
        raise Refused(Reason.DATE) from fault
    return timegm(when.timetuple()) * moments.SECOND


def _check_body(request: Signed) -> None:
    covered = request.claim.covered
    if request.claim.scheme is Scheme.CAVAGE and "digest" in covered:
        check_digest(request.headers.get("digest", ""), request.body)
    if "content-digest" in covered:
        check_content_digest(request.headers.get("content-digest", ""), request.body)


def _check_algorithm(claim: Claim, key: PublicKey) -> None:
    names = _RSA_NAMES if isinstance(key, RSAPublicKey) else _ED25519_NAMES
    if claim.algorithm is not None and claim.algorithm.lower() not in names[claim.scheme]:
        raise Refused(Reason.ALGORITHM)
    # Draft-cavage-12 §2.3: with an old name of an algorithm `(created)` has no meaning.
    if claim.algorithm == "rsa-sha256" and "(created)" in claim.covered:
        raise Refused(Reason.ALGORITHM)
