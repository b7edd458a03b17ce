"""Apps: programs that people let act for them. Each registers by itself, before anybody has signed in.

A registration proves nothing. What counts is where an app may be answered: its redirect URIs, of which one
has to be named letter by letter whenever a code is asked for.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

from fediblog import db, ids, keys, moments, text
from fediblog.config import settings
from fediblog.errors import Invalid
from fediblog.services import throttle, tokens

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
"""Instead of an address: the code is shown on a page, to be copied (CLIENT-API §3.7)."""

UNUSED = moments.DAY
"""An app that has got no token for so long is swept: apps register anew at every log-in."""

_LONGEST_NAME = 60
_LONGEST_URL = 2_000
_MOST_URIS = 20
# In ten minutes from one network: apps register at every log-in, and many phones may share an address.
_MOST_REGISTRATIONS, _WINDOW = 30, 600

# RFC 3986 §3.1 for the scheme; the rest is what may stand in a URI without being encoded.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
# What a browser runs or opens itself instead of giving it to the app (SECURITY §7).
_FORBIDDEN = frozenset(
    "javascript data vbscript file about blob filesystem view-source urn intent jar mhtml feed chrome"
    " chrome-extension moz-extension resource res content livescript mocha wyciwyg search-ms"
    " itms-services".split()
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class App:
    """A registered app."""

    id: int
    name: str
    website: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    client_id: str
    secret_hash: str = field(repr=False)


async def register(
    name: str, redirect_uris: Iterable[str], scopes: str = "", website: str = "", address: str = ""
) -> tuple[App, str]:
    """A new app and its secret, which is told this once.

    Raises Invalid for the fields client_name, redirect_uris, scopes and website, TooMany for an address from
    which very many come.
    """
    name, website, uris = text.tidy(name), text.tidy(website), tuple(dict.fromkeys(redirect_uris))
    _check(name, uris, website)
    wanted = tokens.parse_scopes(scopes or "read")
    await throttle.hit(throttle.bucket("apps", throttle.network(address)), _MOST_REGISTRATIONS, _WINDOW)
    secret = keys.new_token()
    app = App(ids.new(), name, website, uris, wanted, keys.new_token(), keys.token_hash(secret))
    async with db.transaction():
        await db.execute(
            "INSERT INTO oauth_app"
            " (id, name, website, redirect_uris, scopes, client_id, secret_hash, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            *(app.id, app.name, app.website, db.json(uris), tokens.written(wanted)),
            *(app.client_id, app.secret_hash, moments.now()),
        )
    return app, secret


async def find(client_id: str) -> App | None:
    """The app with this client id."""
    return _app(await db.row("SELECT * FROM oauth_app WHERE client_id = $1", _storable(client_id)))


async def of_token(app_id: int | None) -> App | None:
    """The app that a token was given to."""
    return _app(await db.row("SELECT * FROM oauth_app WHERE id = $1", app_id)) if app_id else None


async def authenticate(client_id: str, secret: str) -> App | None:
    """The app that knows the secret of this client id; None when there is none."""
    app = await find(client_id)
    known = app.secret_hash if app else keys.token_hash("")
    # Both are digests, so their comparison tells nothing that helps to guess; it costs nothing to be sure.
    right = hmac.compare_digest(known, keys.token_hash(secret))
    return app if right else None


def target(uri: str) -> str:
    """Where a redirect URI leads, as a source for a content policy, which knows no IPv6 addresses.

    `https://elk.zone` for a web site, `tusky:` for a program; empty for a code that is shown on a page.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and not _HOST.fullmatch(parts.hostname or ""):
        return f"{parts.scheme}:"
    return shown(uri).lower()


def shown(uri: str) -> str:
    """The same as a word for people."""
    if uri == OUT_OF_BAND:
        return ""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


# ------------------------------------------------------------------------------------------------- checking


def _check(name: str, uris: tuple[str, ...], website: str) -> None:
    faults = {}
    if not name:
        faults["client_name"] = "Validation failed: Name can't be blank"
    elif len(name) > _LONGEST_NAME:
        faults["client_name"] = f"Validation failed: Name is too long (maximum is {_LONGEST_NAME} characters)"
    if not uris:
        faults["redirect_uris"] = "Validation failed: Redirect URI can't be blank"
    elif len(uris) > _MOST_URIS or not all(_is_redirect_uri(uri) for uri in uris):
        faults["redirect_uris"] = "Validation failed: Redirect URI must be an absolute URI without a fragment"
    if website and not _is_website(website):
        faults["website"] = "Validation failed: Website must be a valid URL"
    if faults:
        raise Invalid(fields=faults)


def _is_redirect_uri(uri: str) -> bool:
    """Whether a code may be sent there: to a program on the same device, or over an encrypted connection.

    RFC 9700 §2.6 leaves http to loopback addresses. A server that speaks http itself has nothing to protect.
    """
    if uri == OUT_OF_BAND:
        return True
    parts = _split(uri)
    if parts is None or parts.scheme in _FORBIDDEN:
        return False
    if parts.scheme == "http":
        return _is_host(parts) and (_is_loopback(parts.hostname or "") or not settings().secure)
    return parts.scheme != "https" or _is_host(parts)


def _is_website(url: str) -> bool:
    parts = _split(url.replace("#", "", 1))
    return parts is not None and parts.scheme in ("http", "https") and _is_host(parts)


def _is_host(parts: SplitResult) -> bool:
    """Whether people can be told where it leads: a name or an address as everybody writes them."""
    host = parts.hostname or ""
    return _HOST.fullmatch(host) is not None or _is_address(host)


def _split(uri: str) -> SplitResult | None:
    """A URI in its parts; None for what is none, is too long, or carries a name and a password."""
    if len(uri) > _LONGEST_URL or not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port  # Complains when it is no number.
    except ValueError:
        return None
    return parts if "@" not in parts.netloc else None


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _storable(client_id: str) -> str:
    """The same, or what no app has: texts that no column can hold are not asked for."""
    return client_id if client_id.isascii() and client_id.isprintable() else ""


def _app(line: dict[str, Any] | None) -> App | None:
    if line is None:
        return None
    return App(
        line["id"],
        line["name"],
        line["website"],
        tuple(orjson.loads(line["redirect_uris"])),
        frozenset(line["scopes"].split()),
        line["client_id"],
        line["secret_hash"],
    )
