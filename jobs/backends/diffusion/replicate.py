"""Replicate's predictions: create, poll, cancel, fetch.

Model and field mapping are configuration, since every model names its fields otherwise. A
prediction costs money, so it is never created twice for one run: only where the first try certainly
started nothing is it tried again, its id is kept for a worker that takes the run over, and it
carries its own end (`Cancel-After`) should we die. Where webhooks are set up (`replicate_webhook`),
the service wakes the one who waits instead of being asked every few seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import random
import re
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from jobs.backends.diffusion import quota
from jobs.backends.diffusion import replicate_webhook as webhook
from jobs.backends.diffusion.backend import DiffusionBackend
from jobs.backends.diffusion.client import ServiceClient, is_content_refusal, url_error
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import (
    BadServiceResponse,
    PictureRefused,
    PredictionFailed,
    RequestRefused,
    ServiceError,
    Stopped,
)
from jobs.backends.diffusion.payload import ServiceRequest, fill_mapping, mapping_error
from jobs.backends.diffusion.response import decode_base64
from jobs.backends.diffusion.result_link import fetch_result
from sessions_app.queueing import redis_client

logger = logging.getLogger(__name__)

STAGE: Final = "diffusing"
# Replicate's own advice: files above 256 kB by link, smaller ones inside the request.
INLINE_BYTES: Final = 256 * 1024
WAIT_SECONDS: Final = 5
FIRST_POLL_SECONDS: Final = 1.0
LAST_POLL_SECONDS: Final = 5.0
# With webhooks polling is the net below: a lost one costs at most this long.
LAST_POLL_WITH_WEBHOOK_SECONDS: Final = 20.0
CANCEL_SECONDS: Final = 5.0
LEAST_LIFE_SECONDS: Final = 5
_MODEL: Final = re.compile(r"(?P<model>[\w.-]+/[\w.-]+)(?::(?P<version>[0-9a-f]{64}))?")
_VERSION: Final = re.compile(r"[0-9a-f]{64}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_STOPPED: Final = frozenset({"canceled", "aborted"})
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as the service tells it: `output` as it came, `error` in the service's words."""

    id: str
    status: str
    output: Any
    error: str

    @property
    def running(self) -> bool:
        """True while there is something to wait for."""
        return self.status in webhook.RUNNING


class Replicate(DiffusionBackend):
    """Predictions of `REPLICATE_MODEL`."""

    name = "replicate"

    def setup_error(self) -> str | None:
        """See `DiffusionBackend`."""
        missing = [
            variable
            for variable in ("REPLICATE_API_TOKEN", "REPLICATE_MODEL")
            if not getattr(settings, variable)
        ]
        if missing:
            return f"set {' and '.join(missing)}."
        if not _TOKEN.fullmatch(settings.REPLICATE_API_TOKEN):
            return "REPLICATE_API_TOKEN holds characters that no token has."
        if _endpoint(settings.REPLICATE_MODEL) is None:
            return (
                "REPLICATE_MODEL must be owner/name, owner/name:version "
                "or a version of 64 hex digits."
            )
        return (
            url_error("REPLICATE_API_URL", settings.REPLICATE_API_URL)
            or mapping_error("REPLICATE_INPUT", settings.REPLICATE_INPUT)
            or webhook.setup_error()
        )

    def limits(self) -> tuple[int, int]:
        """See `DiffusionBackend`."""
        return settings.REPLICATE_TIMEOUT_SECONDS, settings.REPLICATE_CONCURRENCY

    def request_picture(self, request: ServiceRequest, deadline: RunDeadline) -> bytes:
        """See `DiffusionBackend`."""
        mapping = json.loads(settings.REPLICATE_INPUT)
        digest = _digest(mapping, request)
        client = _client(deadline)
        prediction = _resume(client, digest)
        if prediction is None:
            prediction = self._create(client, mapping, request, digest, deadline)
            webhook.remember(digest, prediction.id)
        logger.info("replicate prediction %s: %s", prediction.id, prediction.status)
        try:
            return _download(_wait_until_finished(client, prediction, deadline), deadline)
        finally:
            webhook.forget(digest, prediction.id)

    def _create(
        self,
        client: ServiceClient,
        mapping: Any,
        request: ServiceRequest,
        digest: str,
        deadline: RunDeadline,
    ) -> Prediction:
        body: dict[str, Any] = {
            "input": fill_mapping(
                mapping, request, lambda name, png: _encode_or_upload(client, name, png)
            )
        }
        path, version = _endpoint(settings.REPLICATE_MODEL) or ("", None)
        if version is not None:
            body["version"] = version
        if webhook.is_enabled():
            body["webhook"] = webhook.callback_url(digest)
            body["webhook_events_filter"] = list(webhook.EVENTS)
        quota.consume(self.name, limit=settings.REPLICATE_MAX_PREDICTIONS_PER_DAY)
        life = max(LEAST_LIFE_SECONDS, int(deadline.remaining()))
        response = client.call(
            "POST",
            path,
            stage=STAGE,
            body=body,
            headers={"Prefer": f"wait={WAIT_SECONDS}", "Cancel-After": f"{life}s"},
            repeatable=False,
        )
        return _parse_prediction(response.data)


