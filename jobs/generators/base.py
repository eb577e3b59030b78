"""What every generator gets and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.module_loading import import_string

from rendering import Placement, WallPlane

Pixels = npt.NDArray[np.uint8]
OnStage = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class GenerationInputs:
    """Everything a picture is made from.

    photo: uint8 H x W x 3 RGB, upright. mask: uint8 H x W, 0..255 coverage of the wall. wallpaper: uint8 h x w x 3
    RGB, one repeat. plane and placement: in photo pixels and wall metres. brightness: stops, -1..1.
    """

    photo: Pixels
    mask: Pixels
    wallpaper: Pixels
    plane: WallPlane
    placement: Placement
    brightness: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """A finished picture, uint8 H x W x 3 RGB, and the seconds each stage took."""

    picture: Pixels
    timings: dict[str, float]


class GeneratorError(Exception):
    """A generator could not make the picture.

    code: stable, for programs. user_message: for the visitor. is_ours: the attempt is given back.
    """

    def __init__(self, user_message: str, *, code: str, is_ours: bool, detail: str = "") -> None:
        super().__init__(detail or user_message)
        self.user_message = user_message
        self.code = code
        self.is_ours = is_ours


class Generator(Protocol):
    """A backend. Its picture is composited through our mask onto the photo by the caller's check."""

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """Make the picture, the photo's size; pixels with mask 0 equal the photo's.

        `on_stage(name, seconds)` is called after each stage.

        Raises:
            GeneratorError: it could not be made.
        """


def generator(name: str) -> Generator:
    """The generator of that name in `settings.GENERATION_BACKENDS`."""
    return cast(Generator, import_string(settings.GENERATION_BACKENDS[name])())
