"""Who may speak for what: each refusal of the origin law."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.activitypub import ownership
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.config import Config

pytestmark = pytest.mark.once

EVE = "https://remote.example/users/eve"
MALLORY = "https://remote.example/users/mallory"
OTHER = "https://other.example/users/eve"
OURS = "https://home.example/ap/accounts/1"
NOTE = "https://remote.example/notes/1"
KEY = EVE + "#main-key"


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="home.example", base_url="https://home.example")


def refused(check: Callable[..., object], *given: object) -> Reason:
    with pytest.raises(Forged) as caught:
        check(*given)
    assert caught.value.http_status == 403
    return caught.value.reason


# fmt: off
ORIGINS = [
    ("https://a.example", "https://a.example"),
    ("HTTPS://A.Example/Path?q#f", "https://a.example"),
    ("https://a.example:443/x", "https://a.example"),
    ("https://a.example:8443/x", "https://a.example:8443"),
    ("http://a.example:443/x", "http://a.example:443"),
    ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
    ("https://[2001:DB8::1]/x", "https://[2001:db8::1]"),
    ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ("https://müller.example/x", "https://xn--mller-kva.example"),
    ("https://a.example?x", "https://a.example"),
    ("https://a.example#x@b.example", "https://a.example"),
    ("https://a_b.example/ü", "https://a_b.example"),
]
NO_ORIGINS = [
    "", "a.example", "//a.example/x", "https:a.example", "https:///x", "https://", "ftp://a.example",
    "javascript:alert(1)", "acct:eve@a.example", "did:key:z6Mk", "urn:uuid:1", "data:,x", " https://a.example",
    "https://a.example/ x", "https://a.example\t/x", "https://a.ex\nample/x", "https://a.example\\@b.example/",
    "https://user@a.example/", "https://user:pw@a.example/", "https://a.example:/x", "https://a.example:0/",
    "https://a.example:080/", "https://a.example:99999/", "https://a.example:x/", "https://a.example:-1/",
    "https://a.example./x", "https://.a.example/", "https://a..example/", "https://a%2eexample/",
    "https://[::1/", "https://::1]/", "https://a.example,b.example/", "https://straße.example/",
    "https://ａ.example/", "https://a.example\u2028/", "https://a.example/\ud800", "https://a.example/\x00",
    "https://" + "a" * 300 + "/", "https://" + "ü" * 300 + "/", "https://a.example/" + "x" * 3000,
    "https://\u3002/", "https://xn--\u00fc.example/",
]
# fmt: on


@pytest.mark.parametrize(("uri", "expected"), ORIGINS)
def test_the_origin_is_scheme_host_and_port(uri: str, expected: str):
    assert ownership.origin(uri) == expected


@pytest.mark.parametrize("uri", NO_ORIGINS)
def test_what_is_no_address_or_means_two_things_has_no_origin(uri: str):
    assert refused(ownership.origin, uri) is Reason.ADDRESS
    assert not ownership.same_origin(uri, uri)
    assert not ownership.is_ours(uri)


@pytest.mark.parametrize(
    "other",
    [
        "http://a.example/x",
        "https://a.example:8443/x",
        "https://b.a.example/x",
        "https://a.example.evil.example/x",
        "https://evila.example/x",
        "https://a.example@evil.example/",
    ],
)
def test_origins_are_compared_whole(other: str):
    assert ownership.same_origin("https://a.example/1", "https://A.example:443/2")
    assert not ownership.same_origin("https://a.example/1", other)


@given(st.text(alphabet="htps:/.@[]a%\\0é#?- ", max_size=30).map("https://".__add__) | st.text())
@settings(max_examples=300)
def test_no_address_raises_anything_but_forged(uri: str):
    try:
        found = ownership.origin(uri)
    except Forged:
        return
    assert ownership.origin(found) == found
    assert ownership.origin(found + "/x") == found


@pytest.mark.parametrize(
    "uri", [OURS, "https://HOME.example:443/x", "http://home.example/x", "https://home.example"]
)
def test_an_address_of_ours_is_never_accepted_from_outside(uri: str):
    assert ownership.is_ours(uri)
    assert refused(ownership.check_foreign, uri) is Reason.OURS


@pytest.mark.parametrize("uri", [EVE, "https://home.example:8443/x", "https://x.home.example/"])
def test_an_address_elsewhere_is_not_ours(uri: str):
    assert not ownership.is_ours(uri)
    assert ownership.check_foreign(uri) == ownership.origin(uri)


def test_ports_tell_two_servers_on_one_machine_apart(configure: Callable[..., Config]):
    configure(domain="localhost:8001", base_url="http://localhost:8001")
    assert ownership.is_ours("http://localhost:8001/ap/accounts/1")
    assert not ownership.is_ours("http://localhost:8002/ap/accounts/1")


# fmt: off
OWNERS = [
    ({"type": "Person", "id": EVE}, EVE),
    ({"type": "Group", "id": EVE, "attributedTo": [MALLORY, OTHER]}, EVE),
    ({"type": "Like", "id": NOTE, "actor": EVE}, EVE),
    ({"type": "Create", "actor": {"id": EVE, "type": "Person"}, "attributedTo": MALLORY}, EVE),
    ({"type": "Note", "attributedTo": EVE}, EVE),
    ({"type": "Note", "attributedTo": EVE, "actor": MALLORY}, EVE),
    ({"type": "Note", "attributedTo": [{"id": EVE, "type": "Person"}]}, EVE),
    ({"type": "Video", "attributedTo": [{"id": EVE, "type": "Person"}, {"id": OTHER, "type": "Group"}]}, EVE),
    ({"type": "Video", "attributedTo": [EVE, OTHER]}, EVE),
    ({"type": "Question", "actor": EVE}, EVE),
]
NOBODYS = [
    {},
    {"type": "Note"},
    {"type": "Person"},
    {"type": "Create", "attributedTo": EVE},
    {"type": "Create", "actor": [EVE, MALLORY]},
    {"type": "Note", "attributedTo": [EVE, MALLORY]},
    {"type": "Note", "attributedTo": [], "actor": EVE},
    {"type": "Note", "attributedTo": [{"id": EVE, "type": "Person"}, {"id": MALLORY, "type": "Person"}]},
    {"type": "Note", "attributedTo": {"name": "eve"}},
    {"type": "Note", "attributedTo": 5},
]
# fmt: on


@pytest.mark.parametrize(("thing", "owner"), OWNERS)
def test_everything_has_one_owner(thing: dict[str, Any], owner: str):
    """FEP-c7d3."""
    assert ownership.owner_of(thing) == owner


@pytest.mark.parametrize("thing", NOBODYS)
def test_what_is_nobodys_or_of_several_has_no_owner(thing: dict[str, Any]):
    """FEP-c7d3."""
    assert refused(ownership.owner_of, thing) is Reason.OWNER


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "Create", "id": NOTE, "actor": EVE},
        {"type": "Like", "actor": EVE},
        {"type": "Undo", "actor": {"id": EVE, "type": "Person"}, "id": "HTTPS://REMOTE.example:443/x"},
    ],
)
def test_an_activity_of_the_signer_is_taken(activity: dict[str, Any]):
    """FEP-fe34."""
    ownership.check_activity(activity, EVE)


# fmt: off
FORGED = [
    ({"actor": MALLORY, "id": NOTE}, EVE, Reason.ACTOR),              # a neighbour on the same host
    ({"actor": OTHER, "id": NOTE}, EVE, Reason.ACTOR),                # somebody elsewhere
    ({"actor": OURS, "id": NOTE}, EVE, Reason.ACTOR),                 # one of our people
    ({"id": NOTE}, EVE, Reason.ACTOR),
    ({"actor": [EVE, MALLORY], "id": NOTE}, EVE, Reason.ACTOR),
    ({"actor": EVE + "#x", "id": NOTE}, EVE, Reason.ACTOR),
    ({"actor": EVE.upper(), "id": NOTE}, EVE, Reason.ACTOR),
    ({"actor": OURS, "id": OURS + "/x"}, OURS, Reason.OURS),          # a key that claims to be ours
    ({"actor": OURS}, OURS, Reason.OURS),
    ({"actor": EVE, "id": OURS}, EVE, Reason.OURS),                   # an id that claims to be ours
    ({"actor": EVE, "id": "http://home.example/x"}, EVE, Reason.OURS),
    ({"actor": EVE, "id": "https://other.example/1"}, EVE, Reason.ORIGIN),
    ({"actor": EVE, "id": "http://remote.example/1"}, EVE, Reason.ORIGIN),
    ({"actor": EVE, "id": "https://remote.example:8443/1"}, EVE, Reason.ORIGIN),
    ({"actor": EVE, "id": "https://x@remote.example/1"}, EVE, Reason.ADDRESS),
    ({"actor": EVE, "id": "urn:1"}, EVE, Reason.ADDRESS),
    ({"actor": "eve", "id": NOTE}, "eve", Reason.ADDRESS),
]
# fmt: on


@pytest.mark.parametrize(("activity", "signer", "reason"), FORGED)
def test_an_activity_that_is_not_the_signers_is_refused(
    activity: dict[str, Any], signer: str, reason: Reason
):
    """FEP-fe34, SECURITY §2: `owner == activity.actor` exactly, before any processing."""
    assert refused(ownership.check_activity, activity, signer) is reason


CREATE = {"type": "Create", "actor": EVE, "id": NOTE + "/create"}


@pytest.mark.parametrize(
    "thing",
    [
        {"type": "Note", "id": NOTE, "attributedTo": EVE},
        {"type": "Follow", "id": NOTE, "actor": EVE, "object": OURS},
        {"type": "Person", "id": EVE},
    ],
)
def test_an_embedded_object_of_the_actor_is_believed(thing: dict[str, Any]):
    """FEP-fe34."""
    assert ownership.may_embed(thing, CREATE)


# fmt: off
NOT_EMBEDDED = [
    NOTE, None, [], 5, {},
    {"type": "Note", "attributedTo": EVE},                                         # no id
    {"type": "Note", "id": NOTE},                                                  # no owner
    {"type": "Note", "id": NOTE, "attributedTo": MALLORY},                         # a neighbour's
    {"type": "Note", "id": NOTE, "attributedTo": OTHER},
    {"type": "Note", "id": NOTE, "attributedTo": [EVE, MALLORY]},
    {"type": "Note", "id": "https://other.example/1", "attributedTo": EVE},        # from elsewhere
    {"type": "Note", "id": "http://remote.example/1", "attributedTo": EVE},
    {"type": "Note", "id": "https://home.example/ap/posts/1", "attributedTo": EVE},  # ours
    {"type": "Person", "id": MALLORY},
    {"type": "Create", "id": NOTE, "actor": MALLORY, "object": {"type": "Note", "attributedTo": EVE}},
]
# fmt: on


@pytest.mark.parametrize("thing", NOT_EMBEDDED)
def test_every_other_embedded_object_is_only_fetched(thing: object):
    """FEP-fe34, FEDERATION §13.8."""
    assert not ownership.may_embed(thing, CREATE)


def test_nothing_is_believed_inside_an_activity_of_ours_or_of_nobody():
    note = {"type": "Note", "id": "https://home.example/ap/posts/1", "attributedTo": OURS}
    assert not ownership.may_embed(note, {"type": "Create", "actor": OURS})
    assert not ownership.may_embed({"type": "Note", "id": NOTE, "attributedTo": EVE}, {"type": "Create"})


@pytest.mark.parametrize(
    "document",
    [
        {"id": NOTE, "type": "Note", "attributedTo": EVE},
        {"id": NOTE, "type": "Note", "attributedTo": MALLORY},
        {"id": NOTE, "type": "Tombstone"},
        {"id": NOTE, "type": "OrderedCollection", "totalItems": 0},
        {"id": NOTE, "type": "Group", "attributedTo": [OTHER, EVE]},
    ],
)
def test_a_document_from_its_own_address_is_believed(document: dict[str, Any]):
    ownership.check_fetched(document, NOTE)


# fmt: off
FETCHED = [
    ({"type": "Note", "attributedTo": EVE}, NOTE, Reason.ORIGIN),
    ({"id": NOTE, "type": "Note", "attributedTo": EVE}, NOTE + "?x", Reason.ORIGIN),
    ({"id": NOTE, "type": "Note", "attributedTo": EVE}, "https://evil.example/upload", Reason.ORIGIN),
    ({"id": NOTE, "type": "Note", "attributedTo": OTHER}, NOTE, Reason.ORIGIN),
    ({"id": NOTE, "type": "Note", "attributedTo": OURS}, NOTE, Reason.ORIGIN),
    ({"id": NOTE, "type": "Create", "actor": OTHER}, NOTE, Reason.ORIGIN),
    ({"id": NOTE, "type": "Note", "attributedTo": [EVE, MALLORY]}, NOTE, Reason.OWNER),
    ({"id": OURS, "type": "Person"}, OURS, Reason.OURS),
]
# fmt: on


@pytest.mark.parametrize(("document", "url", "reason"), FETCHED)
def test_a_fetched_document_that_is_not_its_addresses_is_refused(
    document: dict[str, Any], url: str, reason: Reason
):
    """SECURITY §1.1 (a), CVE-2024-23832."""
    assert refused(ownership.check_fetched, document, url) is reason


def actor(*listed: object, uri: str = EVE) -> dict[str, Any]:
    return {"type": "Person", "id": uri, "publicKey": list(listed)}


MAIN = {"id": KEY, "owner": EVE, "publicKeyPem": "PEM"}


def test_a_key_is_the_one_that_its_owner_lists():
    assert ownership.key_of({"id": EVE, "publicKey": MAIN}, KEY) == "PEM"
    assert (
        ownership.key_of(actor({"id": EVE + "#old", "owner": EVE, "publicKeyPem": "OLD"}, MAIN), KEY) == "PEM"
    )
    held = {"id": EVE + "/main-key", "controller": EVE, "publicKeyPem": "PEM"}
    assert ownership.key_of(actor(held), EVE + "/main-key") == "PEM"


# fmt: off
KEYS = [
    (actor(MAIN), EVE + "#other", Reason.KEY),                                  # not that key
    (actor(), KEY, Reason.KEY),
    (actor("PEM", KEY, None), KEY, Reason.KEY),
    (actor({**MAIN, "owner": MALLORY}), KEY, Reason.KEY),                       # another's key
    (actor({"id": KEY, "publicKeyPem": "PEM"}), KEY, Reason.KEY),               # nobody's key
    (actor({"id": KEY, "owner": EVE}), KEY, Reason.KEY),
    (actor({**MAIN, "publicKeyPem": 5}), KEY, Reason.KEY),
    (actor({**MAIN, "id": OTHER + "#main-key"}), OTHER + "#main-key", Reason.ORIGIN),  # a key on another host
    (actor(MAIN, uri=OTHER), KEY, Reason.ORIGIN),
    (actor(MAIN), "http://remote.example/users/eve#main-key", Reason.ORIGIN),
    (actor({**MAIN, "id": OURS + "#main-key"}), OURS + "#main-key", Reason.OURS),  # a key of ours
    ({"publicKey": MAIN}, KEY, Reason.ORIGIN),
]
# fmt: on


@pytest.mark.parametrize(("document", "key_id", "reason"), KEYS)
def test_a_key_that_its_owner_does_not_list_is_refused(document: dict[str, Any], key_id: str, reason: Reason):
    """SECURITY §2: Misskey #2546, CVE-2026-28432, Fedify #963."""
    assert refused(ownership.key_of, document, key_id) is reason
