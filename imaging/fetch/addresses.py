"""Which IP addresses a user's link may lead to.

An own table, because `ipaddress.is_global` follows the registry of its Python: on 3.11.7 it calls
64:ff9b::7f00:1, ::127.0.0.1, fec0::1, 2002:7f00:1:: and 192.0.0.192 global. Sources: the IANA
special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates) and cloud vendors'
documents for the addresses inside public ranges.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# What an intranet may legitimately use; let in only by `allow_private`.
_PRIVATE_V4 = {
    IPv4Network("10.0.0.0/8"): "private",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("172.16.0.0/12"): "private",
    IPv4Network("192.168.0.0/16"): "private",
}
_PRIVATE_V6 = {
    IPv6Network("::1/128"): "loopback",
    IPv6Network("fc00::/7"): "private",
}
_CLOUD_METADATA = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's wire server, inside a public range
        "192.0.0.192",  # Oracle Cloud
        "fd00:ec2::254",  # Amazon, inside the unique local range
        "fd20:ce::254",  # Google
    )
)
# Never, whatever the policy.
_DENIED_V4 = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("100.64.0.0/10"): "shared by carriers",
    IPv4Network("169.254.0.0/16"): "link-local",
    IPv4Network("192.0.0.0/24"): "protocol assignments",
    IPv4Network("192.0.2.0/24"): "documentation",
    IPv4Network("192.88.99.0/24"): "6to4 relay",
    IPv4Network("198.18.0.0/15"): "benchmarking",
    IPv4Network("198.51.100.0/24"): "documentation",
    IPv4Network("203.0.113.0/24"): "documentation",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved",
}
# Of IPv6 only global unicast is let in, less what is carved out of it; with that every way of
# writing an IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4, Teredo) is refused
# without having to be unwrapped.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_DENIED_V6 = {
    IPv6Network("2001::/23"): "protocol assignments, Teredo",
    IPv6Network("2001:db8::/32"): "documentation",
    IPv6Network("2002::/16"): "6to4",
    IPv6Network("3fff::/20"): "documentation",
}


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Why no connection may be made to `address` (an IP address in text), or None where one may.

    `allow_private` lets in loopback, RFC 1918 and unique local addresses, for shops that keep their
    pictures on an intranet; link-local, metadata, multicast and reserved addresses stay refused.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return "not an IP address"
    if parsed in _CLOUD_METADATA:
        return "cloud metadata"
    if isinstance(parsed, IPv4Address):
        return _refusal_v4(parsed, allow_private)
    return _refusal_v6(parsed, allow_private)


def _refusal_v4(address: IPv4Address, allow_private: bool) -> str | None:
    for network, reason in _DENIED_V4.items():
        if address in network:
            return reason
    for network, reason in _PRIVATE_V4.items():
        if address in network:
            return None if allow_private else reason
    return None


def _refusal_v6(address: IPv6Address, allow_private: bool) -> str | None:
    if address.scope_id is not None:
        return "scoped to an interface"
    for network, reason in _PRIVATE_V6.items():
        if address in network:
            return None if allow_private else reason
    if address not in _GLOBAL_UNICAST_V6:
        return "not global unicast"
    for network, reason in _DENIED_V6.items():
        if address in network:
            return reason
    return None
