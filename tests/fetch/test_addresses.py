from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.fetch.addresses import refusal

NEVER = [
    "0.0.0.0",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
]
PRIVATE = ["10.0.0.1", "127.0.0.1", "127.8.9.1", "172.16.5.4", "172.31.255.255", "192.168.1.1"]
PRIVATE_V6 = ["::1", "fc00::1", "fd12:3456::1"]
PUBLIC = ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2a00:1450::1"]


@pytest.mark.parametrize("address", NEVER)
def test_a_special_address_is_refused_under_every_policy(address: str) -> None:
    assert refusal(address) is not None
    assert refusal(address, allow_private=True) is not None


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_V6)
def test_a_private_address_needs_permission(address: str) -> None:
    assert refusal(address) is not None
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through(address: str) -> None:
    assert refusal(address) is None


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.ip_addresses())
def test_nothing_is_let_through_that_the_standard_library_holds_back(
    address: IPv4Address | IPv6Address,
) -> None:
    if refusal(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast
