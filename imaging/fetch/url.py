"""Parse a link once, strictly. All that follows uses only the parts, never the text.

Parsers disagree about odd URLs (which host is meant by `http://a\\@b/`, or by `http://0177.1/`),
and an attack lives in such a gap. So what is odd is refused, and what is left is put together anew.

What is logged of a link is its host: paths and queries hold names, signatures and keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import idna

from imaging.fetch.errors import BadResponse, Insecure, InvalidLink, Unreachable

MAX_LENGTH = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that by convention or standard (RFC 6761, 6762, 8375, ICANN's .internal) stay inside a
# network.
_INSIDE = (
    "internal",
    "intranet",
    "local",
    "localhost",
    "localdomain",
    "lan",
    "corp",
    "home",
    "home.arpa",
    "private",
    "onion",
)


@dataclass(frozen=True, slots=True)
class Link:
    """The parts of a link: `host` in lower-case ASCII, no brackets or final dot; path and query."""

    scheme: str
    host: str
    port: int
    target: str
    is_address: bool

    @property
    def url(self) -> str:
        """The link put together again; no user, no fragment, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


def parse_link(text: str, *, ports: Collection[int], allow_private: bool = False) -> Link:
    """Take `text` apart.

    `ports` are the ones allowed. `allow_private` lets in names without a dot and names of inner
    networks.

    Raises:
        InvalidLink: it is no link we follow.
        Unreachable: the host is private by its very name.
    """
    text = text.strip(" \t\r\n")
    parts = _split(text)
    if parts.username is not None or parts.password is not None:
        raise InvalidLink(
            "user information in the link",
            "Links with a user name or password in them are not followed. "
            "Upload the picture instead.",
        )
    port = _port(parts)
    if port not in ports:
        raise InvalidLink(
            f"port {port} is not allowed", "Only links to the usual web ports are followed."
        )
    host, is_address = _host(parts, allow_private)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._[]")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return Link(parts.scheme, host, port, target, is_address)


def parse_redirect(
    location: str, came_from: Link, *, ports: Collection[int], allow_private: bool = False
) -> Link:
    """The link a redirect leads to.

    Raises:
        InvalidLink, Unreachable: as `parse_link`.
        Insecure: it leads from https to http.
        BadResponse: it leads nowhere.
    """
    if not location:
        raise BadResponse("redirect without a location")
    with suppress(UnicodeError):
        # http.client reads header bytes as Latin-1; servers that do not escape send UTF-8.
        location = location.encode("latin-1").decode("utf-8")
    try:
        joined = urljoin(came_from.url, location)
    except ValueError as error:
        raise InvalidLink(
            f"redirect to an unreadable link of {len(location)} characters"
        ) from error
    link = parse_link(joined, ports=ports, allow_private=allow_private)
    if came_from.scheme == "https" and link.scheme == "http":
        raise Insecure(f"redirect from https to http, to {link.host}")
    return link


def _split(text: str) -> SplitResult:
    if not text:
        raise InvalidLink("empty link", "Paste the address of a picture first.")
    if len(text) > MAX_LENGTH:
        raise InvalidLink(
            f"link of {len(text)} characters",
            f"This link is too long: {MAX_LENGTH} characters at most. Upload the picture instead.",
        )
    if _FORBIDDEN.search(text):
        raise InvalidLink(
            "space, control character or backslash in the link",
            "This link has a space, a backslash or another character in it that no link may have. "
            "Copy it again from the browser's address bar.",
        )
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidLink(f"unreadable link of {len(text)} characters") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidLink(f"scheme {parts.scheme[:20]!r}")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidLink("the port is no number up to 65535") from error
    return _DEFAULT_PORTS[parts.scheme] if port is None else port


def _host(parts: SplitResult, allow_private: bool) -> tuple[str, bool]:
    """(host, whether it is an IP address)."""
    host = (parts.hostname or "").lower()
    if "[" in parts.netloc or "]" in parts.netloc:
        return _ipv6_literal(parts.netloc, host), True
    host = host.removesuffix(".")
    if not host or "%" in host:
        raise InvalidLink("no host, or an escaped one")
    ascii_host = _to_ascii(host)
    labels = ascii_host.split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        return _ipv4_literal(ascii_host), True
    if not allow_private and (
        len(labels) == 1 or any(f".{ascii_host}".endswith(f".{name}") for name in _INSIDE)
    ):
        raise Unreachable(f"{ascii_host} is a name of an inner network")
    return ascii_host, False


def _to_ascii(host: str) -> str:
    if host.isascii():
        labels = host.split(".")
        if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise InvalidLink(f"host {host[:80]!r}")
        return host
    try:
        # Without UTS 46 mapping: circled digits and ideographic full stops are refused, not made
        # into an address.
        return idna.encode(unicodedata.normalize("NFC", host), uts46=False, strict=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidLink(f"host {host[:80]!r}: {error}") from error


def _ipv4_literal(host: str) -> str:
    # IPv4Address takes four decimal parts without leading zeros and nothing else; 127.1, octal and
    # hexadecimal spellings, which some resolvers understand, end here.
    try:
        return str(IPv4Address(host))
    except AddressValueError as error:
        raise Unreachable(f"odd spelling of an address: {host[:80]!r}") from error


def _ipv6_literal(netloc: str, host: str) -> str:
    if not re.fullmatch(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?", netloc):
        raise Unreachable(f"odd spelling of an address: {netloc[:80]!r}")
    try:
        return str(IPv6Address(host))
    except AddressValueError as error:
        raise Unreachable(f"odd spelling of an address: {host[:80]!r}") from error
