"""Actors (FEDERATION §2)."""

import re
from collections.abc import Iterator
from typing import Any

from fediblog.activitypub import ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import addresses, bodies, dates, tags, words
from fediblog.activitypub.vocabulary import ACTORS, as_list
from fediblog.errors import Malformed
from fediblog.services.incoming import IncomingAccount

# SECURITY §4: the rest is dropped.
MOST_FIELDS, MOST_ALIASES = 8, 64

# Letters of any script; dots and hyphens for PeerTube's channels and for servers, colons for their ports.
_USERNAME = re.compile(r"\w(?:[\w.:-]{0,253}\w)?")
_LONGEST_PEM = 10_000


def account(node: Node) -> IncomingAccount:
    """What an actor says about itself. `domain` is the host of its id, until WebFinger knows better.

    Raises Malformed for what is no actor, or without an id, a name, an inbox beside the id, or a key that is
    its own. A key of which only the address is given comes with an empty PEM.
    """
    if node.get("type") not in ACTORS:
        raise Malformed("That is not an account.")
    uri = addresses.identity(node)
    if not uri:
        raise Malformed("The account has no address.")
    key_id, pem = _key(node, uri)
    return IncomingAccount(
        uri=uri,
        username=_username(node),
        domain=ownership.host(uri),
        inbox=_inbox(node, uri),
        shared_inbox=_shared_inbox(node, uri),
        public_key=pem,
        key_id=key_id,
        actor_type=node["type"],
        **_collections(node, uri),
        **_profile(node, uri),
        **_standing(node),
    )


def _collections(node: Node, uri: str) -> dict[str, Any]:
    """What belongs to somebody lives where they live; elsewhere it would be another's."""
    return {
        "outbox": addresses.beside(uri, node.get("outbox")),
        "followers_uri": addresses.beside(uri, node.get("followers")),
        "following_uri": addresses.beside(uri, node.get("following")),
        "featured_uri": addresses.beside(uri, node.get("featured")),
    }


def _profile(node: Node, uri: str) -> dict[str, Any]:
    return {
        "url": addresses.page(uri, node.get("url")),
        "display_name": words.line(node.get("name"), words.MOST_NAME),
        "note": bodies.note(node.get("summary")),
        "fields": tuple(_fields(node))[:MOST_FIELDS],
        "avatar_url": addresses.picture(node.get("icon")),
        "header_url": addresses.picture(node.get("image")),
        "emojis": tags.emojis(node),
        "created_at": dates.past(node.get("published")),
    }


def _standing(node: Node) -> dict[str, Any]:
    """What the person wants, and where they have been or gone. What is not said is not wanted."""
    known_as = (addresses.identity(value) for value in as_list(node.get("alsoKnownAs")))
    return {
        "locked": words.yes(node.get("manuallyApprovesFollowers")),
        "discoverable": words.yes(node.get("discoverable")),
        "indexable": words.yes(node.get("indexable")),
        "suspended": words.yes(node.get("suspended")),
        "also_known_as": tuple(dict.fromkeys(filter(None, known_as)))[:MOST_ALIASES],
        "moved_to": addresses.identity(node.get("movedTo")),
    }


def _username(node: Node) -> str:
    name = node.get("preferredUsername")
    found = words.verbatim(name, words.MOST_NAME)
    if not _USERNAME.fullmatch(found) or found != name:
        raise Malformed("The account has no name.")
    return found


def _inbox(node: Node, uri: str) -> str:
    """Where the account is written to: not with us, which would be to ourselves, nor with anybody else."""
    inbox = addresses.beside(uri, node.get("inbox"))
    if not inbox or ownership.is_ours(inbox):
        raise Malformed("The account has no inbox.")
    return inbox


def _shared_inbox(node: Node, uri: str) -> str:
    """In `endpoints`, or beside the other addresses as Misskey writes it."""
    endpoints = node.get("endpoints")
    within = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    return addresses.beside(uri, within) or addresses.beside(uri, node.get("sharedInbox"))


def _key(node: Node, uri: str) -> tuple[str, str]:
    """The first key that is the account's own, of one, of several, or of an address only."""
    for key in as_list(node.get("publicKey")):
        key_id = addresses.beside(uri, key)
        if key_id and isinstance(key, str):
            return key_id, ""
        pem = key.get("publicKeyPem") if isinstance(key, dict) else None
        if key_id and isinstance(pem, str) and len(pem) <= _LONGEST_PEM and _is_held_by(key, uri):
            return key_id, pem
    raise Malformed("The account has no key of its own.")


def _is_held_by(key: Node, uri: str) -> bool:
    return uri in (key.get("owner"), key.get("controller"))


def _fields(node: Node) -> Iterator[tuple[str, str]]:
    for each in as_list(node.get("attachment")):
        if isinstance(each, dict) and each.get("type") == "PropertyValue":
            name = words.line(each.get("name"), words.MOST_NAME)
            value = bodies.field(each.get("value"))
            if name or value:
                yield name, value
