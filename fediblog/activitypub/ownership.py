"""Who may speak for what: the origin law (SECURITY §1.1), in one place.

An origin is scheme, host and port, compared as a whole. An object has authority from its own origin only, and
its owner lives there too (FEP-fe34, FEP-c7d3). What is not believed here is no more than an address to fetch
from. Nothing outside may speak for an address of ours.

Questions answer True or False; checks raise `Forged`. Documents are as `compact.read` makes them.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

from fediblog import hosts
from fediblog.activitypub.vocabulary import ACTIVITIES, ACTORS, LONGEST_ID, as_list, id_of
from fediblog.config import settings
from fediblog.errors import Forbidden

Node = dict[str, Any]

_ADDRESS = re.compile(r"(https?)://([^/?#]+)", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
# Some parsers drop these and some do not: then the address means two things (CVE-2023-42451).
_TREACHEROUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Reason(StrEnum):
    """What about an object is not its owner's."""

    ADDRESS = "address"
    OURS = "ours"
    ACTOR = "actor"
    OWNER = "owner"
    ORIGIN = "origin"
    KEY = "key"


_SENTENCES = {
    Reason.ADDRESS: "That is not an address of the web.",
    Reason.OURS: "Nobody outside speaks for this server.",
    Reason.ACTOR: "The actor is not the one who signed.",
    Reason.OWNER: "It is not clear to whom this belongs.",
    Reason.ORIGIN: "This does not come from where its owner lives.",
    Reason.KEY: "The key is not one of its owner's.",
}


