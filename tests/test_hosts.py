import pytest

from fediblog import hosts

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("Social.Example", "social.example"),
        ("Bücher.example:8000", "xn--bcher-kva.example:8000"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("[::1]:8000", "[::1]:8000"),
    ],
)
def test_a_host_in_any_script_has_one_name(typed: str, known: str):
    assert hosts.to_ascii(typed) == known
    assert hosts.to_ascii(known) == known


@pytest.mark.parametrize("typed", ["ü..example", "\u3002", "a☃.example", "ü" * 300, "xn--ü.example"])
def test_what_cannot_be_a_name_is_refused(typed: str):
    with pytest.raises(ValueError):
        hosts.to_ascii(typed)


@pytest.mark.parametrize(
    ("typed", "is_so"), [("straße.example", True), ("faς.example", True), ("bücher", False)]
)
def test_names_that_others_read_otherwise_are_known(typed: str, is_so: bool):
    assert hosts.is_ambiguous(typed) is is_so
