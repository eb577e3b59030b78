"""`manage.py plane`: where the marked wall's plane lies."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from imaging import read_mask, read_photo
from imaging.types import Mask, Pixels
from rendering import estimate_plane
from segmentation import Click
from sessions_app.inference.model import sam_model, scope_of
from sessions_app.management.cli import (
    PhotoCommand,
    add_prompt_arguments,
    ensure_model,
    existing_file,
)
from sessions_app.services.planes import focal_px


class Command(PhotoCommand):
    """Photo and mask (or clicks) in, quad and homography out."""

    help = "Estimate the plane of a wall from the photo and its mask, or from clicks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Photo, and clicks or a mask."""
        super().add_arguments(parser)
        add_prompt_arguments(parser)
        parser.add_argument("--mask", type=existing_file, metavar="MASK.png")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Estimate and print; returns the plane for `--json`.

        Raises:
            CommandError: not exactly one of mask, clicks and `--auto`.
        """
        if sum((options["auto"], bool(options["point"]), options["mask"] is not None)) != 1:
            raise CommandError("Give one of --mask, --point or --auto.")
        photo = read_photo(options["photo"].read_bytes())
        height, width = photo.pixels.shape[:2]
        mask = self._mask(photo.pixels, options)
        plane = estimate_plane(
            photo.pixels, mask, focal_px=focal_px(photo.focal_35mm, width=width, height=height)
        )
        if not options["json"]:
            corners = "  ".join(f"{x:.0f},{y:.0f}" for x, y in plane.quad)
            self.stdout.write(
                f"{plane.source}, confidence {plane.confidence:.2f}: "
                f"{plane.size_m[0]:.2f} x {plane.size_m[1]:.2f} m at {corners}"
            )
        return plane.as_json()

    def _mask(self, photo: Pixels, options: dict[str, Any]) -> Mask:
        """The mask given, or the one predicted from the clicks."""
        height, width = photo.shape[:2]
        if options["mask"] is not None:
            return read_mask(options["mask"].read_bytes(), size=(width, height))
        ensure_model(self.stderr.write)
        model = sam_model()
        embedding = model.encode(photo)
        if options["auto"]:
            return model.predict_auto(embedding, photo).mask()
        clicks = [Click(*click) for click in options["point"]]
        return model.predict(embedding, clicks, scope=scope_of(options["scope"])).mask()
