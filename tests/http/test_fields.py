"""Media types and Retry-After."""

import time
from email.utils import formatdate

import pytest

from fediblog.http import media_type, retry_after
from fediblog.http.fields import fits_one

pytestmark = pytest.mark.once

LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
WANTED = ["application/activity+json", LD]
DAY = 24 * 3600


@pytest.mark.parametrize(
    "text",
    [
        "application/activity+json",
        "Application/Activity+JSON",
        "application/activity+json; charset=utf-8",
        'application/activity+json;charset="utf-8";',
        'application/activity+json; profile="https://www.w3.org/ns/activitystreams"',
        LD,
        'application/ld+json;PROFILE="https://www.w3.org/ns/activitystreams"; charset=utf-8',
        'application/ld+json; profile="https://other.example/ https://www.w3.org/ns/activitystreams"',
    ],
)
def test_a_type_that_was_asked_for(text: str) -> None:
    kind = media_type(text)
    assert kind and fits_one(kind, WANTED)


@pytest.mark.parametrize(
    "text",
    [
        "text/html",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams#other"',
        'text/html; profile="application/activity+json"',
        'text/html; a="; application/activity+json"',
        "application/activity+jsonx",
        "image/png",
    ],
)
def test_a_type_that_was_not(text: str) -> None:
    kind = media_type(text)
    assert kind and not fits_one(kind, WANTED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "application",
        "application/",
        "application/activity+json, text/html",
        "text/html, application/activity+json",
        "application/activity+json charset=utf-8",
        'application/activity+json; charset="utf-8',
        "application/activity+json; a=b; A=c",
        "application / activity+json",
    ],
)
def test_what_is_no_type(text: str) -> None:
    assert media_type(text) is None


def test_a_range_takes_its_kind() -> None:
    picture = media_type("image/png")
    assert picture and fits_one(picture, ["video/*", "image/*"]) and fits_one(picture, ["*/*"])
    assert not fits_one(picture, ["imag/*", "video/*"])


def test_a_long_field_is_read_quickly() -> None:
    started = time.perf_counter()
    for text in ('a/b; c="' + '\\"' * 100_000, "a/b" + ";" * 200_000, "a/b" + "; " * 100_000 + "("):
        media_type(text)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 99 Foo 2026 00:00:00 GMT", None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        (str(DAY), DAY),
        ("999999", DAY),
        ("9" * 5000, DAY),
        (formatdate(0, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    ],
)
def test_how_long_to_wait(text: str | None, seconds: int | None) -> None:
    assert retry_after(text) == seconds


def test_a_date_to_wait_for() -> None:
    for date in (formatdate(time.time() + 300, usegmt=True), formatdate(time.time() + 300)):
        waiting = retry_after(date)
        assert waiting and 298 <= waiting <= 301
