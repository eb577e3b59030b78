"""`manage.py segment`: the mask of the wall that clicks point at."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from imaging import read_photo
from segmentation import Box, Click
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
        """See the module."""
        super().add_arguments(parser)
        add_prompt_arguments(parser)
        parser.add_argument("--box", type=box, metavar="X0,Y0,X1,Y1")
        parser.add_argument("--out", type=Path, required=True, metavar="MASK.png")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Encode, predict, write."""
        if options["auto"] == bool(options["point"] or options["box"]):
            raise CommandError("Give --point (or --box), or --auto; not both and not neither.")
        check_output(options["out"])
        ensure_model(self.stderr.write)
        clock = [time.perf_counter()]
        photo = read_photo(options["photo"].read_bytes()).pixels
        clock.append(time.perf_counter())
        model = sam_model()
        embedding = model.encode(photo)
        clock.append(time.perf_counter())
        if options["auto"]:
            prediction = model.predict_auto(embedding, photo)
        else:
            given = options["box"]
            prediction = model.predict(
                embedding,
                [Click(*click) for click in options["point"]],
                None if given is None else Box(*given),
                scope_of(options["scope"]),
            )
        mask = prediction.mask(photo=photo)
        clock.append(time.perf_counter())
        write_picture(options["out"], mask)
        clock.append(time.perf_counter())
        stages = ("read", "encode", "decode", "write")
        timings = {s: round(b - a, 4) for s, a, b in zip(stages, clock, clock[1:], strict=False)}
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
