"""Followers synchronisation in both directions (FEP-8fcf, FEDERATION §6).

A delivery for followers only says with a digest whom of the receiver's people we take for followers; who has
others asks for the list. The same from others about us. A digest is the XOR of the SHA-256 of each id.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from fediblog import http, moments, uris
from fediblog.activitypub import client, ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.vocabulary import COLLECTIONS, as_list, id_of
from fediblog.config import settings
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account
from fediblog.remembering import Recent
from fediblog.services import domains, shared_followers

_FIELD = re.compile(r'\s*([A-Za-z]{1,32})\s*=\s*"([^"]{0,2048})"\s*(?:,|$)')
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_HEADER = 4_500
# One followers-only post goes to many servers within moments: all their digests are computed at once.
_KEPT_SECONDS = 5.0
_MOST_KEPT = 256

_kept: Recent[dict[str, str]] = Recent(_MOST_KEPT)


async def header(account: Account, domain: str) -> str:
    """The value of `Collection-Synchronization` for a delivery of one of our accounts to a server."""
    found = await _digests(account)
    digest = found.get(domain.lower(), _hex(0))
    return f'collectionId="{account.followers_uri}", url="{address(account)}", digest="{digest}"'


async def partial(account: Account, domain: str) -> list[str]:
    """Who follows one of our accounts from a host (and port): for that host alone."""
    return await shared_followers.at(account, domain.lower())


def address(account: Account) -> str:
    """Where `partial` is to be asked for."""
    return f"{account.followers_uri}/synchronisation"


async def check(actor: Account, header: str) -> None:
    """Compare what an account elsewhere, who has signed, says of our followers with what we have.

    When it differs the list is asked for later, once an hour at most. A header that makes no sense: nothing.
    """
    said = _read(header)
    if said.get("collectionId") != actor.followers_uri or not actor.followers_uri or actor.local:
        return
    url, digest = said.get("url", ""), said.get("digest", "").lower()
    if not _DIGEST.fullmatch(digest) or not ownership.same_origin(url, actor.uri):
        return
    if digest != digest_of(await shared_followers.here(actor)):
        await shared_followers.owe(actor, url)


async def reconcile(key: str) -> None:
    """What Job.SYNCHRONISE does: ask an account elsewhere who of us follows it, and settle what differs.

    `key` is the account's number and the address of the list. What cannot be had now is left: the next
    delivery says it again.
    """
    number, _, url = key.partition(" ")
    actor = await Account.get_or_none(id=int(number), local=False, deleted_at=None, suspended_at=None)
    if actor is None or await domains.refused(ownership.host(actor.uri)):
        return
    asked_at = moments.now()
    try:
        listed = _members(await client.get(url))
    except (http.Outside, Invalid, NotFound, Forbidden):
        return
    if listed is not None:
        await shared_followers.settle(actor, listed, asked_at)


def digest_of(members: Iterable[str]) -> str:
    """The digest of a collection, whatever its order."""
    mixed = 0
    for uri in members:
        mixed ^= int.from_bytes(sha256(uri.encode()).digest())
    return _hex(mixed)


async def _digests(account: Account) -> dict[str, str]:
    """By host, for those hosts where somebody follows."""
    key = (settings().origin, account.id)
    if (known := _kept.get(key)) is not None:
        return known
    hosts: defaultdict[str, list[str]] = defaultdict(list)
    for uri in await shared_followers.elsewhere(account):
        hosts[uri.partition("://")[2].partition("/")[0].lower()].append(uri)
    found = {host: digest_of(members) for host, members in hosts.items()}
    _kept.put(key, found, _KEPT_SECONDS)
    return found


def _hex(mixed: int) -> str:
    return f"{mixed:064x}"


def _read(header: str) -> dict[str, str]:
    """The fields of the header; nothing when one of them stands there twice, or anything else does."""
    fields: dict[str, str] = {}
    position = 0
    while position < len(header) <= _LONGEST_HEADER:
        found = _FIELD.match(header, position)
        if found is None or found[1] in fields:
            return {}
        fields[found[1]] = found[2]
        position = found.end()
    return fields


def _members(document: Node) -> set[int] | None:
    """Those of us who stand in a list that came whole; None for everything else, which says nothing."""
    if document.get("type") not in COLLECTIONS or "first" in document or "next" in document:
        return None
    if not {"items", "orderedItems"} & document.keys():
        return None
    listed = [id_of(each) for name in ("items", "orderedItems") for each in as_list(document.get(name))]
    found = (uris.local(uri) for uri in listed if uri)
    return {member[1] for member in found if member and member[0] == "accounts"}
