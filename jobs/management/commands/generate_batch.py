"""`manage.py generate_batch`: every wallpaper on every photo of a folder, through the web app's own services and task."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.management.batch_plan import BatchError, Item, find_papers, find_photos, in_lanes, plan
from jobs.management.batch_run import PER_SESSION, Outcome, Strand, side_by_side
from jobs.management.photo_options import drop_of
from rendering import MODES
from sessions_app.errors import AppError
from sessions_app.management.cli import (
    ensure_database,
    ensure_model,
    only_errors_logged,
    refusals_as_one_line,
)
from sessions_app.queueing import queues
from sessions_app.services import generations

BAR_WIDTH: Final = 24


class Command(BaseCommand):
    """Exit code 0: all pictures are there; 1: some are not; 2: called wrongly. Called again, it goes on."""

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)
    help = "Put every wallpaper on the wall of every photo of a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See docs/jobs.md."""
        parser.add_argument(
            "folder",
            type=Path,
            metavar="FOLDER",
            help="photos; PHOTO.mask.png or PHOTO.clicks.json say where the wall is, else it is found",
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
        """What holds for every picture; a table's own columns go before."""
        parser.add_argument("--repeat-width", type=float, metavar="METRES")
        parser.add_argument("--drop", metavar="half|FRACTION")
        parser.add_argument("--rotate", type=float, metavar="DEG")
        parser.add_argument("--mode", choices=MODES)
        parser.add_argument("--backend", help=", ".join(settings.GENERATION_BACKENDS))
        parser.add_argument("--max-side", type=int, metavar="PX")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, make, sum up."""
        started = time.monotonic()
        by_photo = self._planned(options)
        try:
            with only_errors_logged():
                outcomes = self._make(by_photo, options)
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Call it again to go on.", returncode=130) from error
        failed = [outcome for outcome in outcomes if outcome.error]
        skipped = sum(outcome.skipped for outcome in outcomes)
        made = len(outcomes) - len(failed) - skipped
        seconds = round(time.monotonic() - started, 1)
        if options["json"]:
            counts = {"made": made, "skipped": skipped, "failed": len(failed), "seconds": seconds}
            self.stdout.write(json.dumps({**counts, "pictures": [told(o) for o in outcomes]}))
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

    def _planned(self, options: dict[str, Any]) -> list[list[Item]]:
        """Everything that can be wrong with the call is found here, before anything is done."""
        try:
            if options["out"].resolve() == options["folder"].resolve():
                raise BatchError("--out must be another folder than the photos'.")
            if options["max_side"] is not None and options["max_side"] < 64:
                raise BatchError("--max-side must be at least 64 pixels.")
            drop_of(options["drop"])
            generations.checked_backend(options["backend"])
            by_photo = plan(
                find_photos(options["folder"]), find_papers(options["wallpapers"]), options["out"]
            )
            options["out"].mkdir(parents=True, exist_ok=True)
        except (BatchError, CommandError, AppError, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        return by_photo

    def _make(self, by_photo: list[list[Item]], options: dict[str, Any]) -> list[Outcome]:
        with refusals_as_one_line():
            ensure_database()
        lanes = workers_to_use() if options["queue"] else 1
        progress = Progress(self.stderr, total=sum(map(len, by_photo)))
        outcomes = []
        for items in by_photo:
            outcomes += [Outcome(item, skipped=True) for item in items if item.out.exists()]
        for outcome in outcomes:
            progress.tell(outcome)
        left = [[item for item in items if not item.out.exists()] for items in by_photo]
        options = {**options, "model_fault": self._model_fault(left, options)}
        waiting = in_lanes([items for items in left if items], lanes=lanes, most=PER_SESSION)
        for outcome in side_by_side([Strand(items, options) for items in waiting], lanes):
            progress.tell(outcome)
            outcomes.append(outcome)
        progress.end()
        return outcomes

    def _model_fault(self, left: list[list[Item]], options: dict[str, Any]) -> str:
        """Why the model that finds walls cannot be had; empty when it is there, or no photo needs it.

        Raises:
            CommandError: the same, where no photo can do without it.
        """
        needing = [items for items in left if items and needs_model(items[0], options)]
        if not needing:
            return ""
        try:
            ensure_model(lambda line: self.stderr.write(line, style_func=str))
        except CommandError as error:
            if len(needing) == sum(map(bool, left)):
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

    def tell(self, outcome: Outcome) -> None:
        """One more picture."""
        self._done += 1
        end = f"{outcome.seconds:.1f} s"
        if outcome.skipped:
            end = "there already"
        elif outcome.error:
            end = f"FAILED: {outcome.error}"
        width = len(str(self._total))
        line = f"[{self._done:>{width}}/{self._total}] {outcome.item.out.name}  {end}"
        if not self._is_terminal:
            self._say(line)
            return
        filled = BAR_WIDTH * self._done // self._total
        if outcome.error:
            self._say(f"\r\033[K{line}")
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        self._say(f"\r\033[K[{bar}] {line}", ending="")
        self._stream.flush()

    def end(self) -> None:
        """Leave the bar's line."""
        if self._is_terminal:
            self._say("")

    def _say(self, text: str, *, ending: str = "\n") -> None:
        """Django paints stderr red; progress is no error."""
        self._stream.write(text, style_func=str, ending=ending)


def needs_model(item: Item, options: dict[str, Any]) -> bool:
    """True when the wall of the photo is not given by a mask."""
    return bool(options["auto"]) or item.photo.mask is None


def workers_to_use() -> int:
    """How many workers report.

    Raises:
        CommandError: none, or Redis is away.
    """
    state = queues.queue_state()
    if not state.reachable:
        raise CommandError(f"Redis does not answer at {settings.REDIS_URL}.", returncode=2)
    if state.workers == 0:
        raise CommandError(
            "No worker reports. Start one (manage.py worker), or leave out --queue.", returncode=2
        )
    return state.workers


def told(outcome: Outcome) -> dict[str, Any]:
    """For `--json`."""
    state = "failed" if outcome.error else "skipped" if outcome.skipped else "made"
    return {
        "photo": str(outcome.item.photo.path),
        "wallpaper": outcome.item.paper.source,
        "out": str(outcome.item.out),
        "state": state,
        "seconds": round(outcome.seconds, 2),
        "error": outcome.error,
    }
