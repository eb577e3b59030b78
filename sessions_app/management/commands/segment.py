"""`manage.py segment`: the mask of the wall that clicks point at."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from imaging import read_photo
from imaging.types import Pixels
from segmentation import Box, Click, Embedding, Prediction, SamModel
from sessions_app.inference.model import sam_model, scope_of
from sessions_app.management.cli import (
    PhotoCommand,
    add_prompt_arguments,
    box,
    check_output,
    ensure_model,
    write_picture,
)


class Command(PhotoCommand):
    """Photo and clicks in, mask out; needs no server and no database."""

    help = "Write the mask of a wall: from clicks, a box, or with --auto from none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Photo, clicks or a box, output."""
        super().add_arguments(parser)
        add_prompt_arguments(parser)
        parser.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1")
        parser.add_argument("--out", type=Path, required=True, metavar="MASK.png")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Encode, predict, write the mask; returns scores, size and timings for `--json`.

        Raises:
            CommandError: no clicks and no `--auto`, or both; or the output cannot be written.
        """
        if options["auto"] == bool(options["point"] or options["box"]):
            raise CommandError("Give --point (or --box), or --auto; not both and not neither.")
        check_output(options["out"])
        ensure_model(self.stderr.write)
        times = [time.perf_counter()]
        photo = read_photo(options["photo"].read_bytes()).pixels
        times.append(time.perf_counter())
        model = sam_model()
        embedding = model.encode(photo)
        times.append(time.perf_counter())
        prediction = self._predict(model, embedding, photo, options)
        mask = prediction.mask(photo=photo)
        times.append(time.perf_counter())
        write_picture(options["out"], mask)
        times.append(time.perf_counter())
        stages = ("read", "encode", "decode", "write")
        timings = {
            stage: round(end - start, 4)
            for stage, (start, end) in zip(stages, pairwise(times), strict=True)
        }
        if prediction.warning and not options["json"]:
            self.stderr.write(prediction.warning)
        return {
            "score": round(prediction.score, 4),
            "area": round(float((mask > 127).mean()), 5),
            "width": mask.shape[1],
            "height": mask.shape[0],
            "doubt": prediction.doubt,
            "warning": prediction.warning,
            "model": model.identity,
            "timings": timings,
        }

    @staticmethod
    def _predict(
        model: SamModel, embedding: Embedding, photo: Pixels, options: dict[str, Any]
    ) -> Prediction:
        if options["auto"]:
            return model.predict_auto(embedding, photo)
        box_given = options["box"]
        return model.predict(
            embedding,
            [Click(*click) for click in options["point"]],
            None if box_given is None else Box(*box_given),
            scope_of(options["scope"]),
        )
