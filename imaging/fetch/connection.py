"""A connection to one vetted address, under one deadline, with a cap on the bytes that come in.

urllib3's connections do the HTTP and TLS; only the place where they would look a name up and dial
is replaced. `host` stays the name, so Host header, SNI and the certificate check are right.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from types import TracebackType
from typing import Any

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection

from imaging.fetch.errors import TooLarge, TooSlow


class Deadline:
    """A point in time at which the sockets it watches are shut down, whatever they are doing.

    Read time-outs alone bound nothing: a server that sends a byte just before each one expires
    holds the call for as long as it likes. `shutdown` wakes a blocked read at once; it then looks
    like an end of file, so callers ask `fired` after everything that seems to have ended well. Use
    as a context manager.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._seconds = seconds
        self._lock = threading.Lock()
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self.fired = False

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self.release()

    def remaining(self) -> float:
        """Seconds left, more than 0.

        Raises:
            TooSlow: none are.
        """
        left = self._ends - time.monotonic()
        if left <= 0 or self.fired:
            raise TooSlow(f"deadline of {self._seconds:g} s passed")
        return left

    def watch(self, connected: socket.socket) -> None:
        """Shut `connected` down at the deadline. Its duplicate outlives the wrapping in TLS."""
        duplicate = connected.dup()
        self.release()
        with self._lock:
            self._watched = duplicate
            if self.fired:
                self._shut()

    def release(self) -> None:
        """Stop watching."""
        with self._lock:
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def _fire(self) -> None:
        with self._lock:
            self.fired = True
            self._shut()

    def _shut(self) -> None:
        if self._watched is not None:
            with suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)


class _CappedSocketFile(io.RawIOBase):
    """A socket's incoming side; `TooLarge` after `limit` bytes of headers, framing and body."""

    def __init__(self, incoming: socket.SocketIO, limit: int) -> None:
        self._incoming = incoming
        self._left = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        count = self._incoming.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge("more bytes came in than the cap allows")
        return count

    def close(self) -> None:
        self._incoming.close()
        super().close()


class _CappedResponse(http.client.HTTPResponse):
    """A response read through `_CappedSocketFile`.

    Counting the body as it is handed out is not enough: a chunk of size -1 makes http.client 3.11
    read to the end of the stream in one piece.
    """

    received_limit = 0

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        incoming = sock.makefile("rb", buffering=0)
        self.fp = io.BufferedReader(_CappedSocketFile(incoming, self.received_limit))


def _capped(limit: int) -> type[_CappedResponse]:
    return type("CappedResponse", (_CappedResponse,), {"received_limit": limit})


class _PinnedHTTP(HTTPConnection):
    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()


class _PinnedHTTPS(HTTPSConnection):
    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()


def pinned_connection(
    scheme: str,
    host: str,
    port: int,
    *,
    dial: Callable[[], socket.socket],
    timeout: float,
    received_limit: int,
    ca_file: str | None = None,
) -> HTTPConnection:
    """An unopened connection whose socket comes from `dial`.

    `timeout` bounds each socket operation in seconds, `received_limit` all bytes taken in.
    `ca_file`: PEM file of authorities to trust beside the system's and certifi's.
    """
    connection: _PinnedHTTP | _PinnedHTTPS
    if scheme == "https":
        context = _tls_context(ca_file)
        connection = _PinnedHTTPS(host, port, timeout=timeout, ssl_context=context)
    else:
        connection = _PinnedHTTP(host, port, timeout=timeout)
    connection.dial = dial
    connection.response_class = _capped(received_limit)
    return connection


def dial_address(address: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to exactly `address`.

    Raises:
        OSError: there is none, or it leads elsewhere.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    dialled = socket.socket(family, socket.SOCK_STREAM)
    try:
        dialled.settimeout(timeout)
        dialled.connect((address, port))
        peer = dialled.getpeername()[0]
        if ip_address(peer) != ip_address(address):
            raise OSError(f"dialled {address}, reached {peer}")
    except BaseException:
        dialled.close()
        raise
    return dialled


@functools.cache
def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Slim containers have no authorities of their own.
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