def _endpoint(model: str) -> tuple[str, str | None] | None:
    """(path, version to name in the body) of a configured model; None where it is none."""
    if _VERSION.fullmatch(model):
        return "/v1/predictions", model
    match = _MODEL.fullmatch(model)
    if match is None:
        return None
    if match["version"] is None:
        return f"/v1/models/{match['model']}/predictions", None
    return "/v1/predictions", match["version"]


def _client(deadline: RunDeadline) -> ServiceClient:
    return ServiceClient(
        settings.REPLICATE_API_URL,
        authorization=f"Bearer {settings.REPLICATE_API_TOKEN}",
        deadline=deadline,
    )


def _digest(mapping: Any, request: ServiceRequest) -> str:
    """Names what is asked for: the same model, fields and pictures give the same digest."""
    digests = fill_mapping(mapping, request, lambda _, png: hashlib.sha256(png).hexdigest())
    text = json.dumps([settings.REPLICATE_MODEL, digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _resume(client: ServiceClient, digest: str) -> Prediction | None:
    """The prediction that an interrupted run of the same request left, if it is of use."""
    kept = redis_client.get_bytes(webhook.prediction_key(digest)) or b""
    known = kept.decode("ascii", "replace")
    if not webhook.PREDICTION_ID.fullmatch(known):
        return None
    try:
        prediction = _get(client, known)
    except RequestRefused:  # deleted, as predictions are after an hour
        return None
    return prediction if prediction.running or prediction.status == "succeeded" else None


def _wait_until_finished(
    client: ServiceClient, prediction: Prediction, deadline: RunDeadline
) -> Prediction:
    """The prediction when it has ended; one that is not waited for to its end is canceled."""
    pause = FIRST_POLL_SECONDS
    called = webhook.is_enabled()
    longest = LAST_POLL_WITH_WEBHOOK_SECONDS if called else LAST_POLL_SECONDS
    try:
        while prediction.running:
            deadline.heartbeat(STAGE)
            seconds = pause * _chance.uniform(0.8, 1.2)
            if called:
                webhook.wait_for_callback(prediction.id, seconds, deadline, STAGE)
            else:
                deadline.sleep(seconds, STAGE)
            pause = min(longest, pause * 1.5)
            prediction = _get(client, prediction.id)
    except BaseException:  # our deadline, the job's alarm, or a run that is another's: stop paying
        _cancel(prediction.id)
        raise
    return prediction


def _get(client: ServiceClient, prediction_id: str) -> Prediction:
    # The path is made from the id: the links in the response are not followed with our token.
    return _parse_prediction(
        client.call("GET", f"/v1/predictions/{prediction_id}", stage=STAGE).data
    )


def _cancel(prediction_id: str) -> None:
    deadline = RunDeadline(CANCEL_SECONDS, lambda *_: None)
    try:
        _client(deadline).call("POST", f"/v1/predictions/{prediction_id}/cancel", stage="canceling")
    except ServiceError as error:
        logger.warning("replicate prediction %s could not be canceled: %s", prediction_id, error)
    else:
        logger.info("replicate prediction %s canceled", prediction_id)


def _encode_or_upload(client: ServiceClient, name: str, png: bytes) -> str:
    """A picture as Replicate takes it: in the request where it is small, else uploaded."""
    if len(png) <= INLINE_BYTES:
        return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    response = client.call(
        "POST", "/v1/files", stage="uploading", files={"content": (f"{name}.png", png, "image/png")}
    )
    urls = response.data.get("urls") if isinstance(response.data, dict) else None
    link = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(link, str) or not link.startswith(("https://", "http://")):
        raise BadServiceResponse("/v1/files: no link under 'urls.get'")
    return link


def _parse_prediction(data: Any) -> Prediction:
    if not isinstance(data, dict):
        raise BadServiceResponse("a prediction that is not an object")
    prediction_id, status = data.get("id"), data.get("status")
    if not isinstance(prediction_id, str) or not webhook.PREDICTION_ID.fullmatch(prediction_id):
        raise BadServiceResponse(f"a prediction with the id {str(prediction_id)[:80]!r}")
    if status not in webhook.RUNNING | _STOPPED | {"succeeded", "failed"}:
        raise BadServiceResponse(f"prediction {prediction_id}: status {str(status)[:80]!r}")
    error = data.get("error")
    return Prediction(prediction_id, status, data.get("output"), str(error or "")[:400])


def _download(prediction: Prediction, deadline: RunDeadline) -> bytes:
    """The bytes of what a prediction made. Raises by its status."""
    said = f"prediction {prediction.id}: {prediction.status}: {prediction.error}"
    if prediction.status in _STOPPED:
        raise Stopped(said)
    if prediction.status != "succeeded":
        raise (
            PictureRefused(said) if is_content_refusal(prediction.error) else PredictionFailed(said)
        )
    output = prediction.output
    if isinstance(output, list) and output:
        output = output[0]
    if not isinstance(output, str):
        raise BadServiceResponse(f"prediction {prediction.id}: no picture in its output")
    if output.startswith("data:"):
        return decode_base64(output)
    insecure = settings.REPLICATE_API_URL.startswith("http://")
    return fetch_result(
        output, hosts=settings.REPLICATE_RESULT_HOSTS, insecure=insecure, deadline=deadline
    )
