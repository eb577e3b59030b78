"""`manage.py generate_batch`: every wallpaper on every photo of a folder, through the web app's
services and task.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.management.batch_plan import (
    BatchError,
    BatchPicture,
    find_photos,
    find_wallpapers,
    plan_pictures,
    split_by_photo,
)
from jobs.management.batch_run import (
    WALLPAPERS_PER_SESSION,
    Outcome,
    PhotoBatch,
    run_concurrently,
)
from jobs.management.photo_options import parse_drop
from rendering import MODES
from sessions_app.errors import AppError
from sessions_app.management.cli import (
    ensure_database,
    ensure_model,
    only_errors_logged,
    user_errors_as_one_line,
)
from sessions_app.queueing import queues, redis_client
from sessions_app.services import generations

BAR_WIDTH: Final = 24


class Command(BaseCommand):
    """Exit code 0: all pictures are there; 1: some are not; 2: called wrongly. Called again, it
    makes those left.
    """

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)
    help = "Put every wallpaper on the wall of every photo of a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See docs/jobs.md."""
        parser.add_argument(
            "folder",
            type=Path,
            metavar="FOLDER",
            help="photos; PHOTO.mask.png or PHOTO.clicks.json say where the wall is, "
            "else it is found",
        )
        parser.add_argument(
            "--wallpapers",
            type=Path,
            required=True,
            metavar="FOLDER|FILE.csv",
            help="pictures, or a table: wallpaper[,repeat_width_m,drop,rotation_deg,mode]",
        )
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
        parser.add_argument(
            "--auto", action="store_true", help="find every wall; no mask, no clicks"
        )
        parser.add_argument(
            "--queue", action="store_true", help="let the running workers make them"
        )
        parser.add_argument("--keep", action="store_true", help="keep the sessions, for the admin")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        self._add_picture_arguments(parser)

    @staticmethod
    def _add_picture_arguments(parser: ArgumentParser) -> None:
        """Options for every picture; a table's columns take precedence."""
        parser.add_argument("--repeat-width", type=float, metavar="METRES")
        parser.add_argument("--drop", metavar="half|FRACTION")
        parser.add_argument("--rotate", type=float, metavar="DEG")
        parser.add_argument("--mode", choices=MODES)
        parser.add_argument("--backend", help=", ".join(settings.GENERATION_BACKENDS))
        parser.add_argument("--max-side", type=int, metavar="PX")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, make, report.

        Raises:
            CommandError: called wrongly, interrupted, or some pictures could not be made.
        """
        started = time.monotonic()
        by_photo = self._plan(options)
        try:
            with only_errors_logged():
                outcomes = self._make(by_photo, options)
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Call it again to go on.", returncode=130) from error
        self._report(outcomes, round(time.monotonic() - started, 1), as_json=options["json"])

    def _report(self, outcomes: list[Outcome], seconds: float, *, as_json: bool) -> None:
        failed = [outcome for outcome in outcomes if outcome.error]
        skipped = sum(outcome.skipped for outcome in outcomes)
        made = len(outcomes) - len(failed) - skipped
        if as_json:
            counts = {"made": made, "skipped": skipped, "failed": len(failed), "seconds": seconds}
            self.stdout.write(
                json.dumps({**counts, "pictures": [as_json_object(o) for o in outcomes]})
            )
        else:
            self.stdout.write(
                f"{made} picture(s) made, {skipped} there already, {len(failed)} failed, "
                f"in {seconds:.0f} s."
            )
        if failed:
            raise CommandError(
                f"{len(failed)} of {len(outcomes)} pictures could not be made; "
                "call the command again to try those."
            )

    def _plan(self, options: dict[str, Any]) -> list[list[BatchPicture]]:
        """Everything that can be wrong with the call is found here, before anything is done."""
        try:
            if options["out"].resolve() == options["folder"].resolve():
                raise BatchError("--out must be another folder than the photos'.")
            if options["max_side"] is not None and options["max_side"] < 64:
                raise BatchError("--max-side must be at least 64 pixels.")
            parse_drop(options["drop"])
            generations.checked_backend(options["backend"])
            by_photo = plan_pictures(
                find_photos(options["folder"]),
                find_wallpapers(options["wallpapers"]),
                options["out"],
            )
            options["out"].mkdir(parents=True, exist_ok=True)
        except (BatchError, CommandError, AppError, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        return by_photo

    def _make(self, by_photo: list[list[BatchPicture]], options: dict[str, Any]) -> list[Outcome]:
        with user_errors_as_one_line():
            ensure_database()
        concurrency = count_workers() if options["queue"] else 1
        progress = Progress(self.stderr, total=sum(map(len, by_photo)))
        outcomes = [
            Outcome(picture, skipped=True)
            for pictures in by_photo
            for picture in pictures
            if picture.out.exists()
        ]
        for outcome in outcomes:
            progress.report(outcome)
        left = [
            [picture for picture in pictures if not picture.out.exists()] for pictures in by_photo
        ]
        left = [pictures for pictures in left if pictures]
        options = {**options, "model_error": self._model_error(left, options)}
        split = split_by_photo(left, concurrency=concurrency, longest=WALLPAPERS_PER_SESSION)
        batches = [PhotoBatch(pictures, options) for pictures in split]
        for outcome in run_concurrently(batches, concurrency):
            progress.report(outcome)
            outcomes.append(outcome)
        progress.end()
        return outcomes

    def _model_error(self, left: list[list[BatchPicture]], options: dict[str, Any]) -> str:
        """Why the model that finds walls cannot be had; empty when it is there, or no photo needs
        it.

        Raises:
            CommandError: it cannot be had, and every photo needs it.
        """
        needing = [pictures for pictures in left if needs_model(pictures[0], options)]
        if not needing:
            return ""
        try:
            ensure_model(lambda line: self.stderr.write(line, style_func=str))
        except CommandError as error:
            if len(needing) == len(left):
                raise
            return str(error)
        return ""


class Progress:
    """A line for each picture, and on a terminal a bar below them."""

    def __init__(self, stream: Any, *, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._is_terminal = bool(stream.isatty())

    def report(self, outcome: Outcome) -> None:
        """Print the outcome of one more picture."""
        self._done += 1
        end = f"{outcome.seconds:.1f} s"
        if outcome.skipped:
            end = "there already"
        elif outcome.error:
            end = f"FAILED: {outcome.error}"
        width = len(str(self._total))
        line = f"[{self._done:>{width}}/{self._total}] {outcome.picture.out.name}  {end}"
        if not self._is_terminal:
            self._write(line)
            return
        filled = BAR_WIDTH * self._done // self._total
        if outcome.error:
            self._write(f"\r\033[K{line}")
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        self._write(f"\r\033[K[{bar}] {line}", ending="")
        self._stream.flush()

    def end(self) -> None:
        """End the bar's line."""
        if self._is_terminal:
            self._write("")

    def _write(self, text: str, *, ending: str = "\n") -> None:
        """Without the red in which Django prints stderr: progress is no error."""
        self._stream.write(text, style_func=str, ending=ending)


def needs_model(picture: BatchPicture, options: dict[str, Any]) -> bool:
    """True when the wall of the photo is not given by a mask."""
    return bool(options["auto"]) or picture.photo.mask is None


def count_workers() -> int:
    """How many workers are running.

    Raises:
        CommandError: none is, or Redis does not answer.
    """
    state = queues.queue_state()
    if not state.reachable:
        raise CommandError(
            f"Redis does not answer at {redis_client.shown_address()}.", returncode=2
        )
    if state.workers == 0:
        raise CommandError(
            "No worker reports. Start one (manage.py worker), or leave out --queue.", returncode=2
        )
    return state.workers


def as_json_object(outcome: Outcome) -> dict[str, Any]:
    """One entry of `pictures` in what `--json` prints."""
    state = "failed" if outcome.error else "skipped" if outcome.skipped else "made"
    return {
        "photo": str(outcome.picture.photo.path),
        "wallpaper": outcome.picture.wallpaper.source,
        "out": str(outcome.picture.out),
        "state": state,
        "seconds": round(outcome.seconds, 2),
        "error": outcome.error,
    }
