"""AUTOMATIC1111's `POST /sdapi/v1/img2img`, which Forge, SD.Next and sd-server speak too.

One call holds the connection until the picture is there. The servers differ in the fields they know
and ignore the rest; `AUTOMATIC1111_FIELDS` adds, replaces (or, with null, takes out) fields, also
for ControlNet units that take the photo or the wallpaper as a reference.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Any, Final

from django.conf import settings

from jobs.backends.diffusion.backend import DiffusionBackend
from jobs.backends.diffusion.client import ServiceClient, url_error
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import BadServiceResponse, ServiceError, TooSlow
from jobs.backends.diffusion.payload import ServiceRequest, fill_mapping, mapping_error
from jobs.backends.diffusion.response import MAX_BASE64_LENGTH, decode_base64

logger = logging.getLogger(__name__)

PATH: Final = "/sdapi/v1/img2img"
INTERRUPT_PATH: Final = "/sdapi/v1/interrupt"
INTERRUPT_SECONDS: Final = 5.0
STAGE: Final = "diffusing"
# The parameters, which these servers send back, hold what we sent; ControlNet adds its maps to the
# pictures.
MAX_RESPONSE_BYTES: Final = 4 * MAX_BASE64_LENGTH
FIELDS: Final[dict[str, Any]] = {
    "init_images": ["$render"],
    "mask": "$mask",
    "inpainting_mask_invert": 0,  # white is repainted
    "inpainting_fill": 1,  # start from the picture, not from noise or a flat colour
    "inpaint_full_res": False,  # the cropping is done here
    "mask_blur": 0,  # the soft edge is ours
    "resize_mode": 0,
    "width": "$width",
    "height": "$height",
    "prompt": "$prompt",
    "negative_prompt": "$negative_prompt",
    "denoising_strength": "$strength",
    "steps": 28,
    "cfg_scale": 5.0,
    "seed": "$seed",
    "batch_size": 1,
    "n_iter": 1,
    "send_images": True,
    "save_images": False,
}


class Automatic1111(DiffusionBackend):
    """img2img on the server at `AUTOMATIC1111_URL`."""

    name = "automatic1111"

    def setup_error(self) -> str | None:
        """See `DiffusionBackend`."""
        if not settings.AUTOMATIC1111_URL:
            return "set AUTOMATIC1111_URL."
        return url_error("AUTOMATIC1111_URL", settings.AUTOMATIC1111_URL) or mapping_error(
            "AUTOMATIC1111_FIELDS", settings.AUTOMATIC1111_FIELDS
        )

    def limits(self) -> tuple[int, int]:
        """See `DiffusionBackend`."""
        return settings.AUTOMATIC1111_TIMEOUT_SECONDS, settings.AUTOMATIC1111_CONCURRENCY

    def request_picture(self, request: ServiceRequest, deadline: RunDeadline) -> bytes:
        """See `DiffusionBackend`."""
        fields = {**FIELDS, **json.loads(settings.AUTOMATIC1111_FIELDS)}
        fields = {name: value for name, value in fields.items() if value is not None}
        body = fill_mapping(fields, request, lambda _, png: base64.b64encode(png).decode("ascii"))
        try:
            response = _client(deadline).call(
                "POST",
                PATH,
                stage=STAGE,
                body=body,
                # The deadline ends the wait, not the socket.
                read_seconds=deadline.remaining() + INTERRUPT_SECONDS,
                max_bytes=MAX_RESPONSE_BYTES,
            )
        except ServiceError as error:
            if isinstance(error, TooSlow):
                _interrupt()
            raise
        except BaseException:  # the run is somebody else's, or its time is over: stop the card
            _interrupt()
            raise
        return _first_picture(response.data)


def _client(deadline: RunDeadline) -> ServiceClient:
    user, password = settings.AUTOMATIC1111_USER, settings.AUTOMATIC1111_PASSWORD
    authorization = ""
    if user or password:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        authorization = f"Basic {pair}"
    return ServiceClient(
        settings.AUTOMATIC1111_URL,
        authorization=authorization,
        secrets=(password,),
        deadline=deadline,
    )


def _interrupt() -> None:
    """Stop what the server is doing, where that can only be ours: the call knows no ids."""
    if not settings.AUTOMATIC1111_INTERRUPT or settings.AUTOMATIC1111_CONCURRENCY > 1:
        return
    deadline = RunDeadline(INTERRUPT_SECONDS, lambda *_: None)
    try:
        _client(deadline).call("POST", INTERRUPT_PATH, stage="interrupting", body={})
    except ServiceError as error:
        logger.warning("the image server could not be interrupted: %s", error)


def _first_picture(data: Any) -> bytes:
    images = data.get("images") if isinstance(data, dict) else None
    if not isinstance(images, list) or not images or not isinstance(images[0], str):
        raise BadServiceResponse(f"{PATH}: no list of pictures under 'images'")
    return decode_base64(images[0])
