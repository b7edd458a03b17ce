"""What other servers send, family by family: the documents in `payloads/<family>/<name>.json`.

Written by us after the public documents of each server, in the shapes that it really sends: what a family
does not know (Lemmy no polls, PeerTube no Move) is not there. `actor` is the author of everything beside it;
the others are activities as they come into the inbox, but in `others`, where each file is one post of another
server. In them ALICE lives here, POST is a post of hers and POLL a poll of hers with Tea and Coffee.

    families.load("mastodon", "reply", {families.POST: post.uri, families.ALICE: alice.uri})
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fediblog.activitypub import compact
from tests.people import pair

ALICE = "https://here.example/ap/accounts/1"
HANDLE = "@alice@here.example"
POST = "https://here.example/ap/posts/10"
POLL = "https://here.example/ap/posts/11"

_FOLDER = Path(__file__).parent / "payloads"
_OTHERS = "others"
_NO_PEM = "-----BEGIN PUBLIC KEY-----\nPEM\n-----END PUBLIC KEY-----\n"


def names() -> list[str]:
    """The families, each with an actor."""
    return sorted(each.name for each in _FOLDER.iterdir() if each.is_dir() and each.name != _OTHERS)


def payloads(family: str) -> list[str]:
    """What there is of a family: `actor`, `post`, `reply`, `edit`, `delete`, `boost`, `like`, and more."""
    return sorted(each.stem for each in (_FOLDER / family).glob("*.json"))


def everything() -> list[tuple[str, str]]:
    """Every payload of every family and of the others."""
    return [(family, name) for family in [*names(), _OTHERS] for name in payloads(family)]


def knows(name: str) -> list[str]:
    """The families that send this: `knows("poll")`."""
    return [family for family in names() if name in payloads(family)]


def load(family: str, name: str, swap: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A payload as JSON, with a real key in it. `swap` puts other values in the place of whole strings."""
    written = json.loads((_FOLDER / family / f"{name}.json").read_text(encoding="utf-8"))
    loaded: dict[str, Any] = _swapped(written, {_NO_PEM: pair()[0]} | dict(swap or {}))
    return loaded


def read(family: str, name: str, swap: Mapping[str, str] | None = None) -> compact.Node:
    """The same as it is read from a body."""
    return compact.read(json.dumps(load(family, name, swap)).encode())


def author(family: str) -> str:
    """The id of the actor of a family."""
    found: str = load(family, "actor")["id"]
    return found


def followers(family: str) -> str | None:
    """The author's followers, where the family names them."""
    return load(family, "actor").get("followers")


def _swapped(value: Any, swap: Mapping[str, str]) -> Any:
    match value:
        case str():
            return swap.get(value, value)
        case list():
            return [_swapped(each, swap) for each in value]
        case dict():
            return {name: _swapped(each, swap) for name, each in value.items()}
    return value
