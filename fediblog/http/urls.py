"""Which URLs may be asked, and the origin of a URL.

One parser, httpx's, reads every URL, and what is sent is what it writes: there is no second opinion about
where the host ends. Names follow IDNA 2008 (RFC 5891) without any mapping but lower case: the standard that
httpx and aiohttp use for what they send.
"""

from functools import lru_cache
from ipaddress import ip_address

import httpx
import idna

from fediblog.config import Federation, settings
from fediblog.http.addresses import refusal
from fediblog.http.errors import Refused

MOST_BYTES = 2048
_MOST_HOST_BYTES = 253  # RFC 1035 §2.3.4, without the dots' and the root's own bytes
_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024
# One address is looked at by several in a row: who decides, who takes turns, who signs, who sends.
_MOST_KNOWN = 2_048


def check_url(url: str) -> str:
    """The URL as it is asked for: host in ASCII and lower case, escapes in place, no fragment.

    Checking twice gives the same. An address in place of a name is judged here already; a name is judged
    when it is looked up. Raises Refused; its reason is `url`, `scheme`, `port`, `host` or one of an address,
    and `off` while `federation.enabled` is off: then nobody is spoken to at all.
    """
    parsed = _parsed(url)
    federation = settings().federation
    if not federation.enabled:
        raise Refused("off")
    _check_scheme(parsed, federation)
    _check_port(parsed)
    if parsed.userinfo:
        raise Refused("url")
    _check_host(parsed.raw_host.decode(), federation)
    return f"{parsed.scheme}://{parsed.netloc.decode()}{_target(parsed)}"


def origin(url: str) -> str:
    """Scheme, host and port: `https://social.example`. Origins are compared whole (SECURITY §1.1, RFC 6454).

    The host is lower-case ASCII, the scheme's own port is left out, nothing else is cut off or mended.
    Raises Refused for what has no origin.
    """
    parsed = _parsed(url)
    if parsed.scheme not in _PORTS:
        raise Refused("scheme")
    host = parsed.raw_host.decode()
    if not _is_address(host):
        _check_name(host)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"


def authority(url: str) -> str:
    """Host and port as they stand in handles and rules: the origin without its scheme. Raises Refused."""
    return origin(url).partition("://")[2]


def host(url: str) -> str:
    """The host of a URL that has been through `check_url`."""
    return _parsed(url).host


@lru_cache(_MOST_KNOWN)
def _parsed(url: str) -> httpx.URL:
    # Backslashes are slashes to browsers and letters to everybody else.
    if len(url) > MOST_BYTES or "\\" in url:
        raise Refused("url")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise Refused("url") from None
    if len(str(parsed)) > MOST_BYTES:
        raise Refused("url")
    return parsed


def _target(url: httpx.URL) -> str:
    """Path and query. An empty query is left out, as aiohttp does: a signature must cover what is sent."""
    target = url.raw_path.decode()
    return target if url.query else target.removesuffix("?")


def _check_scheme(url: httpx.URL, federation: Federation) -> None:
    if url.scheme != "https" and not (url.scheme == "http" and federation.allow_http):
        raise Refused("scheme")


def _check_port(url: httpx.URL) -> None:
    port = _PORTS[url.scheme] if url.port is None else url.port
    if port not in _PORTS.values() and not _FIRST_FREE_PORT <= port <= 65_535:
        raise Refused("port")


def _check_host(host: str, federation: Federation) -> None:
    if not _is_address(host):
        _check_name(host)
    elif why := refusal(host, federation.allow_networks):
        raise Refused(why)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(_MOST_KNOWN)
def _check_name(host: str) -> None:
    """A dot at the end would give one server two names, and a number is an address in disguise."""
    if not host or len(host) > _MOST_HOST_BYTES or host.endswith(".") or _is_number(host):
        raise Refused("host")
    try:
        idna.encode(host)
    except idna.IDNAError:
        raise Refused("host") from None


def _is_number(host: str) -> bool:
    """`127.1`, `2130706433` and `0x7f000001` are addresses to many (WHATWG: "ends in a number")."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")
