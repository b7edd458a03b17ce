"""Ids, moments, pages, addresses and keys: small things that everything rests on."""

import re
import threading
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from fediblog import errors, ids, keys, moments, paging, uris
from fediblog.paging import BIGGEST, Page

pytestmark = pytest.mark.once

AFTER_2248 = 1 << 43


def test_ids_rise_strictly_even_when_the_clock_goes_back(monkeypatch):
    first = ids.new()
    monkeypatch.setattr(moments, "now", lambda: 1_000)
    made = [ids.new() for _ in range(1_000)]
    assert made == sorted(set(made))
    assert made[0] > first


def test_ids_made_by_many_threads_are_all_different():
    made: list[list[int]] = [[] for _ in range(8)]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(ids.new() for _ in range(2_000)))
        for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({number for mine in made for number in mine}) == 16_000


@given(st.integers(0, AFTER_2248 - 1))
def test_an_id_keeps_its_moment_and_fits_the_database(moment):
    number = ids.at(moment)
    assert ids.moment_of(number) == moment
    assert ids.floor(moment) <= number < ids.floor(moment + 1)
    assert 0 <= number <= BIGGEST


@given(st.integers(0, 253_402_300_799_999))
def test_a_moment_and_its_text_are_the_same_time(moment):
    text = moments.iso(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    read = datetime.fromisoformat(text)
    assert round((read - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) == moment
    assert text.startswith(moments.iso_day(moment))


@given(st.integers(0, 253_402_300_799_999))
def test_a_day_begins_at_midnight_in_utc(moment):
    start = moments.day_start(moments.day(moment))
    assert start <= moment < start + moments.DAY
    assert moments.iso(start).endswith("T00:00:00.000Z")


def test_now_is_now():
    assert abs(moments.when(moments.now()) - datetime.now(UTC)).total_seconds() < 5


@pytest.mark.parametrize("garbage", ["", "x", "-1", "1.5", "0", "9" * 30, "٣", "1\n", " 1", "0x10"])
def test_garbage_in_a_cursor_counts_as_not_given(garbage):
    page = paging.parse({"max_id": garbage, "since_id": garbage, "min_id": garbage, "limit": garbage})
    assert page == Page(limit=20)
    assert (page.before, page.after, page.order) == (BIGGEST, 0, "DESC")


def test_a_limit_is_cut_and_a_cursor_fits_the_database():
    page = paging.parse({"limit": "1000", "max_id": "9999999999999999999"}, default=20, most=40)
    assert (page.limit, page.max_id) == (40, BIGGEST)


def test_min_id_asks_for_the_page_right_above_it():
    page = paging.parse({"min_id": "7", "max_id": "9"})
    assert (page.after, page.before, page.order, page.upward) == (7, 9, "ASC", True)
    page = paging.parse({"since_id": "7"})
    assert (page.after, page.order, page.upward) == (7, "DESC", False)


def test_links_lead_to_the_neighbours_and_keep_what_was_asked():
    args = [("local", "true"), ("max_id", "99"), ("limit", "5"), ("types[]", "a&b"), ("types[]", "c")]
    header = paging.links("https://a.example/api", args, Page(limit=5), [9, 8, 7])
    older, newer = re.fullmatch(r'<(.+)>; rel="next", <(.+)>; rel="prev"', header).groups()
    kept = {"local": ["true"], "types[]": ["a&b", "c"], "limit": ["5"]}
    assert parse_qs(urlsplit(older).query) == kept | {"max_id": ["7"]}
    assert parse_qs(urlsplit(newer).query) == kept | {"min_id": ["9"]}
    assert paging.links("https://a.example/api", args, Page(), []) == ""


def test_identities_are_opaque_and_recognised(config):
    number = ids.new()
    assert uris.account_uri(number) == f"http://localhost:8000/ap/accounts/{number}"
    assert uris.local(uris.account_uri(number)) == ("accounts", number)
    assert uris.local(uris.post_uri(number)) == ("posts", number)
    assert uris.local(uris.post_uri(BIGGEST)) == ("posts", BIGGEST)
    assert uris.shared_inbox() == "http://localhost:8000/ap/inbox"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://localhost:8000",
        "http://localhost:8000/ap/accounts/",
        "http://localhost:8000/ap/accounts/x",
        "http://localhost:8000/ap/accounts/07",
        "http://localhost:8000/ap/accounts/0",
        "http://localhost:8000/ap/accounts/٧",
        "http://localhost:8000/ap/accounts/7\n",
        "http://localhost:8000/ap/accounts/7/",
        "http://localhost:8000/ap/accounts/7?x=1",
        "http://localhost:8000/ap/accounts/7#main-key",
        "http://localhost:8000/ap/accounts/9999999999999999999",
        "http://localhost:8000/ap/servers/7",
        "http://localhost:80001/ap/accounts/7",
        "http://localhost:8000.evil.example/ap/accounts/7",
        "https://localhost:8000/ap/accounts/7",
        "https://far.example/ap/accounts/7",
        "//localhost:8000/ap/accounts/7",
    ],
)
def test_other_addresses_are_not_ours(config, uri):
    assert uris.local(uri) is None


