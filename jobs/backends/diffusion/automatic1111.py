"""AUTOMATIC1111's `POST /sdapi/v1/img2img`, which Forge, SD.Next and sd-server speak too.

One call holds the connection until the picture is there. The servers differ in the fields they know and ignore the
rest; `AUTOMATIC1111_FIELDS` adds, replaces (or, with null, takes out) fields, also for ControlNet units that take the
photo or the wallpaper as a reference.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Any, Final

from django.conf import settings

from jobs.backends.diffusion.client import ServiceClient, address_fault
from jobs.backends.diffusion.deadline import Watch
from jobs.backends.diffusion.errors import BadServiceAnswer, ServiceError, TooSlow
from jobs.backends.diffusion.generator import DiffusionGenerator
from jobs.backends.diffusion.payload import ServiceRequest, fill, mapping_fault
from jobs.backends.diffusion.response import MAX_BASE64, from_base64

logger = logging.getLogger(__name__)

PATH: Final = "/sdapi/v1/img2img"
INTERRUPT_PATH: Final = "/sdapi/v1/interrupt"
INTERRUPT_SECONDS: Final = 5.0
STAGE: Final = "diffusing"
# The parameters, which these servers send back, hold what we sent; ControlNet adds its maps to the pictures.
MAX_ANSWER_BYTES: Final = 4 * MAX_BASE64
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


class Automatic1111(DiffusionGenerator):
    """img2img on the server at `AUTOMATIC1111_URL`."""

    name = "automatic1111"

    def setup_fault(self) -> str | None:
        """See `DiffusionGenerator`."""
        if not settings.AUTOMATIC1111_URL:
            return "set AUTOMATIC1111_URL."
        return address_fault("AUTOMATIC1111_URL", settings.AUTOMATIC1111_URL) or mapping_fault(
            "AUTOMATIC1111_FIELDS", settings.AUTOMATIC1111_FIELDS
        )

    def limits(self) -> tuple[int, int]:
        """See `DiffusionGenerator`."""
        return settings.AUTOMATIC1111_TIMEOUT_SECONDS, settings.AUTOMATIC1111_CONCURRENCY

    def ask(self, request: ServiceRequest, watch: Watch) -> bytes:
        """See `DiffusionGenerator`."""
        fields = {**FIELDS, **json.loads(settings.AUTOMATIC1111_FIELDS)}
        fields = {name: value for name, value in fields.items() if value is not None}
        body = fill(fields, request, lambda _, png: base64.b64encode(png).decode("ascii"))
        try:
            answer = _client(watch).call(
                "POST",
                PATH,
                stage=STAGE,
                body=body,
                read_seconds=watch.remaining()
                + INTERRUPT_SECONDS,  # the watch ends it, not the socket
                max_bytes=MAX_ANSWER_BYTES,
            )
        except ServiceError as error:
            if isinstance(error, TooSlow):
                _interrupt()
            raise
        except (
            BaseException
        ):  # the run is somebody else's, or its time is over: the card should not go on
            _interrupt()
            raise
        return _first_picture(answer.data)


def _client(watch: Watch) -> ServiceClient:
    user, password = settings.AUTOMATIC1111_USER, settings.AUTOMATIC1111_PASSWORD
    authorization = ""
    if user or password:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        authorization = f"Basic {pair}"
    return ServiceClient(
        settings.AUTOMATIC1111_URL, authorization=authorization, secrets=(password,), watch=watch
    )


def _interrupt() -> None:
    """Stop what the server is doing, where that can only be ours: the call knows no ids."""
    if not settings.AUTOMATIC1111_INTERRUPT or settings.AUTOMATIC1111_CONCURRENCY > 1:
        return
    watch = Watch(INTERRUPT_SECONDS, lambda *_: None)
    try:
        _client(watch).call("POST", INTERRUPT_PATH, stage="interrupting", body={})
    except ServiceError as error:
        logger.warning("the image server could not be interrupted: %s", error)


def _first_picture(data: Any) -> bytes:
    images = data.get("images") if isinstance(data, dict) else None
    if not isinstance(images, list) or not images or not isinstance(images[0], str):
        raise BadServiceAnswer(f"{PATH}: no list of pictures under 'images'")
    return from_base64(images[0])
