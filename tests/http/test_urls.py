"""Which URLs may be asked, how they are written, and what an origin is."""

from collections.abc import Callable

import pytest

from fediblog.config import Config
from fediblog.http import Refused, check_url, origin

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("https://Social.Example/Users/a", "https://social.example/Users/a"),
        ("https://social.example", "https://social.example/"),
        ("https://social.example:443/a", "https://social.example/a"),
        ("https://social.example:8443/a", "https://social.example:8443/a"),
        ("https://social.example/a#main-key", "https://social.example/a"),
        ("https://social.example/a?", "https://social.example/a"),
        ("https://social.example/a?b?", "https://social.example/a?b?"),
        ("https://social.example?a=b", "https://social.example/?a=b"),
        ("https://social.example/../a/./b", "https://social.example/a/b"),
        ("https://social.example/ü b/%7Ec/%c3?q=ä", "https://social.example/%C3%BC%20b/%7Ec/%c3?q=%C3%A4"),
        ("https://MÜNCHEN.example/", "https://xn--mnchen-3ya.example/"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        (
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        ),
    ],
)
def test_a_url_is_written_in_one_way(config: Config, given: str, asked: str) -> None:
    assert check_url(given) == asked
    assert check_url(asked) == asked


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme"),
        ("social.example/a", "scheme"),
        ("//social.example/a", "scheme"),
        ("http://social.example/a", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://social.example/", "scheme"),
        ("gopher://social.example/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("data:text/plain,a", "scheme"),
        ("unix:/run/redis.sock", "scheme"),
        ("https://social.example:0/", "port"),
        ("https://social.example:22/", "port"),
        ("https://social.example:1023/", "port"),
        ("https://social.example:65536/", "port"),
        ("https://social.example:x/", "url"),
        ("https://social.example:-1/", "port"),
        ("https://user@social.example/", "url"),
        ("https://user:password@social.example/", "url"),
        ("https://:@social.example/", "url"),
        ("https://social.example\\@other.example/", "url"),
        ("https://social.example\\a", "url"),
        ("https://social.example/a\r\nHost: b", "url"),
        ("https://social.exa\tmple/", "url"),
        ("https://social.example/\ud800", "url"),
        ("https://[::1", "url"),
        ("https://[1:2]/", "url"),
        (f"https://social.example/{'a' * 2048}", "url"),
        (f"https://social.example/{'ü' * 1000}", "url"),
        ("https:///a", "host"),
        ("https://social.example./", "host"),
        ("https://social..example/", "host"),
        ("https://so_cial.example/", "host"),
        ("https://so cial.example/", "host"),
        ("https://social%2eexample/", "host"),
        ("https://-social.example/", "host"),
        ("https://xn--zz.example/", "host"),
        (f"https://{'a' * 64}.example/", "host"),
        (f"https://{'a.' * 127}example/", "host"),
        ("https://127.1/", "host"),
        ("https://2130706433/", "host"),
        ("https://0x7f000001/", "host"),
        ("https://0x7f.0.0.0x1/", "host"),
        ("https://0177.0.0.1/", "url"),
        ("https://１２７.0.0.1/", "url"),
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.9:8443/", "loopback"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://169.254.169.254/latest/meta-data/", "link-local"),
        ("https://10.0.0.1/", "private"),
        ("https://[::]/", "unspecified"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "embedded"),
        ("https://[::ffff:7f00:1]/", "embedded"),
        ("https://[::127.0.0.1]/", "embedded"),
        ("https://[64:ff9b::7f00:1]/", "embedded"),
        ("https://[2002:7f00:1::]/", "embedded"),
        ("https://[2001:0:53aa:64c:0:0:80ff:fffe]/", "embedded"),
        ("https://[fe80::1%25eth0]/", "link-local"),
    ],
)
def test_a_url_is_refused(config: Config, url: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        check_url(url)
    assert caught.value.reason == reason


def test_every_refusal_says_the_same(config: Config) -> None:
    sentences = set()
    for url in ("https://10.0.0.1/", "https://user@a.example/", "file:///etc/passwd"):
        with pytest.raises(Refused) as caught:
            check_url(url)
        sentences.add((caught.value.message, str(caught.value)))
    assert sentences == {("That address cannot be asked.",) * 2}


def test_a_lab_may_use_plain_http_and_its_network(configure: Callable[..., Config]) -> None:
    configure(federation__allow_http=True, federation__allow_networks='["127.0.0.0/8"]')
    assert check_url("http://127.0.0.1:3000/a") == "http://127.0.0.1:3000/a"
    assert check_url("http://social.example:80/") == "http://social.example/"
    with pytest.raises(Refused):
        check_url("http://10.0.0.1:3000/a")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Social.EXAMPLE/a?b#c", "https://social.example"),
        ("https://social.example:443", "https://social.example"),
        ("http://social.example:80/", "http://social.example"),
        ("http://social.example:443/", "http://social.example:443"),
        ("https://social.example:8443/", "https://social.example:8443"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example"),
        ("http://127.0.0.1:8000/ap/actor", "http://127.0.0.1:8000"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    "others",
    [
        ("https://social.example", "https://social.example.evil.example"),
        ("https://social.example", "https://www.social.example"),
        ("https://social.example", "https://social-example"),
        ("https://social.example", "http://social.example"),
        ("https://social.example", "https://social.example:8443"),
        ("https://social.example", "https://social.example@evil.example"),
    ],
)
def test_what_looks_alike_is_another_origin(others: tuple[str, str]) -> None:
    assert origin(others[0]) != origin(others[1])


@pytest.mark.parametrize(
    "url", ["", "a", "acct:a@b.example", "https:///a", "https://a.example./", "https://[::1", "\\\\a"]
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        origin(url)


def test_nobody_is_spoken_to_while_federation_is_off(configure: Callable[..., Config]):
    configure(federation__enabled="false")
    with pytest.raises(Refused) as caught:
        check_url("https://social.example/")
    assert caught.value.reason == "off"
