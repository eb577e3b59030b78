"""`manage.py replay`: make a finished picture again from its row, and compare."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from imaging import encode_stored_photo, read_stored
from jobs.backends import GenerationInputs, load_backend
from jobs.inputs import load_inputs, unchanged_outside
from rendering.version import RENDERER_VERSION
from sessions_app import storage
from sessions_app.management.cli import user_errors_as_one_line
from sessions_app.models import Generation


class Command(BaseCommand):
    """The row of a generation is enough to make its picture again, byte for byte."""

    help = "Make a generation's picture again from its row and say whether it is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which generation, and where to write the picture."""
        parser.add_argument("generation", metavar="ID", help="a generation's id, or SESSION#NUMBER")
        parser.add_argument("--out", type=Path, metavar="OUT.png", help="keep the picture")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, compare, print; the row, which the admin shows, keeps what was found.

        Raises:
            CommandError: no such picture, it cannot be made, or the stored one differs.
        """
        with user_errors_as_one_line():
            generation = find_generation(options["generation"])
            answer = self._replay(generation, options["out"])
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        if not answer["untouched_outside"]:
            raise CommandError(
                "The stored picture differs from the photo outside the mask; "
                "the record says so now."
            )
        if not answer["same"]:
            raise CommandError(
                f"The picture differs: made with {generation.versions}, "
                f"now renderer {RENDERER_VERSION}."
            )
        if not options["json"]:
            self.stdout.write(f"Same picture, byte for byte, in {answer['seconds']:.2f} s.")

    @staticmethod
    def _replay(generation: Generation, out: Path | None) -> dict[str, Any]:
        """Make the picture again and compare its bytes; compare the stored one with the photo
        outside the mask.
        """
        started = time.perf_counter()
        inputs = load_inputs(generation)
        made = load_backend(generation.backend).generate(inputs, lambda _stage, _seconds: None)
        data = encode_stored_photo(made.picture)
        seconds = time.perf_counter() - started
        if out is not None:
            out.write_bytes(data)
        untouched = stored_is_untouched(generation, inputs)
        same = storage.digest_of(data) == generation.result_digest
        replayed_at = timezone.now()
        Generation.objects.filter(pk=generation.pk).update(
            untouched_outside=untouched, replayed_at=replayed_at, replayed_same=same
        )
        return {
            "generation": str(generation.pk),
            "same": same,
            "replayed_at": replayed_at.isoformat(),
            "untouched_outside": untouched,
            "versions": generation.versions,
            "renderer": RENDERER_VERSION,
            "seconds": round(seconds, 3),
        }


def stored_is_untouched(generation: Generation, inputs: GenerationInputs) -> bool:
    """True when the stored result equals the photo wherever the mask is 0.

    Raises:
        NotFound: the stored picture is gone.
        Unavailable: the store does not answer.
        DamagedFile: the stored file is not a picture.
    """
    picture = read_stored(storage.read(generation.result_key))
    return unchanged_outside(inputs.photo, picture, inputs.mask)


def find_generation(text: str) -> Generation:
    """The finished generation of that id or `SESSION#NUMBER`.

    Raises:
        CommandError: there is none, or it has no picture.
    """
    session, _, number = text.partition("#")
    try:
        rows = Generation.objects.select_related("session", "wallpaper")
        found = (
            rows.filter(session_id=UUID(session), number=int(number)).first()
            if number
            else rows.filter(pk=UUID(session)).first()
        )
    except (ValueError, ValidationError) as error:
        raise CommandError(f"{text!r} is no generation's id.") from error
    if found is None:
        raise CommandError(f"There is no generation {text}.")
    if found.state != Generation.State.COMPLETED:
        raise CommandError(
            f"Generation {text} is {found.state}: it has no picture to compare with."
        )
    return found
