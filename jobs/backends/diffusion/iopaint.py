"""IOPaint's `POST /api/v1/inpaint`: inpainting, Paint by Example and erasers, self-hosted.

One call holds the connection until the picture is there, and the response is the picture itself.
Every model of the server takes the same request and ignores the fields of the others;
`IOPAINT_FIELDS` adds, replaces or (with null) takes out fields. The contract as read in IOPaint
1.6.0, `iopaint/schema.py` and `iopaint/api.py`, and tried on its server.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from django.conf import settings

from jobs.backends.diffusion.backend import DiffusionBackend
from jobs.backends.diffusion.client import ServiceClient, url_error
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.payload import ServiceRequest, fill_mapping, mapping_error
from jobs.backends.diffusion.response import RESPONSE_LIMITS

PATH: Final = "/api/v1/inpaint"
STAGE: Final = "diffusing"
# The deadline ends the wait, not the socket.
SPARE_SECONDS: Final = 5.0
FIELDS: Final[dict[str, Any]] = {
    "image": "$render",
    "mask": "$mask",  # white (above 127) is repainted
    "prompt": "$prompt",
    "negative_prompt": "$negative_prompt",
    "sd_strength": "$strength",
    "sd_steps": 28,
    "sd_guidance_scale": 5.0,
    "sd_seed": "$seed",
    "sd_mask_blur": 0,  # the soft edge is ours
    "sd_keep_unmasked_area": True,
    "hd_strategy": "Original",  # the cropping is done here
    "paint_by_example_example_image": "$wallpaper",
}


class IOPaint(DiffusionBackend):
    """Inpainting on the server at `IOPAINT_URL`, which cannot be told to stop."""

    name = "iopaint"

    def setup_error(self) -> str | None:
        """See `DiffusionBackend`."""
        if not settings.IOPAINT_URL:
            return "set IOPAINT_URL."
        return url_error("IOPAINT_URL", settings.IOPAINT_URL) or mapping_error(
            "IOPAINT_FIELDS", settings.IOPAINT_FIELDS
        )

    def limits(self) -> tuple[int, int]:
        """See `DiffusionBackend`."""
        return settings.IOPAINT_TIMEOUT_SECONDS, settings.IOPAINT_CONCURRENCY

    def request_picture(self, request: ServiceRequest, deadline: RunDeadline) -> bytes:
        """See `DiffusionBackend`."""
        fields = {**FIELDS, **json.loads(settings.IOPAINT_FIELDS)}
        fields = {name: value for name, value in fields.items() if value is not None}
        body = fill_mapping(fields, request, lambda _, png: base64.b64encode(png).decode("ascii"))
        response = ServiceClient(settings.IOPAINT_URL, deadline=deadline).call(
            "POST",
            PATH,
            stage=STAGE,
            body=body,
            read_seconds=deadline.remaining() + SPARE_SECONDS,
            max_bytes=RESPONSE_LIMITS.max_bytes,
            as_bytes=True,
        )
        return bytes(response.data)
