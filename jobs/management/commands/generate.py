"""`manage.py generate`: a picture from the command line, through the same services and task as in
the web app.
"""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from imaging import read_stored
from jobs.management.photo_options import (
    choose_wallpaper,
    mark_wall,
    original_size,
    placement_from_options,
    scale_point,
)
from jobs.tasks import run_generation
from rendering import MODES
from sessions_app import storage
from sessions_app.management.cli import (
    PhotoCommand,
    add_prompt_arguments,
    check_output,
    ensure_database,
    ensure_model,
    existing_file,
    metres_pair,
    quad,
    size_in_metres,
    write_picture,
)
from sessions_app.models import Generation, Session
from sessions_app.services import generations, planes, uploads, wallpapers


class Command(PhotoCommand):
    """Makes a session, marks the wall, chooses the wallpaper, runs the task in this process, and
    writes the picture.
    """

    help = "Put a wallpaper on a wall of a photo and write the picture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Photo, wall, wallpaper, placement, output."""
        super().add_arguments(parser)
        add_prompt_arguments(parser)
        parser.add_argument("--mask", type=existing_file, metavar="MASK.png")
        parser.add_argument(
            "--wallpaper", required=True, metavar="FILE_OR_URL", help="or a built-in design's name"
        )
        parser.add_argument("--quad", type=quad, metavar='"x,y x,y x,y x,y"', help="TL TR BR BL")
        parser.add_argument("--quad-size", type=size_in_metres, metavar="WxH", help="metres")
        add_placement_arguments(parser)
        parser.add_argument("--backend", help=", ".join(settings.GENERATION_BACKENDS))
        parser.add_argument("--max-side", type=int, metavar="PX")
        parser.add_argument("--out", type=Path, required=True, metavar="OUT.png")

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Session, wall, wallpaper, generation, picture."""
        self._check(options)
        ensure_database()
        if options["mask"] is None:
            ensure_model(self.stderr.write)
        session = uploads.create_session(
            data=options["photo"].read_bytes(),
            source=Session.Source.COMMAND,
            max_side=options["max_side"],
            background=False,
        )
        self._mark_wall(session, options)
        choose_wallpaper(session, options["wallpaper"])
        wallpapers.set_placement(session_id=session.pk, placement=placement_from_options(options))
        generation = generations.request_generation(
            session_id=session.pk,
            request_key=secrets.token_hex(16),
            backend=options["backend"],
            inline=True,
        )
        run_generation(str(generation.pk), generation.run)
        generation.refresh_from_db()
        if generation.state != Generation.State.COMPLETED:
            raise CommandError(generation.error_message or "The picture could not be made.")
        data = storage.read(generation.result_key)
        if options["out"].suffix.lower() == ".png":
            options["out"].write_bytes(data)
        else:
            write_picture(options["out"], read_stored(data))
        return self._answer(session, generation)

    @staticmethod
    def _check(options: dict[str, Any]) -> None:
        if sum((options["auto"], bool(options["point"]), options["mask"] is not None)) != 1:
            raise CommandError("Give one of --mask, --point or --auto.")
        if (options["quad"] is None) != (options["quad_size"] is None):
            raise CommandError("--quad and --quad-size belong together.")
        if options["strip_width"] is not None and not options["seams"]:
            raise CommandError("--strip-width needs --seams, which shows the strips.")
        if options["max_side"] is not None and options["max_side"] < 64:
            raise CommandError("--max-side must be at least 64 pixels.")
        check_output(options["out"])
        generations.checked_backend(options["backend"])

    @staticmethod
    def _mark_wall(session: Session, options: dict[str, Any]) -> None:
        """Points, mask and quad are in pixels of the photo as given, whatever `--max-side` made of
        it.
        """
        size = original_size(options["photo"], session, options["max_side"])
        mark_wall(
            session,
            size,
            mask=options["mask"],
            clicks=options["point"] or None,
            scope=options["scope"],
        )
        if options["quad"] is not None:
            factor = session.width / size[0]
            corners = [scale_point(corner, factor) for corner in options["quad"]]
            planes.use_quad(session_id=session.pk, corners=corners, size_m=options["quad_size"])

    @staticmethod
    def _answer(session: Session, generation: Generation) -> dict[str, Any]:
        return {
            "session": str(session.pk),
            "generation": generation.number,
            "width": session.width,
            "height": session.height,
            "plane": generation.plane,
            "backend": generation.backend,
            "untouched_outside": generation.untouched_outside,
            "digest": generation.result_digest,
            "timings": generation.timings,
        }


def add_placement_arguments(parser: ArgumentParser) -> None:
    """How the wallpaper lies on the wall, and how it is lit."""
    parser.add_argument("--repeat-width", type=float, metavar="METRES")
    parser.add_argument("--origin", type=metres_pair, metavar="X,Y", help="metres")
    parser.add_argument("--rotate", type=float, metavar="DEG")
    parser.add_argument("--drop", metavar="half|FRACTION")
    parser.add_argument("--mirror", action="store_true")
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--seams", action="store_true", help="show the joints between strips")
    parser.add_argument(
        "--strip-width", type=float, metavar="METRES", help="of a roll, with --seams; 0.53"
    )
    parser.add_argument("--brightness", type=float, metavar="STOPS", help="-1 to 1")
    parser.add_argument(
        "--keep-shadows",
        type=float,
        metavar="SHARE",
        help="0 (lit evenly) to 1 (as in the photo)",
    )
