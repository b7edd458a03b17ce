"""What `activitypub.reading` would hand over: posts and profiles of other servers, for tests of services."""

from itertools import count
from typing import Any

from fediblog import moments
from fediblog.models import Account, Visibility
from fediblog.services.incoming import IncomingAccount, IncomingPost

_numbers = count(1)


def said(author: Account, **more: Any) -> IncomingPost:
    """A public post of somebody elsewhere, written a minute ago."""
    uri = f"https://{author.domain}/notes/{next(_numbers)}"
    values: dict[str, Any] = {
        "uri": uri,
        "url": uri + ".html",
        "author_uri": author.uri,
        "content": "<p>Hello</p>",
        "visibility": Visibility.PUBLIC,
        "created_at": moments.now() - moments.MINUTE,
    }
    return IncomingPost(**{**values, **more})


def profile(username: str = "rita", domain: str = "remote.example", **more: Any) -> IncomingAccount:
    """An actor as its server shows it."""
    uri = f"https://{domain}/users/{username}"
    values: dict[str, Any] = {
        "uri": uri,
        "username": username,
        "domain": domain,
        "inbox": uri + "/inbox",
        "shared_inbox": f"https://{domain}/inbox",
        "public_key": "a key",
        "key_id": uri + "#main-key",
        "display_name": username.capitalize(),
    }
    return IncomingAccount(**{**values, **more})
