"""Signing what we send (FEDERATION §7.1, §7.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from fediblog import moments
from fediblog.activitypub.signatures import cavage, rfc9421
from fediblog.activitypub.signatures.digests import content_digest, digest
from fediblog.activitypub.signatures.key_objects import private_key as key_object
from fediblog.activitypub.signatures.messages import Request, Scheme, carries_body, gathered

_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    key_id: str,
    private_key: bytes,
    scheme: Scheme = Scheme.CAVAGE,
    now: int | None = None,
) -> dict[str, str]:
    """The headers to send: those given, with host, date, digest and signature.

    `private_key` is PKCS#8, as `keys.new_pair` makes it; `body` is None when none is sent. What is sent must
    be `url` and `body` to the letter. Sign anew at each attempt: some peers take a signature for minutes.
    """
    seconds = (moments.now() if now is None else now) // moments.SECOND
    origin, target = _parted(url)
    made = {"Host": origin.partition("://")[2], "Date": _http_date(seconds)}
    if carries_body(method, body):
        made |= _digest(scheme, body or b"")
    request = Request(
        method=method.upper(), target=target, origin=origin, headers=gathered(made.items()), body=body or b""
    )
    key = key_object(private_key)
    if scheme is Scheme.RFC9421:
        made |= rfc9421.sign(request, key_id, key, seconds)
    else:
        made |= cavage.sign(request, key_id, key, with_query=scheme is Scheme.CAVAGE)
    replaced = {name.lower() for name in made}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | made


def _digest(scheme: Scheme, body: bytes) -> dict[str, str]:
    if scheme is Scheme.RFC9421:
        return {"Content-Digest": content_digest(body)}
    return {"Digest": digest(body)}


def _parted(url: str) -> tuple[str, str]:
    """`https://host[:port]` and the request target."""
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2].lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{authority}", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
