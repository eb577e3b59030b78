"""Fetching a service's result by the safe fetcher, and only from the hosts that it uses."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_incrementing

from imaging import fetch
from imaging.fetch.client import resolve
from imaging.fetch.connection import dial_address
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import BadServiceResponse, Unreachable
from jobs.backends.diffusion.response import RESPONSE_LIMITS

FETCH_SECONDS: Final = 30.0
TRIES: Final = 3
AGAIN_SECONDS: Final = 1.0
_WORTH_ANOTHER: Final = (fetch.BadResponse, fetch.TooSlow, fetch.EmptyResponse)


class _AllowedHosts:
    """The fetcher's two doors to the network, open for the listed hosts only, on every redirect.

    The fetcher looks up every name that is not an address, and dials only what it looked up or read
    as an address: refusing unknown names at the look-up and unknown addresses at the dialling
    leaves no way around the list.

    `failed`: a look-up or a connection that was allowed did not work, which may pass.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = tuple(host.lower().rstrip(".") for host in hosts)
        self._addresses: set[str] = set()
        self.failed = False

    def resolve(self, host: str, port: int) -> Sequence[str]:
        if not any(_matches(host, pattern) for pattern in self._hosts):
            raise OSError(f"{host} is not among the allowed hosts of results")
        with self._noting_failure():
            addresses = resolve(host, port)
        self._addresses.update(addresses)
        return addresses

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        if address not in self._addresses:
            raise OSError(f"{address} is not an address of an allowed host")
        with self._noting_failure():
            return dial_address(address, port, timeout)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.failed = True
            raise


def fetch_result(url: str, *, hosts: Sequence[str], insecure: bool, deadline: RunDeadline) -> bytes:
    """The file at `url`.

    hosts: allowed names; `*.name` allows all below it. insecure: plain http will do (the service
    itself is reached that way).

    Raises:
        BadServiceResponse: the link is refused, expired, or leads nowhere.
        Unreachable: the host did not answer well, several times.
    """
    if urlsplit(url).scheme != "https" and not insecure:
        raise BadServiceResponse("the result's link is not https")
    allowed = _AllowedHosts(hosts)

    def attempt() -> bytes:
        policy = fetch.FetchPolicy(
            max_bytes=RESPONSE_LIMITS.max_bytes,
            deadline_seconds=min(FETCH_SECONDS, deadline.remaining()),
            resolver=allowed.resolve,
            dial=allowed.dial,
        )
        once = functools.partial(fetch.fetch_image, url, policy=policy)
        return deadline.wait_for(once, "fetching").data

    def is_transient(error: BaseException) -> bool:
        if isinstance(error, fetch.Unreachable):
            return allowed.failed
        return isinstance(error, _WORTH_ANOTHER)

    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(TRIES),
        wait=wait_incrementing(AGAIN_SECONDS, AGAIN_SECONDS),
        sleep=lambda seconds: deadline.sleep(seconds, "fetching"),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except fetch.FetchError as error:
        kind = Unreachable if is_transient(error) else BadServiceResponse
        raise kind(f"result: {error.code}: {error.detail}") from error


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
