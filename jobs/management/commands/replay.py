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
from sessions_app.management.cli import refusals_as_one_line
from sessions_app.models import Generation


class Command(BaseCommand):
    """The record of a generation is enough to make its picture again, byte for byte."""

    help = "Make a generation's picture again from its row and say whether it is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the module."""
        parser.add_argument("generation", metavar="ID", help="a generation's id, or SESSION#NUMBER")
        parser.add_argument("--out", type=Path, metavar="OUT.png", help="keep the picture")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, compare, tell; exit 1 when the bytes differ.

        The stored picture is compared with the photo outside the mask once more, and the row, which the admin shows,
        says what was found: when, whether the bytes were the same, and whether nothing outside the mask was touched.
        """
        with refusals_as_one_line():
            generation = find_generation(options["generation"])
            started = time.perf_counter()
            inputs = load_inputs(generation)
            made = load_backend(generation.backend).generate(inputs, lambda _stage, _seconds: None)
            data = encode_stored_photo(made.picture)
            seconds = time.perf_counter() - started
            if options["out"] is not None:
                options["out"].write_bytes(data)
            untouched = stored_is_untouched(generation, inputs)
            same = storage.digest_of(data) == generation.result_digest
            replayed_at = timezone.now()
            Generation.objects.filter(pk=generation.pk).update(
                untouched_outside=untouched, replayed_at=replayed_at, replayed_same=same
            )
        answer = {
            "generation": str(generation.pk),
            "same": same,
            "replayed_at": replayed_at.isoformat(),
            "untouched_outside": untouched,
            "versions": generation.versions,
            "renderer": RENDERER_VERSION,
            "seconds": round(seconds, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        if not untouched:
            raise CommandError(
                "The stored picture differs from the photo outside the mask; the record says so now."
            )
        if not answer["same"]:
            raise CommandError(
                f"The picture differs: made with {generation.versions}, now renderer {RENDERER_VERSION}."
            )
        if not options["json"]:
            self.stdout.write(f"Same picture, byte for byte, in {seconds:.2f} s.")


def stored_is_untouched(generation: Generation, inputs: GenerationInputs) -> bool:
    """True when the stored result equals the photo wherever the mask is 0.

    Raises:
        NotFound, Unavailable: the store does not give it.
        DamagedFile: it is no picture any more.
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
