"""Documents that are kept as bytes."""

import pytest

from fediblog.activitypub.serving import Kept

pytestmark = pytest.mark.once


def test_what_was_not_used_for_long_goes_when_there_is_no_room(config):
    kept = Kept(budget=10)
    kept.put(b"12345", "first")
    kept.put(b"12345", "second")
    assert kept.get("first") == b"12345"
    kept.put(b"12345", "third")
    assert [kept.get(name) for name in ("first", "second", "third")] == [b"12345", None, b"12345"]


def test_the_same_key_takes_its_room_once(config):
    kept = Kept(budget=10)
    for _ in range(5):
        assert kept.put(b"12345", "one", 2) == b"12345"
    kept.put(b"12345", "other")
    assert kept.get("one", 2) == b"12345"


def test_what_is_larger_than_all_the_room_is_not_kept(config):
    kept = Kept(budget=3)
    assert kept.put(b"12345", "one") == b"12345"
    assert kept.get("one") is None
