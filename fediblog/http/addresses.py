"""Which addresses may be contacted: public ones, and what the lab allowance names (SECURITY §3).

The table follows the IANA registries of special-purpose addresses (RFC 6890). It stands here in full,
because `is_global` has changed between patch releases of Python; both have to agree.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

_SPECIAL_4 = {
    IPv4Network(network): why
    for network, why in {
        "0.0.0.0/8": "unspecified",  # connects to this machine on Linux
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "private",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",  # the clouds' metadata services live here
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "special",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "special",  # relays of 6to4, RFC 7526
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "special",  # benchmarks, RFC 2544
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}

_PUBLIC_6 = IPv6Network("2000::/3")
_SPECIAL_6 = {
    IPv6Network(network): why
    for network, why in {
        "2001::/23": "special",
        "2001:db8::/32": "documentation",
        "3fff::/20": "documentation",  # RFC 9637
    }.items()
}

# IPv6 that means an IPv4 address. No honest public server publishes one, so they are not unwrapped and
# judged but refused, whatever is inside and whatever a lab allows (EGRESS §1.2).
_EMBEDDING = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 of one's own, RFC 8215
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
    )
)
# Written like IPv4-compatible addresses, and something else.
_NOT_EMBEDDING = (IPv6Address("::"), IPv6Address("::1"))


def refusal(address: str, allowed: Sequence[Network] = ()) -> str | None:
    """Why this address is not contacted, in one word; None when it may be.

    `address` is the text of an IPv4 or IPv6 address; anything else is refused too. `allowed` are the
    networks that a lab opens; they open no address that embeds an IPv4 one.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return "malformed"
    if isinstance(ip, IPv6Address) and _embeds(ip):
        return "embedded"
    if any(ip in network for network in allowed if network.version == ip.version):
        return None
    return _special(ip) or (None if ip.is_global else "special")


def _embeds(ip: IPv6Address) -> bool:
    return ip not in _NOT_EMBEDDING and any(ip in network for network in _EMBEDDING)


def _special(ip: IPv4Address | IPv6Address) -> str | None:
    if isinstance(ip, IPv4Address):
        return next((why for network, why in _SPECIAL_4.items() if ip in network), None)
    if ip not in _PUBLIC_6:
        return _outside_2000(ip)
    return next((why for network, why in _SPECIAL_6.items() if ip in network), None)


def _outside_2000(ip: IPv6Address) -> str:
    if ip.is_loopback:
        return "loopback"
    if ip.is_unspecified:
        return "unspecified"
    if ip.is_multicast:
        return "multicast"
    if ip.is_link_local:
        return "link-local"
    return "private" if ip.is_private else "reserved"
