"""What image services share: render here, let the service harmonise it, lay its change over ours.

A diffusion model asked for a wallpaper invents one. So the wall is papered by our own renderer,
exactly, and a service is given that picture to go over at low strength: light and shadow, the look
of one photograph.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Final

from django.conf import settings

from imaging import fit_within
from jobs.backends.base import Backend, Generated, GenerationInputs, OnStage
from jobs.backends.diffusion.composite import composite
from jobs.backends.diffusion.concurrency import backend_slot
from jobs.backends.diffusion.deadline import RunDeadline
from jobs.backends.diffusion.errors import NotSetUp
from jobs.backends.diffusion.payload import ServiceRequest
from jobs.backends.diffusion.region import work_region
from jobs.backends.diffusion.response import decode_picture
from jobs.backends.local import LocalBackend

REFERENCE_SIDE_PX: Final = 768
# Of the job's own time, for laying over and storing.
RESERVE_SECONDS: Final = 20


class DiffusionBackend(Backend):
    """A backend on an image service; a subclass tells its settings and limits, and asks."""

    name: str

    @abstractmethod
    def setup_error(self) -> str | None:
        """What the operator has to set or correct, as in "set X_URL"; None when all is there."""

    @abstractmethod
    def limits(self) -> tuple[int, int]:
        """(seconds one generation may take, generations at once)."""

    @abstractmethod
    def request_picture(self, request: ServiceRequest, deadline: RunDeadline) -> bytes:
        """The service's picture, as a file.

        Raises:
            ServiceError: there is none.
            Exception: whatever the deadline's heartbeat raises.
        """

    def configured(self) -> str | None:
        """See `Backend.configured`."""
        missing = self.setup_error()
        return missing and f"The generator {self.name!r} is not set up on this server: {missing}"

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """See `Backend.generate`."""
        missing = self.configured()
        if missing is not None:
            raise NotSetUp(missing, missing)
        seconds, at_once = self.limits()
        longest = max(5, settings.GENERATION_TIMEOUT_SECONDS - RESERVE_SECONDS)
        deadline = RunDeadline(min(seconds, longest), on_stage)
        timings: dict[str, float] = {}
        clock = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal clock
            now = time.perf_counter()
            timings[stage], clock = now - clock, now
            on_stage(stage, timings[stage])

        render = LocalBackend().generate(inputs, lambda *_: deadline.heartbeat("rendering")).picture
        region = work_region(inputs.mask, max_side=settings.DIFFUSION_MAX_SIDE_PX)
        request = ServiceRequest(
            render=region.at_work_size(render),
            photo=region.at_work_size(inputs.photo),
            mask=region.at_work_size(inputs.mask),
            wallpaper=fit_within(inputs.wallpaper, REFERENCE_SIDE_PX),
            prompt=settings.DIFFUSION_PROMPT,
            negative_prompt=settings.DIFFUSION_NEGATIVE_PROMPT,
            strength=settings.DIFFUSION_STRENGTH_PERCENT / 100,
        )
        lap("render")
        with backend_slot(self.name, count=at_once, deadline=deadline):
            lap("waiting")
            data = self.request_picture(request, deadline)
        lap("diffusion")
        edited = decode_picture(data, sent=request.render, region=region)
        picture = composite(inputs.photo, inputs.mask, render, request.render, edited, region)
        lap("composite")
        return Generated(picture, timings)
