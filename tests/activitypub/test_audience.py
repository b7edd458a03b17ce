"""Visibility as to and cc, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.activitypub import audience
from fediblog.activitypub.audience import Audience
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Visibility

pytestmark = pytest.mark.once

FOLLOWERS = "https://remote.example/users/eve/followers"
ALICE = "https://home.example/ap/accounts/1"
BOB = "https://home.example/ap/accounts/2"


# fmt: off
INBOUND = [
    ({"to": [PUBLIC], "cc": [FOLLOWERS]}, Visibility.PUBLIC, ()),
    ({"to": ["as:Public"]}, Visibility.PUBLIC, ()),
    ({"to": "Public"}, Visibility.PUBLIC, ()),
    ({"to": [PUBLIC], "cc": [PUBLIC, ALICE]}, Visibility.PUBLIC, (ALICE,)),
    ({"to": [FOLLOWERS], "cc": [PUBLIC]}, Visibility.UNLISTED, ()),
    ({"to": [ALICE], "cc": ["as:Public"]}, Visibility.UNLISTED, (ALICE,)),
    ({"to": [FOLLOWERS], "cc": [ALICE]}, Visibility.FOLLOWERS, (ALICE,)),
    ({"to": [ALICE], "cc": FOLLOWERS}, Visibility.FOLLOWERS, (ALICE,)),
    ({"to": [ALICE, BOB, ALICE]}, Visibility.DIRECT, (ALICE, BOB)),
    ({"to": ["https://remote.example/users/other/followers"]}, Visibility.DIRECT,
     ("https://remote.example/users/other/followers",)),
    ({"to": [], "cc": []}, Visibility.DIRECT, ()),
    ({}, Visibility.DIRECT, ()),
    ({"to": [5, None, {}], "cc": {"id": ALICE}}, Visibility.DIRECT, (ALICE,)),
    # what is not to or cc makes nothing wider
    ({"to": [ALICE], "bto": [PUBLIC], "bcc": [PUBLIC], "audience": [PUBLIC]}, Visibility.DIRECT, (ALICE,)),
    ({"to": ["https://www.w3.org/ns/activitystreams#public", "as:public"]}, Visibility.DIRECT,
     ("https://www.w3.org/ns/activitystreams#public", "as:public")),
]
# fmt: on


@pytest.mark.parametrize(("thing", "visibility", "named"), INBOUND)
def test_to_and_cc_tell_who_may_see_it(thing: dict[str, Any], visibility: Visibility, named: tuple[str, ...]):
    assert audience.read(thing, None, FOLLOWERS) == Audience(visibility, named)


def test_an_object_that_says_nothing_has_the_audience_of_its_activity():
    activity = {"to": [PUBLIC], "cc": [ALICE]}
    assert audience.read({}, activity, FOLLOWERS) == Audience(Visibility.PUBLIC, (ALICE,))


def test_an_activity_does_not_widen_what_its_object_says():
    activity = {"to": [PUBLIC]}
    assert audience.read({"to": [ALICE]}, activity, FOLLOWERS).visibility is Visibility.DIRECT
    assert audience.read({"cc": []}, activity, FOLLOWERS).visibility is Visibility.DIRECT


def test_an_author_without_a_followers_collection_has_no_followers_posts():
    assert audience.read({"to": [FOLLOWERS]}, None, None).visibility is Visibility.DIRECT


def test_a_thousand_are_named_and_the_rest_is_dropped_but_still_tells_the_visibility():
    crowd = [f"https://remote.example/{number}" for number in range(1_500)]
    found = audience.read({"to": [*crowd, PUBLIC]}, None, FOLLOWERS)
    assert found.visibility is Visibility.PUBLIC
    assert len(found.named) == 1_000


# fmt: off
OUTBOUND = [
    (Visibility.PUBLIC, [PUBLIC], [FOLLOWERS, ALICE, BOB]),
    (Visibility.UNLISTED, [FOLLOWERS], [PUBLIC, ALICE, BOB]),
    (Visibility.FOLLOWERS, [FOLLOWERS], [ALICE, BOB]),
    (Visibility.DIRECT, [ALICE, BOB], []),
]
# fmt: on


@pytest.mark.parametrize(("visibility", "to", "cc"), OUTBOUND)
def test_each_visibility_has_its_address(visibility: Visibility, to: list[str], cc: list[str]):
    assert audience.address(visibility, FOLLOWERS, [ALICE, BOB, ALICE]) == (to, cc)


people = st.lists(st.integers(0, 9).map(lambda number: f"https://a.example/{number}"), max_size=5)


@given(st.sampled_from(Visibility), people)
def test_what_we_address_is_read_back_as_it_was(visibility: Visibility, mentioned: list[str]):
    to, cc = audience.address(visibility, FOLLOWERS, mentioned)
    found = audience.read({"to": to, "cc": cc}, None, FOLLOWERS)
    assert found == Audience(visibility, tuple(dict.fromkeys(mentioned)))
