"""Fetch a picture from a stranger's link without opening our network to the stranger (SSRF).

1. The link is read once, strictly (`imaging.fetch.url`), and only what was read is used.
2. Its name is looked up once. Every address found must be a public one (`imaging.fetch.addresses`);
   where only some are, all are refused, since that is how rebinding looks.
3. The connection goes to the vetted address itself (`imaging.fetch.connection`): no second look-up,
   no proxy from the environment.
4. Redirects are followed by hand, three at most, each through steps 1 to 3.
5. One deadline bounds everything from the look-up to the last byte; caps bound the bytes.
6. No cookies, no authorisation, no referrer, no compression.

What the bytes are is for the caller to prove, by decoding them; the declared type is not looked at.
"""

from __future__ import annotations

import functools
import http.client
import logging
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import urllib3
from urllib3.response import BaseHTTPResponse

from imaging.fetch.addresses import refusal
from imaging.fetch.connection import Deadline, dial_address, pinned_connection
from imaging.fetch.errors import (
    BadResponse,
    EmptyResponse,
    FetchError,
    Insecure,
    NotAllowed,
    NotFound,
    TooLarge,
    TooSlow,
    Unreachable,
)
from imaging.fetch.url import Link, parse_link, parse_redirect

logger = logging.getLogger(__name__)

