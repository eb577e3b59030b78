"""Replicate's webhooks: signed messages that a prediction has begun or ended.

One only wakes the worker that waits, and tells the id of a prediction whose creation was answered
by a broken connection. What the prediction made is always asked for at the service with our token:
nothing in a webhook's body is used but the id, so webhook and poll may come in any order, twice, or
not at all.

The scheme (Replicate's documentation, "Verify webhooks") is Standard Webhooks, and its library
checks the signature. Size limits, a stricter reading of the headers and the memory of what came
before are ours.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.backends.diffusion.client import url_error
from jobs.backends.diffusion.deadline import RunDeadline
from sessions_app.queueing import redis_client

TOLERANCE_SECONDS: Final = 300  # standardwebhooks' own
# The prediction with its inputs comes back; pictures inside it are at most 256 kB each, in base64.
MAX_BODY_BYTES: Final = 2 * 1024 * 1024
EVENTS: Final = ("start", "completed")
KEPT_SECONDS: Final = 3600
RUNNING: Final = frozenset({"starting", "processing"})
PREDICTION_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MESSAGE_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
# What the library raises on instead of trying the next one, or reads too generously.
_SIGNATURE: Final = re.compile(r"v1,[A-Za-z0-9+/]{43}=")
MAX_SIGNATURES_LENGTH: Final = 4096
_PREFIX: Final = "whsec_"


class BadWebhookError(Exception):
    """A webhook that is not to be believed, or not to be understood; `status` is for its sender."""

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__(detail)
        self.status = status


class RedisAwayError(Exception):
    """Redis does not answer: the sender should try again later."""


def is_enabled() -> bool:
    """True when Replicate is asked to call back."""
    return bool(settings.REPLICATE_WEBHOOK_URL and settings.REPLICATE_WEBHOOK_SECRET)


def setup_error() -> str | None:
    """What is wrong with the settings; None where they are right, or leave webhooks off."""
    url, secret = settings.REPLICATE_WEBHOOK_URL, settings.REPLICATE_WEBHOOK_SECRET
    if bool(url) != bool(secret):
        return "REPLICATE_WEBHOOK_URL and REPLICATE_WEBHOOK_SECRET belong together."
    if not url:
        return None
    if _key(secret) is None:
        return "REPLICATE_WEBHOOK_SECRET must be whsec_ and base64."
    if not url.startswith("https://"):
        return "REPLICATE_WEBHOOK_URL must begin with https://."
    return url_error("REPLICATE_WEBHOOK_URL", url)


def callback_url(digest: str) -> str:
    """Where Replicate is to call back for the request of this digest."""
    return f"{settings.REPLICATE_WEBHOOK_URL.rstrip('/')}/hooks/replicate/{digest}"


def prediction_key(digest: str) -> str:
    """The key under which the id of the request's prediction is kept."""
    return f"replicate:prediction:{digest}"


def remember(digest: str, prediction_id: str) -> None:
    """Keep the id for a worker that takes the run over."""
    redis_client.set_bytes(prediction_key(digest), prediction_id.encode(), seconds=KEPT_SECONDS)


def forget(digest: str, prediction_id: str) -> None:
    """The prediction is done with; a webhook that comes later brings it back to nobody."""
    if is_enabled():
        redis_client.set_bytes(_ended_key(prediction_id), b"1", seconds=KEPT_SECONDS)
    redis_client.delete_if_equal(prediction_key(digest), prediction_id)


def wait_for_callback(
    prediction_id: str, seconds: float, deadline: RunDeadline, stage: str
) -> None:
    """Wait for the prediction's webhook, at most so long. Raises as `RunDeadline.heartbeat`."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        longest = deadline.until_heartbeat(left)
        if redis_client.wait_for_notification(_notification_key(prediction_id), seconds=longest):
            return
        deadline.heartbeat(stage)


def verify(headers: Mapping[str, str], body: bytes) -> str:
    """The id of a message that Replicate has signed just now.

    Args:
        headers: by their lower-case names.

    Raises:
        BadWebhookError: signature or time are not right.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise BadWebhookError("no webhook-id", status=401)
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadWebhookError("no webhook-timestamp", status=401)
    given = headers.get("webhook-signature", "")[:MAX_SIGNATURES_LENGTH].split()
    checked = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(one for one in given if _SIGNATURE.fullmatch(one)),
    }
    key = _key(settings.REPLICATE_WEBHOOK_SECRET)
    try:
        if key is None:
            raise WebhookVerificationError("the secret is not set up")
        Webhook(key).verify(body, checked, json_parse=False)
    except (WebhookVerificationError, UnicodeDecodeError) as error:
        is_late = abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS
        said = (
            "the message is too old, or the clocks differ"
            if is_late
            else "the signature is not right"
        )
        raise BadWebhookError(said, status=401) from error
    return message_id


def handle(digest: str, message_id: str, body: bytes) -> str:
    """Act on a verified message, once; returns what was done, for the log.

    Raises:
        BadWebhookError: the body is no prediction.
        RedisAwayError: Redis does not answer; nothing is lost if the message comes again.
    """
    prediction_id, status = _prediction(body)
    seen = f"replicate:webhook:{message_id}"
    if redis_client.get_bytes(seen) is not None:
        return "seen before"
    done = _adopt(digest, prediction_id)
    if status not in RUNNING and not redis_client.notify(
        _notification_key(prediction_id), seconds=KEPT_SECONDS
    ):
        raise RedisAwayError
    # Last: a message that was acted on by half may come again.
    if not redis_client.set_bytes(seen, b"1", seconds=2 * TOLERANCE_SECONDS):
        raise RedisAwayError
    return f"prediction {prediction_id} {status}, {done}"


def _adopt(digest: str, prediction_id: str) -> str:
    """Keep the id for the next run, unless one is known or the prediction is done with."""
    key = prediction_key(digest)
    if not redis_client.set_if_absent(key, prediction_id.encode(), seconds=KEPT_SECONDS):
        return "known"
    # After the set: `forget` marks the end before it releases, so one of the two takes the id away
    # again.
    if redis_client.get_bytes(_ended_key(prediction_id)) is not None:
        redis_client.delete_if_equal(key, prediction_id)
        return "done with"
    return "kept"


def _prediction(body: bytes) -> tuple[str, str]:
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadWebhookError("the body is not JSON", status=400) from error
    prediction_id = told.get("id") if isinstance(told, dict) else None
    if not isinstance(prediction_id, str) or not PREDICTION_ID.fullmatch(prediction_id):
        raise BadWebhookError("the body is no prediction", status=400)
    return prediction_id, str(told.get("status"))[:20]


def _key(secret: str) -> bytes | None:
    if not secret.startswith(_PREFIX):
        return None
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _notification_key(prediction_id: str) -> str:
    return f"replicate:word:{prediction_id}"


def _ended_key(prediction_id: str) -> str:
    return f"replicate:ended:{prediction_id}"
