"""Which addresses may be contacted: every special range of both families."""

from ipaddress import ip_network

import pytest

from fediblog.http import refusal

pytestmark = pytest.mark.once

# (first, last, reason): both ends of each range, so that no prefix is off by one.
SPECIAL = [
    ("0.0.0.0", "0.255.255.255", "unspecified"),
    ("10.0.0.0", "10.255.255.255", "private"),
    ("100.64.0.0", "100.127.255.255", "private"),
    ("127.0.0.0", "127.255.255.255", "loopback"),
    ("169.254.0.0", "169.254.255.255", "link-local"),
    ("172.16.0.0", "172.31.255.255", "private"),
    ("192.0.0.0", "192.0.0.255", "special"),
    ("192.0.2.0", "192.0.2.255", "documentation"),
    ("192.88.99.0", "192.88.99.255", "special"),
    ("192.168.0.0", "192.168.255.255", "private"),
    ("198.18.0.0", "198.19.255.255", "special"),
    ("198.51.100.0", "198.51.100.255", "documentation"),
    ("203.0.113.0", "203.0.113.255", "documentation"),
    ("224.0.0.0", "239.255.255.255", "multicast"),
    ("240.0.0.0", "255.255.255.255", "reserved"),
    ("::", "::", "unspecified"),
    ("::1", "::1", "loopback"),
    ("::2", "::ffff:ffff", "embedded"),
    ("::ffff:0:0", "::ffff:255.255.255.255", "embedded"),
    ("::ffff:0:0:0", "::ffff:0:255.255.255.255", "embedded"),
    ("64:ff9b::", "64:ff9b::255.255.255.255", "embedded"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "embedded"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "embedded"),
    ("2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "special"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "embedded"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("100::", "100::ffff:ffff:ffff:ffff", "private"),
    ("4000::", "5f00::1", "reserved"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
]

PUBLIC = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
    "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
    "198.20.0.0", "198.51.99.255", "203.0.112.255", "203.0.114.0", "223.255.255.255",
    "2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2a01:4f8::1", "3ffe:ffff::1",
]  # fmt: skip


@pytest.mark.parametrize(("first", "last", "reason"), SPECIAL)
def test_a_special_address_is_refused(first: str, last: str, reason: str) -> None:
    assert (refusal(first), refusal(last)) == (reason, reason)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3.4/32", "::1/128", "[::1]"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(address) == "malformed"


def test_a_zone_makes_no_difference() -> None:
    assert refusal("fe80::1%eth0") == "link-local"


def test_a_lab_opens_a_network_and_no_more() -> None:
    allowed = [ip_network("127.0.0.0/30"), ip_network("::1/128")]
    assert refusal("127.0.0.3", allowed) is None
    assert refusal("::1", allowed) is None
    assert refusal("127.0.0.4", allowed) == "loopback"
    assert refusal("10.0.0.1", allowed) == "private"


@pytest.mark.parametrize(
    "address", ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1"]
)
def test_no_lab_opens_an_address_inside_another(address: str) -> None:
    assert refusal(address, [ip_network("::/0"), ip_network("0.0.0.0/0")]) == "embedded"