_CHUNK = 64 * 1024
# Headers (http.client reads 100 lines of 64 KB at most) and chunk framing, on top of the body.
_FRAMING_ALLOWANCE = 1024 * 1024
_HEADERS = {
    "User-Agent": "wallpaper-visualizer",
    "Accept": "image/avif,image/webp,image/png,image/jpeg,image/heic,image/*;q=0.8",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_FORBIDDEN = frozenset({401, 402, 403, 407, 451})


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of `host`, in the system's order.

    Raises:
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may do.

    `deadline_seconds` bounds the whole fetch. `allow_private` is for shops whose pictures lie on
    their intranet: it lets links reach loopback, RFC 1918 and unique local addresses, never
    link-local or metadata ones. `refused_hosts` are names, in lower case, that are never fetched
    (our own public name, which would be a loop). `ca_file`: PEM of authorities to trust besides the
    usual ones. `resolver` and `dial` are the two places that touch the network.
    """

    max_bytes: int = 20 * 1024 * 1024
    deadline_seconds: float = 15.0
    max_redirects: int = 3
    allowed_ports: frozenset[int] = frozenset({80, 443})
    allow_private: bool = False
    refused_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    resolver: Callable[[str, int], Sequence[str]] = resolve
    dial: Callable[[str, int, float], socket.socket] = dial_address


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file: `data`, and the `url` it came from in the end."""

    data: bytes
    url: str


def fetch_image(url: str, *, policy: FetchPolicy | None = None) -> Fetched:
    """Fetch the file at `url` under `policy` (the default one where None is given).

    Raises:
        FetchError: its `user_message` may be shown, its `detail` is logged here and should go no
        further.
    """
    policy = policy or FetchPolicy()
    try:
        with Deadline(policy.deadline_seconds) as deadline:
            return _follow(url, policy, deadline)
    except FetchError as error:
        logger.info("link refused: %s: %s", error.code, error.detail)
        raise


def _follow(url: str, policy: FetchPolicy, deadline: Deadline) -> Fetched:
    link = parse_link(url, ports=policy.allowed_ports, allow_private=policy.allow_private)
    for _ in range(policy.max_redirects + 1):
        fetched_or_link = _get(link, policy, deadline)
        if isinstance(fetched_or_link, Fetched):
            return fetched_or_link
        link = fetched_or_link
    raise BadResponse(f"more than {policy.max_redirects} redirects")


def _get(link: Link, policy: FetchPolicy, deadline: Deadline) -> Fetched | Link:
    """One request: the file, or the next link."""
    addresses = _vetted_addresses(link, policy, deadline)
    connection = pinned_connection(
        link.scheme,
        link.host,
        link.port,
        dial=functools.partial(_connect, addresses, link.port, policy, deadline),
        timeout=deadline.remaining(),
        received_limit=policy.max_bytes + policy.max_bytes // 20 + _FRAMING_ALLOWANCE,
        ca_file=policy.ca_file,
    )
    try:
        connection.request(
            "GET", link.target, headers=_HEADERS, preload_content=False, decode_content=False
        )
        with closing(connection.getresponse()) as response:
            fetched_or_link = _read(response, link, policy)
    except FetchError:
        deadline.remaining()  # headers cut off by the deadline read like an empty response
        raise
    except (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError) as error:
        raise _as_fetch_error(error, link, deadline) from error
    finally:
        deadline.release()
        connection.close()
    deadline.remaining()  # a body without a length that was cut off looks complete
    return fetched_or_link


def _vetted_addresses(link: Link, policy: FetchPolicy, deadline: Deadline) -> Sequence[str]:
    """The addresses of the link's host, all of them allowed.

    Raises:
        Unreachable: there is none, or one of them is not allowed.
        TooSlow: the look-up took too long.
    """
    if link.host in policy.refused_hosts:
        raise Unreachable(f"{link.host} is this very site")
    addresses = [link.host] if link.is_address else _resolve_in_time(link, policy, deadline)
    if not addresses:
        raise Unreachable(f"{link.host} has no address")
    for address in addresses:
        reason = refusal(address, allow_private=policy.allow_private)
        if reason is not None:
            raise Unreachable(f"{link.host} is at {address}: {reason}")
    return addresses


def _resolve_in_time(link: Link, policy: FetchPolicy, deadline: Deadline) -> Sequence[str]:
    """One look-up, in a thread of its own, since getaddrinfo knows no time-out."""
    results: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            results.put(policy.resolver(link.host, link.port))
        except Exception as error:  # handed over, raised below
            results.put(error)

    threading.Thread(target=look_up, name="fetch-look-up", daemon=True).start()
    try:
        result = results.get(timeout=deadline.remaining())
    except queue.Empty as error:
        raise TooSlow(f"looking up {link.host} took too long") from error
    if isinstance(result, (OSError, UnicodeError)):
        raise Unreachable(f"{link.host} is not known: {result}") from result
    if isinstance(result, Exception):
        raise result
    return result


def _connect(
    addresses: Sequence[str], port: int, policy: FetchPolicy, deadline: Deadline
) -> socket.socket:
    """A watched connection to the first of `addresses` that answers; they share the time left."""
    failures: list[str] = []
    for index, address in enumerate(addresses):
        patience = deadline.remaining() / (len(addresses) - index)
        try:
            connected = policy.dial(address, port, patience)
        except OSError as error:
            failures.append(f"{address}: {error}")
            continue
        try:
            connected.settimeout(deadline.remaining())
            deadline.watch(connected)
        except BaseException:
            connected.close()
            raise
        return connected
    deadline.remaining()
    raise Unreachable(f"no connection: {'; '.join(failures)}")


def _read(response: BaseHTTPResponse, link: Link, policy: FetchPolicy) -> Fetched | Link:
    status = response.status
    if status in _REDIRECTS:
        return parse_redirect(
            response.headers.get("Location", ""),
            link,
            ports=policy.allowed_ports,
            allow_private=policy.allow_private,
        )
    if status in _GONE:
        raise NotFound(f"status {status} from {link.host}")
    if status in _FORBIDDEN:
        raise NotAllowed(f"status {status} from {link.host}")
    if status != 200:
        raise BadResponse(f"status {status} from {link.host}")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise BadResponse(f"content encoding {encoding[:40]!r} though none was asked for")
    return Fetched(_body(response, policy.max_bytes), link.url)


def _body(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    declared = set(response.headers.getlist("Content-Length"))
    for length in declared:
        if not (length.isascii() and length.isdigit()) or len(declared) > 1:
            raise BadResponse(f"content lengths {sorted(declared)!r}"[:200])
        if int(length) > max_bytes:
            raise TooLarge(f"content length {length} over {max_bytes}")
    body = bytearray()
    # A length that promises more than comes raises in here (urllib3 enforces it).
    for piece in response.stream(_CHUNK, decode_content=False):
        body += piece
        if len(body) > max_bytes:
            raise TooLarge(f"body over {max_bytes} bytes")
    if not body:
        raise EmptyResponse("200 with an empty body")
    return bytes(body)


def _as_fetch_error(error: Exception, link: Link, deadline: Deadline) -> FetchError:
    """What went wrong on the wire, as one of ours.

    The error's own text stays out of the log: it can hold the address, or what the server sent.
    """
    cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error
    reason = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or ""
    detail = f"{link.host}: {type(error).__name__} {reason}".rstrip()
    if deadline.fired or isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError)):
        return TooSlow(detail)
    if isinstance(error, (ssl.SSLError, urllib3.exceptions.SSLError)):
        return Insecure(detail)
    return BadResponse(detail)
