"""HTTP to an image service that the operator chose: the only place, besides the fetcher, that imports requests.

Connect in 5 s, reads of 30 s unless told otherwise, everything under the run's deadline; no proxy and no credentials
from the environment; no redirects; a cap on what is read. Network faults, 429, 502, 503 and 504 are tried again with
growing pauses, or the pause the service asks for, as long as the deadline allows. Keys appear in no message: whatever
becomes a detail goes through `scrub`, and requests' own exceptions (which may quote headers) are not chained.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3

from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import (
    BadServiceResponse,
    Busy,
    Faulty,
    KeyRefused,
    PictureRefused,
    RequestRefused,
    ServiceError,
    Unreachable,
)

logger = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
MAX_TRIES: Final = 6
PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
MAX_JSON_BYTES: Final = 2 * 1024 * 1024
_DETAIL_CHARACTERS: Final = 400
_AGAIN: Final = frozenset({429, 502, 503, 504})
# Statuses after which certainly nothing was started.
_NOTHING_DONE: Final = frozenset({429, 503})
_FILTERED: Final = re.compile(
    r"nsfw|content (policy|filter|moderation)|safety (checker|filter)|flagged", re.I
)
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A 2xx answer: its `status` and the decoded JSON (bytes, where they were asked for)."""

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    retry_after: str
    body: bytes


class _Broken(Exception):
    """The exchange broke. `unsent`: the request cannot have reached the service."""

    def __init__(self, detail: str, *, unsent: bool, hopeless: bool = False) -> None:
        super().__init__(detail)
        self.unsent = unsent
        self.hopeless = hopeless


def is_content_refusal(text: str) -> bool:
    """True where a service's own words say that its content filter was at work."""
    return _FILTERED.search(text) is not None


def url_error(variable: str, url: str) -> str | None:
    """What is wrong with a service's configured address; None where it will do."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"{variable} is not an address."
    del port  # reading it is the check
    if parts.scheme not in ("http", "https") or not host:
        return f"{variable} must begin with http:// or https:// and name a host."
    if parts.username is not None or parts.password is not None:
        return f"{variable} must not contain a user name or password; there are variables for them."
    if parts.query or parts.fragment:
        return f"{variable} must end before any ? or #."
    return None


class ServiceClient:
    """Calls to one service during one run."""

    def __init__(
        self,
        base_url: str,
        *,
        authorization: str = "",
        secrets: tuple[str, ...] = (),
        deadline: RunDeadline,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"User-Agent": "wallpaper-visualizer", "Accept-Encoding": "identity"}
        if authorization:
            self._headers["Authorization"] = authorization
        self._secrets = tuple(
            secret for secret in (authorization, *authorization.split(" ")[1:], *secrets) if secret
        )
        self._deadline = deadline

    def call(
        self,
        method: str,
        path: str,
        *,
        stage: str,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
        max_bytes: int = MAX_JSON_BYTES,
        repeatable: bool = True,
        as_bytes: bool = False,
    ) -> ServiceResponse:
        """The JSON that the service answers.

        Args:
            body: sent as JSON. files: sent as a form, as requests takes them.
            repeatable: asking twice costs nothing. Otherwise it is asked again only where the service cannot have
                started anything, and the run's own stop has to wait for the answer, so that it is not lost.
            as_bytes: the answer is no JSON but the file itself.

        Raises:
            ServiceError: by status and circumstance; whatever the watch raises.
        """
        options: dict[str, Any] = {"headers": {**self._headers, **(headers or {})}}
        options |= {"json": body} if body is not None else {}
        options |= {"files": files} if files is not None else {}
        for tried in itertools.count(1):
            try:
                raw = self._deadline.wait_for(
                    lambda: self._exchange(method, path, options, read_seconds, max_bytes),
                    stage,
                    heartbeats=repeatable,
                )
            except _Broken as broken:
                fault: ServiceError = Unreachable(f"{method} {path}: {broken}")
                again = not broken.hopeless and (repeatable or broken.unsent)
                pause = None
            else:
                if 200 <= raw.status < 300:
                    data = raw.body if as_bytes else self._decoded(raw, path)
                    return ServiceResponse(raw.status, data)
                fault = self._fault(raw, f"{method} {path}")
                again = raw.status in (_AGAIN if repeatable else _NOTHING_DONE)
                pause = _asked_pause(raw.retry_after)
            if pause is None:
                pause = PAUSES_SECONDS[min(tried, len(PAUSES_SECONDS)) - 1]
                pause *= _chance.uniform(0.8, 1.2)
            if not again or tried >= MAX_TRIES or pause >= self._deadline.remaining():
                raise fault from None
            logger.info("%s; trying again in %.1f s", fault, pause)
            self._deadline.sleep(pause, stage)
        raise AssertionError  # itertools.count does not end

    def scrub(self, text: str) -> str:
        """`text` without our keys, short enough for a log."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return "".join(c if c.isprintable() else " " for c in text)[:_DETAIL_CHARACTERS]

    def _exchange(
        self, method: str, path: str, options: dict[str, Any], read_seconds: float, max_bytes: int
    ) -> _Raw:
        """One request and its answer, at most `max_bytes` of it. Raises _Broken or BadServiceResponse."""
        try:
            # A session of its own: kept-alive connections that went stale would look like faults.
            with requests.Session() as session:
                session.trust_env = False
                with session.request(
                    method,
                    self._base_url + path,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    allow_redirects=False,
                    stream=True,
                    **options,
                ) as response:
                    data = bytearray()
                    for piece in response.iter_content(64 * 1024):
                        data += piece
                        if len(data) > max_bytes:
                            raise BadServiceResponse(
                                f"{path}: more than {max_bytes} bytes came back"
                            )
                    retry_after = response.headers.get("Retry-After", "")
                    return _Raw(response.status_code, retry_after, bytes(data))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            unsent = _never_connected(error)
            hopeless = isinstance(
                error, (requests.exceptions.SSLError, requests.exceptions.InvalidURL)
            )
            detail = self.scrub(f"{type(error).__name__}: {error}")
            raise _Broken(detail, unsent=unsent, hopeless=hopeless) from None

    def _decoded(self, raw: _Raw, path: str) -> Any:
        try:
            return json.loads(raw.body)
        except (ValueError, RecursionError):
            start = self.scrub(raw.body[:80].decode("utf-8", "replace"))
            raise BadServiceResponse(f"{path}: not JSON: {start!r}") from None

    def _fault(self, raw: _Raw, what: str) -> ServiceError:
        text = raw.body[:2000].decode("utf-8", "replace")
        detail = f"{what}: status {raw.status}: {self.scrub(text)}"
        if raw.status in (401, 402, 403):
            return KeyRefused(detail)
        if raw.status in (429, 503):
            return Busy(detail)
        if is_content_refusal(text):
            return PictureRefused(detail)
        if raw.status >= 500:
            return Faulty(detail)
        if raw.status >= 400:
            return RequestRefused(detail)
        return BadServiceResponse(detail)  # redirects, which we do not follow with a key in hand


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _asked_pause(retry_after: str) -> float | None:
    """Seconds of a Retry-After header (a number or a date); None where it has none we understand."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
