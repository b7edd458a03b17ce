"""How other servers see this one, as far as that can be told from here: a part of `fediblog doctor`."""

from collections.abc import AsyncIterator
from typing import Any

from fediblog import http, uris
from fediblog.activitypub import compact
from fediblog.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON, as_list, id_of
from fediblog.cli.findings import Finding, Grade
from fediblog.config import Config
from fediblog.errors import Malformed
from fediblog.http import Outside, Unreachable, Unwelcome


async def look(config: Config) -> AsyncIterator[Finding]:
    """Whether the handle of the server leads to the server, by https and from outside."""
    if not config.federation.enabled:
        yield Finding("federation", Grade.GOOD, "switched off")
        return
    if not config.secure:
        yield Finding("federation", Grade.GOOD, "by plain http, so for this machine or a lab alone")
        return
    await http.open(config)
    try:
        handle = f"acct:{config.domain}@{config.domain}"
        yield await _webfinger(f"https://{config.domain}/.well-known/webfinger?resource={handle}")
        yield await _actor()
    finally:
        await http.close()


async def _webfinger(url: str) -> Finding:
    """The domain of the handles, which may be another one than that of the addresses, must know us."""
    found = await _asked("WebFinger", url, JRD_JSON)
    if isinstance(found, Finding):
        return found
    leads = [link.get("href") for link in as_list(found.get("links")) if isinstance(link, dict)]
    if uris.server_uri() in leads:
        return Finding("WebFinger", Grade.GOOD, "the handle of the server leads to it")
    fix = f"Let the web server at this domain pass /.well-known/webfinger on to {uris.absolute('')}."
    return Finding("WebFinger", Grade.BAD, "the domain answers, but not with this server", fix)


async def _actor() -> Finding:
    found = await _asked("server actor", uris.server_uri(), ACTIVITY_JSON)
    if isinstance(found, Finding):
        return found
    if id_of(found) == uris.server_uri():
        return Finding("server actor", Grade.GOOD, "can be read by other servers")
    fix = "Is base_url right, and does the proxy in front keep the Host header as it is?"
    return Finding("server actor", Grade.BAD, "what answers there is not this server", fix)


async def _asked(what: str, url: str, kind: str) -> dict[str, Any] | Finding:
    try:
        return compact.read((await http.fetch(url, accept=[kind])).body)
    except Unreachable as error:
        fix = "Is fediblog running, and do the name and the certificate lead to it?"
        return Finding(what, Grade.WARNING, f"{url} cannot be reached from here ({error.reason})", fix)
    except Unwelcome as error:
        fix = "See that the proxy in front passes this address on."
        return Finding(what, Grade.BAD, f"{url} answers {error.status} ({error.reason})", fix)
    except (Outside, Malformed) as error:
        reason = error.reason if isinstance(error, Outside) else error.message
        fix = "Look at it from another machine."
        return Finding(what, Grade.WARNING, f"{url} cannot be looked at from here ({reason})", fix)
