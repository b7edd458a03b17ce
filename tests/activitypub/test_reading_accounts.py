"""Actors in every shape, and the ones that are refused: each check of the reader has its refusal here."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fediblog.activitypub import compact, documents, reading, senders
from fediblog.config import Config
from fediblog.errors import Malformed
from fediblog.services.incoming import Emoji, IncomingAccount

pytestmark = pytest.mark.once

BASE = "https://remote.example"
EVE = f"{BASE}/users/eve"
KEY = {"id": f"{EVE}#main-key", "owner": EVE, "publicKeyPem": "PEM"}


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="here.example", base_url="https://here.example")


def actor(**more: Any) -> compact.Node:
    made = {
        "id": EVE,
        "type": "Person",
        "preferredUsername": "eve",
        "inbox": f"{EVE}/inbox",
        "publicKey": KEY,
    }
    given = {name: value for name, value in (made | more).items() if value is not ...}
    return compact.read(orjson.dumps(given))


def account(**more: Any) -> IncomingAccount:
    return reading.account(actor(**more))


def test_four_things_are_enough():
    found = account()
    expected = IncomingAccount(
        uri=EVE,
        username="eve",
        inbox=f"{EVE}/inbox",
        public_key="PEM",
        key_id=f"{EVE}#main-key",
        domain="remote.example",
        url=EVE,
    )
    assert found == expected


# fmt: off
REFUSED: dict[str, dict[str, Any]] = {
    "a note": {"type": "Note"},
    "no type": {"type": ...},
    "no id": {"id": ...},
    "an id that is no address": {"id": "acct:eve@remote.example"},
    "an endless id": {"id": f"{BASE}/{'x' * 3_000}"},
    "no name": {"preferredUsername": ...},
    "an empty name": {"preferredUsername": " "},
    "a name with an at": {"preferredUsername": "eve@other.example"},
    "a name with a slash": {"preferredUsername": "../eve"},
    "a name with a blank": {"preferredUsername": "eve mallory"},
    "a name with markup": {"preferredUsername": "<b>eve</b>"},
    "a name that turns the writing": {"preferredUsername": "eve\u202elrig"},
    "a name that ends in a dot": {"preferredUsername": "eve."},
    "an endless name": {"preferredUsername": "e" * 300},
    "a name that is a number": {"preferredUsername": 5},
    "no inbox": {"inbox": ...},
    "an inbox that is no address": {"inbox": "inbox"},
    "an inbox on another host": {"inbox": "https://other.example/inbox"},
    "an inbox on another port": {"inbox": "https://remote.example:444/inbox"},
    "an inbox without TLS": {"inbox": "http://remote.example/inbox"},
    "an inbox of ours": {"id": "https://here.example/users/eve", "inbox": "https://here.example/ap/inbox",
                         "publicKey": {"id": "https://here.example/users/eve#k", "publicKeyPem": "PEM",
                                       "owner": "https://here.example/users/eve"}},
    "no key": {"publicKey": ...},
    "a key that is nobody's": {"publicKey": {"id": f"{EVE}#main-key", "publicKeyPem": "PEM"}},
    "a key of somebody else": {"publicKey": KEY | {"owner": f"{BASE}/users/mallory"}},
    "a key on another host": {"publicKey": KEY | {"id": "https://other.example/key"}},
    "a key on another host by address": {"publicKey": "https://other.example/key"},
    "a key without an id": {"publicKey": {"owner": EVE, "publicKeyPem": "PEM"}},
    "a key without a PEM": {"publicKey": {"id": f"{EVE}#main-key", "owner": EVE}},
    "a key of 20 kB": {"publicKey": KEY | {"publicKeyPem": "x" * 20_000}},
    "a key that is a number": {"publicKey": 5},
    "a list without a key": {"publicKey": []},
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_can_be_sent_to_or_proven_of_is_malformed(case: str):
    with pytest.raises(Malformed):
        account(**REFUSED[case])


# fmt: off
SHAPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": ["Person", "as:Person"]}, {"actor_type": "Person"}),
    *[({"type": kind}, {"actor_type": kind}) for kind in ("Service", "Group", "Application", "Organization")],
    ({"preferredUsername": "engines.channel"}, {"username": "engines.channel"}),
    ({"preferredUsername": "remote.example:8000"}, {"username": "remote.example:8000"}),
    ({"preferredUsername": "Éva_1-2"}, {"username": "Éva_1-2"}),
    ({"publicKey": [{"id": "x"}, KEY]}, {"public_key": "PEM"}),
    ({"publicKey": [KEY | {"owner": "https://other.example/"}, KEY | {"id": f"{EVE}#2",
     "publicKeyPem": "B"}]},
     {"key_id": f"{EVE}#2", "public_key": "B"}),
    ({"publicKey": {"id": f"{EVE}#k", "controller": EVE, "publicKeyPem": "PEM"}}, {"key_id": f"{EVE}#k"}),
    ({"publicKey": f"{EVE}#main-key"}, {"key_id": f"{EVE}#main-key", "public_key": ""}),
    ({"endpoints": {"sharedInbox": f"{BASE}/inbox"}}, {"shared_inbox": f"{BASE}/inbox"}),
    ({"sharedInbox": f"{BASE}/inbox"}, {"shared_inbox": f"{BASE}/inbox"}),
    ({"endpoints": {"sharedInbox": None}, "sharedInbox": f"{BASE}/inbox"}, {"shared_inbox": f"{BASE}/inbox"}),
    ({"endpoints": {"sharedInbox": "https://other.example/inbox"}}, {"shared_inbox": ""}),
    ({"endpoints": f"{BASE}/endpoints"}, {"shared_inbox": ""}),
    ({"outbox": {"id": f"{EVE}/outbox", "type": "OrderedCollection"}}, {"outbox": f"{EVE}/outbox"}),
    ({"outbox": "https://other.example/o", "followers": "https://here.example/ap/accounts/1/followers"},
     {"outbox": "", "followers_uri": ""}),
    ({"following": "https://other.example/o", "featured": "not an address"},
     {"following_uri": "", "featured_uri": ""}),
    ({"url": f"{BASE}/@eve"}, {"url": f"{BASE}/@eve"}),
    ({"url": [{"type": "Link", "href": f"{BASE}/eve.atom", "mediaType": "application/atom+xml"},
              {"type": "Link", "href": f"{BASE}/@eve", "mediaType": "text/html"}]}, {"url": f"{BASE}/@eve"}),
    ({"url": "https://other.example/@eve"}, {"url": EVE}),
    ({"url": "javascript:alert(1)"}, {"url": EVE}),
    ({"icon": {"type": "Image", "url": f"{BASE}/e.png"}}, {"avatar_url": f"{BASE}/e.png"}),
    ({"icon": f"{BASE}/e.png"}, {"avatar_url": f"{BASE}/e.png"}),
    ({"icon": [{"type": "Image", "url": f"{BASE}/48.png", "width": 48},
               {"type": "Image", "url": f"{BASE}/120.png", "width": 120}]},
     {"avatar_url": f"{BASE}/120.png"}),
    ({"icon": [{"url": f"{BASE}/e.pdf", "mediaType": "application/pdf"},
               {"url": f"{BASE}/e.png", "mediaType": "image/png"}]}, {"avatar_url": f"{BASE}/e.png"}),
    ({"icon": {"type": "Image", "url": [{"type": "Link", "href": f"{BASE}/e.png"}]}},
     {"avatar_url": f"{BASE}/e.png"}),
    ({"icon": {"type": "Image", "url": "data:image/png;base64,x"}}, {"avatar_url": ""}),
    ({"icon": None, "image": 5}, {"avatar_url": "", "header_url": ""}),
    ({"image": {"type": "Image", "url": "https://cdn.example/h.png"}},
     {"header_url": "https://cdn.example/h.png"}),
    ({"name": "<b>Eve</b> &amp; co\u202e"}, {"display_name": "Eve & co"}),
    ({"nameMap": {"de": "Eva"}}, {"display_name": "Eva"}),
    ({"name": "x" * 5_000}, {"display_name": "x" * 500}),
    ({"name": 5}, {"display_name": ""}),
    ({"summary": "<p onclick=x>Hi<script>x</script></p>"}, {"note": "<p>Hi</p>"}),
    ({"summary": "a < b\n\nhttps://x.example"},
     {"note": '<p>a &lt; b</p><p><a href="https://x.example" translate="no" '
              'rel="nofollow noopener noreferrer" target="_blank"><span class="invisible">https://</span>'
              "<span>x.example</span></a></p>"}),
    ({"summary": "Tom &amp; Eve"}, {"note": "Tom &amp; Eve"}),
    ({"summary": None}, {"note": ""}),
    ({"manuallyApprovesFollowers": True, "discoverable": True, "indexable": True, "suspended": True},
     {"locked": True, "discoverable": True, "indexable": True, "suspended": True}),
    ({"manuallyApprovesFollowers": "yes", "discoverable": 1, "indexable": {}, "suspended": "false"},
     {"locked": False, "discoverable": False, "indexable": False, "suspended": False}),
    ({"alsoKnownAs": "https://old.example/eve"}, {"also_known_as": ("https://old.example/eve",)}),
    ({"alsoKnownAs": ["did:key:z6Mk", "https://old.example/eve", "https://old.example/eve", 5]},
     {"also_known_as": ("https://old.example/eve",)}),
    ({"movedTo": {"id": "https://new.example/eve", "type": "Person"}},
     {"moved_to": "https://new.example/eve"}),
    ({"movedTo": "acct:eve@new.example"}, {"moved_to": ""}),
    ({"published": "2026-03-04T00:00:00Z"}, {"created_at": 1_772_582_400_000}),
    ({"published": "1850-01-01T00:00:00Z"}, {"created_at": 946_684_800_000}),
    ({"published": "once"}, {"created_at": None}),
    ({"tag": {"type": "Emoji", "name": ":cat:", "icon": {"url": f"{BASE}/c.png"}}},
     {"emojis": (Emoji("cat", f"{BASE}/c.png"),)}),
    ({"attributedTo": [f"{BASE}/users/mallory", f"{BASE}/users/bob"], "type": "Group"}, {"uri": EVE}),
    ({"attachment": [{"type": "PropertyValue", "name": "<i>Site</i>",
     "value": "<a href='https://x.example' rel=me>x</a>"},
                     {"type": "http://schema.org#PropertyValue", "name": "B", "value": "c & d"},
                     {"type": "PropertyValue"}, {"type": "Link", "href": "https://x.example"}, "x", 5]},
     {"fields": (("Site",
     '<a href="https://x.example" rel="nofollow noopener noreferrer" target="_blank">x</a>'),
                 ("B", "c &amp; d"))}),
    ({"attachment": {"type": "PropertyValue", "name": "A", "value": 5}}, {"fields": (("A", ""),)}),
]
# fmt: on


@pytest.mark.parametrize(("more", "expected"), SHAPES)
def test_actors_are_read_in_every_shape(more: dict[str, Any], expected: dict[str, Any]):
    found = account(**more)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_domain_has_the_port_of_the_id():
    uri = "http://127.0.0.1:8000/users/eve"
    key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": "PEM"}
    assert account(id=uri, inbox=f"{uri}/inbox", publicKey=key).domain == "127.0.0.1:8000"


def test_long_profiles_are_cut_and_not_refused():
    found = account(
        summary="<p>" + "x" * 100_000,
        attachment=[{"type": "PropertyValue", "name": "n" * 900, "value": "v" * 9_000}] * 20,
        alsoKnownAs=[f"https://old.example/{number}" for number in range(200)],
    )
    assert len(found.note) < 20_100 and len(found.also_known_as) == 64
    assert [(len(name), len(value)) for name, value in found.fields] == [(500, 2_000)] * 8


def test_the_server_that_we_are_can_be_read_elsewhere(configure: Callable[..., Config]):
    """It signs what no person causes, so others must be able to take it in."""
    uri = "https://here.example/ap/actor"
    sender = senders.Sender(uri=uri, key_id=f"{uri}#main-key", public_key="PEM", private_key=b"")
    node = compact.read(documents.with_context(documents.server(sender, "Here")))
    configure(domain="reader.example", base_url="https://reader.example")
    found = reading.account(node)
    assert (found.username, found.actor_type, found.domain) == ("here.example", "Application", "here.example")
    assert (found.inbox, found.shared_inbox) == (f"{uri}/inbox", "https://here.example/ap/inbox")