def test_pages_have_speaking_names(config):
    assert uris.profile_path("alice") == "/@alice"
    assert uris.profile_path("dave", "far.example") == "/@dave@far.example"
    assert uris.post_page("alice", 7) == "http://localhost:8000/@alice/7"
    assert uris.tag_page("Café/1") == "http://localhost:8000/tags/caf%C3%A9%2F1"


def test_a_password_opens_its_hash_and_nothing_else(slow_passwords):
    stored = keys.hash_password("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != keys.hash_password("correct horse")
    assert keys.check_password(stored, "correct horse")
    assert not keys.check_password(stored, "correct horse ")
    assert not keys.check_password("", "x")
    assert not keys.check_password("no hash at all", "x")
    assert not keys.password_needs_rehash(stored)
    assert keys.password_needs_rehash("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)


def test_strange_passwords_are_wrong_and_no_fault():
    stored = keys.hash_password("\ud800\0")
    assert keys.check_password(stored, "\ud800\0")
    assert not keys.check_password(stored, "\udfff")
    assert not keys.check_password(keys.dummy_hash(), "")


def test_tokens_are_long_random_and_kept_as_a_digest():
    token = keys.new_token()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token != keys.new_token()
    assert keys.token_hash(token) == keys.token_hash(token)
    assert re.fullmatch(r"[0-9a-f]{64}", keys.token_hash("\ud800"))


def test_a_signature_holds_for_one_purpose_one_message_and_one_secret():
    signature = keys.sign(b"secret", "unsubscribe", "7")
    assert keys.verify(b"secret", "unsubscribe", "7", signature)
    assert not keys.verify(b"secret", "reset", "7", signature)
    assert not keys.verify(b"secret", "unsubscribe", "8", signature)
    assert not keys.verify(b"other", "unsubscribe", "7", signature)
    for forged in ("", "\ud800", signature + "=", signature[:-1]):
        assert not keys.verify(b"secret", "unsubscribe", "7", forged)


def test_a_seal_opens_with_the_same_secret_only():
    sealed = keys.seal(b"secret", b"private")
    assert b"private" not in sealed
    assert keys.unseal(b"secret", sealed) == b"private"
    with pytest.raises(InvalidToken):
        keys.unseal(b"other", sealed)
    with pytest.raises(InvalidToken):
        keys.unseal(b"secret", sealed[:-4] + b"AAAA")


def test_both_halves_of_a_pair_belong_together():
    public, private = keys.new_pair()
    signer = serialization.load_der_private_key(private, None)
    signature = signer.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    verifier = serialization.load_pem_public_key(public.encode())
    verifier.verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())
    assert verifier.key_size == 2048


def _kinds(kind=errors.FediblogError):
    """The tree as its module draws it; rooms of their own may have kinds that need more words."""
    grown = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind] + [each for child in grown for each in _kinds(child)]


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.__name__)
def test_each_error_has_a_sentence_and_a_status(kind):
    error = kind()
    assert error.message == str(error) == kind.default
    assert 400 <= kind.http_status < 600
    assert kind("A sentence.").message == "A sentence."


def test_an_invalid_field_carries_its_sentence():
    assert errors.Invalid("Too long.", "text").fields == {"text": "Too long."}
    both = errors.Invalid(fields={"a": "First.", "b": "Second."})
    assert both.message == "First."
    assert both.fields == {"a": "First.", "b": "Second."}
    assert errors.TooMany(retry_after=7).retry_after == 7
