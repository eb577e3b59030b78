"""`manage.py plane`: where the marked wall's plane lies."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from imaging import read_mask, read_photo
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
        """See the module."""
        super().add_arguments(parser)
        add_prompt_arguments(parser)
        parser.add_argument("--mask", type=existing_file, metavar="MASK.png")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Estimate and tell."""
        if sum((options["auto"], bool(options["point"]), options["mask"] is not None)) != 1:
            raise CommandError("Give one of --mask, --point or --auto.")
        photo = read_photo(options["photo"].read_bytes())
        height, width = photo.pixels.shape[:2]
        if options["mask"] is not None:
            mask = read_mask(options["mask"].read_bytes(), size=(width, height))
        else:
            ensure_model(self.stderr.write)
            model = sam_model()
            embedding = model.encode(photo.pixels)
            clicks = [Click(*click) for click in options["point"]]
            mask = (
                model.predict_auto(embedding, photo.pixels)
                if options["auto"]
                else model.predict(embedding, clicks, scope=scope_of(options["scope"]))
            ).mask()
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
