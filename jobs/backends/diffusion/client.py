"""HTTP to an image service that the operator chose: the only place that imports requests.

Connect in 5 s, reads of 30 s unless told otherwise, everything under the run's deadline; no proxy
and no credentials from the environment; no redirects; a cap on what is read. Network faults, 429,
502, 503 and 504 are tried again with growing pauses, or the pause the service asks for, as long as
the deadline allows. Keys appear in no message: whatever becomes a detail goes through `scrub`, and
requests' own exceptions (which may quote headers) are not chained.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from tenacity import (
    RetryCallState,
    Retrying,
    before_sleep_log,
    retry_if_exception,
)

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
    """A 2xx response: its `status` and the decoded JSON (bytes, where they were asked for)."""

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    options: Mapping[str, Any]  # as requests takes them
    read_seconds: float
    max_bytes: int
    repeatable: bool
    as_bytes: bool


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    retry_after: str
    body: bytes


class _AttemptFailed(Exception):
    """One attempt failed with `fault`.

    again: another is worth while. pause: the seconds that the service asks for first.
    """

    def __init__(self, fault: ServiceError, *, again: bool, pause: float | None = None) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.again = again
        self.pause = pause


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
        """The JSON that the service sends back.

        Args:
            body: sent as JSON.
            files: sent as a form, as requests takes them.
            repeatable: asking twice costs nothing. Otherwise it is asked again only where the
                service cannot have started anything, and the run's own stop has to wait for the
                response, so that it is not lost.
            as_bytes: the response is no JSON but the file itself.

        Raises:
            ServiceError: by status and circumstance; whatever the deadline's heartbeat raises.
        """
        options: dict[str, Any] = {"headers": {**self._headers, **(headers or {})}}
        options |= {"json": body} if body is not None else {}
        options |= {"files": files} if files is not None else {}
        request = _Request(method, path, options, read_seconds, max_bytes, repeatable, as_bytes)
        retrying = Retrying(
            retry=retry_if_exception(_is_worth_another),
            stop=self._is_last,
            wait=_pause,
            sleep=lambda seconds: self._deadline.sleep(seconds, stage),
            before_sleep=before_sleep_log(logger, logging.INFO),
            reraise=True,
        )
        try:
            return retrying(self._attempt, request, stage)
        except _AttemptFailed as failed:
            raise failed.fault from None

    def _is_last(self, state: RetryCallState) -> bool:
        """True after enough attempts, or when the deadline comes before the next one."""
        return (
            state.attempt_number >= MAX_TRIES or state.upcoming_sleep >= self._deadline.remaining()
        )

    def _attempt(self, request: _Request, stage: str) -> ServiceResponse:
        """Ask once. Raises _AttemptFailed, BadServiceResponse, or as the deadline's heartbeat."""
        raw = self._deadline.wait_for(
            lambda: self._exchange(request), stage, heartbeats=request.repeatable
        )
        if 200 <= raw.status < 300:
            data = raw.body if request.as_bytes else self._parse_json(raw, request.path)
            return ServiceResponse(raw.status, data)
        again = raw.status in (_AGAIN if request.repeatable else _NOTHING_DONE)
        fault = self._fault(raw, f"{request.method} {request.path}")
        raise _AttemptFailed(fault, again=again, pause=_asked_pause(raw.retry_after))

    def scrub(self, text: str) -> str:
        """`text` without our keys, short enough for a log."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return "".join(c if c.isprintable() else " " for c in text)[:_DETAIL_CHARACTERS]

    def _exchange(self, request: _Request) -> _Raw:
        """One request and its response. Raises _AttemptFailed or BadServiceResponse."""
        try:
            # A session of its own: kept-alive connections that went stale would look like faults.
            with requests.Session() as session:
                session.trust_env = False
                with session.request(
                    request.method,
                    self._base_url + request.path,
                    timeout=(CONNECT_SECONDS, request.read_seconds),
                    allow_redirects=False,
                    stream=True,
                    **request.options,
                ) as response:
                    data = bytearray()
                    for piece in response.iter_content(64 * 1024):
                        data += piece
                        if len(data) > request.max_bytes:
                            raise BadServiceResponse(
                                f"{request.path}: more than {request.max_bytes} bytes came back"
                            )
                    retry_after = response.headers.get("Retry-After", "")
                    return _Raw(response.status_code, retry_after, bytes(data))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            hopeless = isinstance(
                error, (requests.exceptions.SSLError, requests.exceptions.InvalidURL)
            )
            detail = self.scrub(f"{type(error).__name__}: {error}")
            raise _AttemptFailed(
                Unreachable(f"{request.method} {request.path}: {detail}"),
                again=not hopeless and (request.repeatable or _never_connected(error)),
            ) from None

    def _parse_json(self, raw: _Raw, path: str) -> Any:
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


def _is_worth_another(error: BaseException) -> bool:
    return isinstance(error, _AttemptFailed) and error.again


def _pause(state: RetryCallState) -> float:
    """Seconds before the next attempt: as many as the service asks for, else growing ones."""
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, _AttemptFailed) and error.pause is not None:
        return error.pause
    pause = PAUSES_SECONDS[min(state.attempt_number, len(PAUSES_SECONDS)) - 1]
    return pause * _chance.uniform(0.8, 1.2)


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _asked_pause(retry_after: str) -> float | None:
    """Seconds of a Retry-After header (a number or a date); None where it has none."""
    try:
        return float(urllib3.Retry().parse_retry_after(retry_after))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
