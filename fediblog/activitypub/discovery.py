"""How others find us: WebFinger, host-meta, NodeInfo (FEDERATION §1). Always open to everybody."""

import re
from html import escape
from typing import Any
from urllib.parse import urlsplit

import orjson
from quart import Blueprint, Response, request

from fediblog import __version__, hosts, uris
from fediblog.activitypub import serving
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, AS2, JRD_JSON
from fediblog.config import settings as configuration
from fediblog.errors import Malformed, NotFound
from fediblog.models import Account
from fediblog.services import accounts, census, settings
from fediblog.services.settings import Mode
from fediblog.storage import TYPES

blueprint = Blueprint("discovery", __name__)

_SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
_PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
_AVATAR = "http://webfinger.net/rel/avatar"
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_VERSIONS = ("2.0", "2.1")
# FEP-2677: which actor is the server itself.
_APPLICATION = f"{AS2}#Application"

_ACCT = re.compile(r"(?:acct:)?@?(?P<name>[^@\s]{1,300})@(?P<domain>[^@\s/?#]{1,260})", re.IGNORECASE)
_PROFILE = re.compile(r"/@(?P<name>[A-Za-z0-9_]{1,30})")
_LONGEST = 2_048


@blueprint.get("/.well-known/webfinger")
async def webfinger() -> Response:
    """Whose name it is and where their actor is (RFC 7033).

    Raises Malformed without a readable `resource`, NotFound for who does not live here.
    """
    found = await _described(request.args.get("resource", ""))
    wanted = request.args.getlist("rel")
    if wanted:
        found["links"] = [link for link in found["links"] if link["rel"] in wanted]
    return _open(found, f"{JRD_JSON}; charset=utf-8")


@blueprint.get("/.well-known/host-meta")
async def host_meta() -> Response:
    """Where WebFinger is, for those who ask in two steps (RFC 6415)."""
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{escape(_template())}"/>\n'
        "</XRD>\n"
    )
    return _open(xml.encode(), "application/xrd+xml; charset=utf-8")


@blueprint.get("/.well-known/host-meta.json")
async def host_meta_json() -> Response:
    """The same as JSON."""
    links = [{"rel": "lrdd", "template": _template()}]
    return _open({"links": links}, "application/json; charset=utf-8")


@blueprint.get("/.well-known/nodeinfo")
async def nodeinfo_links() -> Response:
    """Where this server describes itself, and who it is."""
    links = [
        {"rel": _SCHEMA + version, "href": uris.absolute(f"/nodeinfo/{version}")} for version in _VERSIONS
    ]
    links.append({"rel": _APPLICATION, "href": uris.server_uri()})
    return _open({"links": links}, "application/json; charset=utf-8")


@blueprint.get("/nodeinfo/<any('2.0', '2.1'):version>")
async def nodeinfo(version: str) -> Response:
    """What this server is and how many live here (FEP-f1d5)."""
    site, numbers = await settings.get(), await census.get()
    described = {
        "version": version,
        "software": {"name": "fediblog", "version": __version__},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": ["atom1.0", "rss2.0"]},
        "openRegistrations": site.registration in (Mode.OPEN, Mode.APPROVAL),
        "usage": {
            "users": {
                "total": numbers.people,
                "activeMonth": numbers.active_month,
                "activeHalfyear": numbers.active_half_year,
            },
            "localPosts": numbers.posts,
        },
        "metadata": {"nodeName": site.title, "nodeDescription": site.short_description},
    }
    return _open(described, f'application/json; profile="{_SCHEMA}{version}#"; charset=utf-8')


# ------------------------------------------------------------------------------------------------ WebFinger


async def _described(resource: str) -> dict[str, Any]:
    """Handles in all their spellings, ids and pages."""
    if len(resource) > _LONGEST or not resource.isprintable():
        raise Malformed("The resource cannot be read.")
    if resource.lower().startswith(("http://", "https://")):
        return await _of_address(resource)
    found = _ACCT.fullmatch(resource)
    if found is None:
        raise Malformed("The resource must be like acct:name@host.")
    if not _is_ours(found["domain"]):
        raise NotFound
    if found["name"].lower() == configuration().domain:
        return _server()
    return _person(await accounts.find(found["name"]))


async def _of_address(address: str) -> dict[str, Any]:
    if not uris.is_local(address):
        raise NotFound
    if address == uris.server_uri():
        return _server()
    identity = uris.local(address)
    if identity is not None and identity[0] == "accounts":
        return _person(await accounts.get(identity[1]))
    named = _PROFILE.fullmatch(address.removeprefix(uris.absolute("")))
    return _person(await accounts.find(named["name"]) if named else None)


def _is_ours(domain: str) -> bool:
    """The domain of handles, or the host that we are reached at."""
    try:
        return hosts.to_ascii(domain) in (configuration().domain, urlsplit(configuration().origin).netloc)
    except ValueError:
        return False


def _person(account: Account | None) -> dict[str, Any]:
    if account is None or not account.local:
        raise NotFound
    links: list[dict[str, str]] = [
        {"rel": "self", "type": ACTIVITY_JSON, "href": account.uri},
        {"rel": _PROFILE_PAGE, "type": "text/html", "href": account.url},
        {"rel": _SUBSCRIBE, "template": uris.absolute("/authorize_interaction?uri={uri}")},
    ]
    if account.avatar:
        kind = TYPES[account.avatar.rpartition(".")[2]]
        links.append({"rel": _AVATAR, "type": kind, "href": uris.media(account.avatar)})
    return {
        "subject": f"acct:{account.username}@{configuration().domain}",
        "aliases": [account.url, account.uri],
        "links": links,
    }


def _server() -> dict[str, Any]:
    """The server itself, whose user name is its domain (FEP-d556)."""
    domain = configuration().domain
    return {
        "subject": f"acct:{domain}@{domain}",
        "aliases": [uris.server_uri()],
        "links": [
            {"rel": "self", "type": ACTIVITY_JSON, "href": uris.server_uri()},
            {"rel": _PROFILE_PAGE, "type": "text/html", "href": uris.absolute("/about")},
        ],
    }


def _template() -> str:
    return uris.absolute("/.well-known/webfinger?resource={uri}")


def _open(value: Any, kind: str) -> Response:
    """For everybody, scripts of other sites too: dialogs for following somebody from elsewhere ask here."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    response = Response(body, content_type=kind)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


blueprint.after_request(serving.dress)
