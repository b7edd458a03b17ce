"""Actors: people, and the server itself (FEDERATION §2)."""

from collections.abc import Iterator
from typing import Any

from fediblog import moments, text, uris
from fediblog.activitypub.documents.parts import Document, emoji, hashtag, picture
from fediblog.activitypub.senders import Sender
from fediblog.config import settings
from fediblog.models import Account

# What we understand beyond what everybody does (FEP-844e).
_IMPLEMENTS = [
    {"name": "RFC-9421: HTTP Message Signatures", "href": "https://datatracker.ietf.org/doc/html/rfc9421"}
]


def actor(account: Account, moved_to: str = "") -> Document:
    """One of our people. `moved_to` is the id of the account that `moved_to_id` names."""
    made = _frame(account) | {
        "name": account.display_name,
        "summary": account.note,
        "manuallyApprovesFollowers": account.locked,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "tag": list(_tags(account)),
        "attachment": [_field(field) for field in account.fields_],
        "alsoKnownAs": list(account.also_known_as),
    }
    if account.avatar:
        made["icon"] = picture(account.avatar)
    if account.header:
        made["image"] = picture(account.header)
    return made | {"movedTo": moved_to} if moved_to else made


def suspended(account: Account) -> Document:
    """What may still be said of somebody whom the staff has put away: name, key, and that it is so."""
    return _frame(account) | {
        "name": "",
        "summary": "",
        "manuallyApprovesFollowers": account.locked,
        "discoverable": False,
        "indexable": False,
        "suspended": True,
    }


def server(sender: Sender, name: str) -> Document:
    """The server itself, which signs what no person causes. `name` is the title of the site."""
    uri = sender.uri
    domain = settings().domain
    return {
        "id": uri,
        "type": "Application",
        "preferredUsername": domain,
        "name": name,
        "summary": "",
        "url": uris.absolute("/about"),
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "endpoints": {"sharedInbox": uris.shared_inbox()},
        "manuallyApprovesFollowers": True,
        "discoverable": False,
        "indexable": False,
        "webfinger": f"{domain}@{domain}",
        "publicKey": _key(sender.key_id, uri, sender.public_key),
        "generator": _generator(),
    }


def featured_tags_uri(account: Account) -> str:
    """Where the hashtags are that somebody shows on their page."""
    return f"{account.uri}/tags"


def _frame(account: Account) -> Document:
    """What is the same for everybody. The day of joining is not told to the minute, as Mastodon does."""
    uri = account.uri
    return {
        "id": uri,
        "type": account.actor_type,
        "preferredUsername": account.username,
        "url": account.url,
        "inbox": account.inbox,
        "outbox": account.outbox,
        "followers": account.followers_uri,
        "following": account.following_uri,
        "featured": account.featured_uri,
        "featuredTags": featured_tags_uri(account),
        "endpoints": {"sharedInbox": account.shared_inbox},
        "published": moments.iso(moments.day_start(moments.day(account.created_at))),
        "webfinger": f"{account.username}@{settings().domain}",
        "publicKey": _key(account.key_id, uri, account.public_key),
        "generator": _generator(),
    }


def _key(key_id: str, owner: str, pem: str) -> Document:
    """One object, never a list: Pleroma and others read no list."""
    return {"id": key_id, "owner": owner, "publicKeyPem": pem}


def _generator() -> Document:
    return {"type": "Application", "id": uris.server_uri(), "implements": _IMPLEMENTS}


def _tags(account: Account) -> Iterator[Document]:
    yield from map(hashtag, text.scan(account.note_source).hashtags)
    yield from map(emoji, account.emojis)


def _field(field: dict[str, Any]) -> Document:
    """A fact on the profile; its links carry `rel="me"` since it was written."""
    return {"type": "PropertyValue", "name": field["name"], "value": field["value"]}