class Forged(Forbidden):
    """Somebody speaks for what is not theirs. `reason` is a short word to count by."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(_SENTENCES[reason])


def origin(uri: str) -> str:
    """Scheme, host and port: `https://social.example`, `http://127.0.0.1:8000`; the usual port is left out.

    Raises Forged for what is no address of the web, or one that two parsers could read in two ways: with
    blanks, control characters, a backslash, a user, an empty port.
    """
    scheme, host, port = _parts(uri)
    return f"{scheme}://{host}{port}"


def host(uri: str) -> str:
    """The server of an address as it stands in handles and rules: `social.example`, `127.0.0.1:8000`.

    Raises Forged as `origin` does.
    """
    return "".join(_parts(uri)[1:])


def same_origin(first: str, second: str) -> bool:
    """Whether both are addresses of one origin."""
    try:
        return origin(first) == origin(second)
    except Forged:
        return False


def same_authority(first: str, second: str) -> bool:
    """Whether both are addresses of one host and port, by whichever scheme."""
    try:
        return _parts(first)[1:] == _parts(second)[1:]
    except Forged:
        return False


def is_ours(uri: str) -> bool:
    """Whether the address is under our own name: `http://` does not make it foreign."""
    return same_authority(uri, settings().origin)


def check_foreign(uri: str) -> str:
    """The origin of an address that may come from outside. Raises Forged for ours and for what is none."""
    found = origin(uri)
    if is_ours(uri):
        raise Forged(Reason.OURS)
    return found


def owner_of(thing: Node) -> str:
    """Whose it is (FEP-c7d3): an actor is its own, an activity its `actor`'s, all else its `attributedTo`'s.

    Raises Forged when that is nobody, or not one alone.
    """
    kind = thing.get("type")
    if kind in ACTORS:
        named = thing.get("id")
    elif kind in ACTIVITIES:
        named = thing.get("actor")
    else:
        named = _author(thing)
    owner = id_of(named)
    if owner is None:
        raise Forged(Reason.OWNER)
    return owner


def check_activity(activity: Node, signer: str) -> None:
    """Raises Forged unless the activity is the signer's own (FEP-fe34).

    The actor must be the owner of the key exactly; a neighbour on the same host is not enough (Fedify's
    CVE-2025-54888, Misskey #2546). An id is under the actor's origin; an activity without one is taken.
    """
    if id_of(activity.get("actor")) != signer:
        raise Forged(Reason.ACTOR)
    check_foreign(signer)
    if "id" in activity and check_foreign(str(activity["id"])) != origin(signer):
        raise Forged(Reason.ORIGIN)


def may_embed(thing: Any, activity: Node) -> bool:
    """Whether an embedded object may be believed: the actor's own, under the actor's origin (FEP-fe34).

    The activity has been checked with `check_activity`. Everything else is only an address to fetch from: a
    boost carries what somebody else has written (FEDERATION §13.8).
    """
    try:
        return isinstance(thing, dict) and _belongs(thing, id_of(activity.get("actor")))
    except Forged:
        return False


def check_fetched(document: Node, url: str) -> None:
    """Raises Forged unless a document that was fetched from `url`, after all redirects, may be believed.

    Its id is that very address, and its owner, where it names one, lives there too (CVE-2024-23832). The
    caller fetches once more from the id when only the address is another.
    """
    found = id_of(document)
    if found is None or found != url or check_foreign(found) != _owner_origin(document):
        raise Forged(Reason.ORIGIN)


def key_of(actor: Node, key_id: str) -> str:
    """The PEM of one of the actor's keys. Raises Forged unless the actor lists this very key as its own.

    Same origin, same id, and the owner named in it is the actor (SECURITY §2, FEDERATION §7.4).
    """
    owner = id_of(actor)
    if owner is None or check_foreign(key_id) != check_foreign(owner):
        raise Forged(Reason.ORIGIN)
    for key in as_list(actor.get("publicKey")):
        if isinstance(key, dict) and id_of(key) == key_id and _is_held_by(key, owner):
            pem = key.get("publicKeyPem")
            if isinstance(pem, str):
                return pem
    raise Forged(Reason.KEY)


def _belongs(thing: Node, actor: str | None) -> bool:
    found = id_of(thing)
    if found is None or actor is None:
        return False
    return owner_of(thing) == actor and check_foreign(found) == check_foreign(actor)


def _owner_origin(document: Node) -> str:
    """Where the owner lives; for what names none, as collections and tombstones, where it lives itself."""
    named = any(name in document for name in ("attributedTo", "actor"))
    return origin(owner_of(document) if named else document["id"])


def _is_held_by(key: Node, owner: str) -> bool:
    return owner in (key.get("owner"), key.get("controller"))


def _author(thing: Node) -> Any:
    """The single `attributedTo`. PeerTube names a person and the person's channel: then the person.

    Of late it gives only their addresses, the person's first.
    """
    authors = as_list(thing.get("attributedTo"))
    if thing.get("type") == "Video" and all(isinstance(each, str) for each in authors):
        authors = authors[:1]
    elif len(authors) > 1:
        authors = [each for each in authors if isinstance(each, dict) and each.get("type") == "Person"]
    if not authors and "attributedTo" not in thing:
        return thing.get("actor")
    return authors[0] if len(authors) == 1 else None


@lru_cache(maxsize=1_024)
def _parts(uri: str) -> tuple[str, str, str]:
    """Scheme, host, and the port with its colon where it is not the usual one."""
    found = _ADDRESS.match(uri)
    if found is None or len(uri) > LONGEST_ID or _TREACHEROUS.search(uri):
        raise Forged(Reason.ADDRESS)
    scheme, authority = found[1].lower(), found[2]
    host, colon, port = authority.rpartition(":") if _has_port(authority) else (authority, "", "")
    if colon and (not _PORT.fullmatch(port) or int(port) > 65_535):
        raise Forged(Reason.ADDRESS)
    return scheme, _host(host), f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""


def _has_port(authority: str) -> bool:
    return ":" in authority.rpartition("]")[2]


def _host(written: str) -> str:
    """The host in lower case ASCII. Raises Forged for what others take for another host."""
    try:
        host = hosts.to_ascii(written)
    except ValueError as fault:
        raise Forged(Reason.ADDRESS) from fault
    if hosts.is_ambiguous(written) or len(host) > hosts.LONGEST or not _HOST.fullmatch(host):
        raise Forged(Reason.ADDRESS)
    return host
