"""What every backend gets and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.module_loading import import_string

from rendering import Placement, WallPlane
from sessions_app.errors import AppError

Pixels = npt.NDArray[np.uint8]
OnStage = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class GenerationInputs:
    """Everything a picture is made from.

    photo: uint8 H x W x 3 RGB, upright. mask: uint8 H x W, 0..255 coverage of the wall. wallpaper:
    uint8 h x w x 3 RGB, one repeat. plane and placement: in photo pixels and wall metres.
    brightness: stops, -1..1. keep_shadows: 0 (lit evenly) .. 1 (as in the photo).
    """

    photo: Pixels
    mask: Pixels
    wallpaper: Pixels
    plane: WallPlane
    placement: Placement
    brightness: float = 0.0
    keep_shadows: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """A finished picture, uint8 H x W x 3 RGB, and the seconds each stage took."""

    picture: Pixels
    timings: dict[str, float]


class BackendError(AppError):
    """A backend could not make the picture.

    is_ours: the attempt is given back. retry: the same request may well succeed a little later.
    """

    is_ours = True
    retry = False

    def __init__(
        self,
        user_message: str,
        *,
        code: str | None = None,
        detail: str = "",
        is_ours: bool | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(user_message, code=code, detail=detail)
        if is_ours is not None:
            self.is_ours = is_ours
        if retry is not None:
            self.retry = retry


class Backend(Protocol):
    """Write one as a subclass; the caller checks that pixels outside the mask are untouched."""

    def configured(self) -> str | None:
        """None when it can be used; otherwise one sentence naming what the operator has to set."""
        return None

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """Make the picture, the photo's size; pixels with mask 0 equal the photo's.

        `on_stage(name, seconds)` is called after each stage, and every few seconds while one lasts:
        it prolongs the run's lease. What it raises means that the run is somebody else's now: clean
        up and let it through.

        Raises:
            BackendError: it could not be made.
        """
        ...


def load_backend(name: str) -> Backend:
    """The backend of that name in `settings.GENERATION_BACKENDS`."""
    return cast(Backend, import_string(settings.GENERATION_BACKENDS[name])())
