"""The inputs of a generation, read back from its row and the store."""

from __future__ import annotations

import numpy as np

from imaging import read_mask
from imaging.types import Mask, Pixels
from jobs.backends import GenerationInputs
from rendering import WallPlane
from sessions_app import storage
from sessions_app.error_translation import reading_stored
from sessions_app.models import Generation
from sessions_app.services import photos, wallpapers


def load_inputs(generation: Generation) -> GenerationInputs:
    """Read everything the generation is made from.

    Raises:
        NotFound: a picture it was made from is gone.
        Unavailable: the store is away or gives something else back.
    """
    session = generation.session
    data = storage.read(generation.mask_key)
    with reading_stored("mask"):
        mask = read_mask(data, size=(session.width, session.height))
    return GenerationInputs(
        photo=photos.photo_pixels(session),
        mask=mask,
        wallpaper=wallpapers.wallpaper_pixels(generation.wallpaper),
        plane=WallPlane.from_json(generation.plane),
        placement=wallpapers.placement_of(
            generation.placement, default_repeat_m=generation.wallpaper.repeat_width_m
        ),
        brightness=float(generation.placement.get("brightness", 0.0)),
        keep_shadows=float(generation.placement.get("keep_shadows", 1.0)),
    )


def unchanged_outside(photo: Pixels, picture: Pixels, mask: Mask) -> bool:
    """True when every pixel with mask 0 is the photo's, bit for bit."""
    return photo.shape == picture.shape and bool(
        np.all((photo == picture).all(axis=2) | (mask > 0))
    )
