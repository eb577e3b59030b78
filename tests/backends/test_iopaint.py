"""IOPaint's inpaint, end to end through the task, on a strict double of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.db import connections

from jobs import tasks
from jobs.backends import GenerationInputs
from jobs.backends.diffusion.iopaint import IOPaint
from jobs.backends.local import LocalBackend
from sessions_app.models import Generation
from tests.backends.calls import made, refused, run
from tests.backends.doubles import Fault, cut_short, hang, picture_of, raw, serving, status
from tests.backends.iopaint_double import IOPaintDouble
from tests.harness.factories import as_file, make_generation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def iopaint(quick: None, settings: Any) -> Iterator[IOPaintDouble]:
    """The self-hosted server, and the settings that lead to it."""
    double = IOPaintDouble()
    with serving(double):
        settings.IOPAINT_URL = double.url
        settings.IOPAINT_TIMEOUT_SECONDS = 20
        settings.DEFAULT_GENERATION_BACKEND = "iopaint"
        yield double


def test_a_generation_is_made_and_touches_only_the_wall(iopaint: IOPaintDouble) -> None:
    generation = run()

    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert iopaint.complaints == []
    assert generation.untouched_outside is True


def test_the_wall_is_the_local_render_changed_as_the_server_changed_it(
    iopaint: IOPaintDouble, inputs: GenerationInputs
) -> None:
    local = made(LocalBackend(), inputs).astype(int)

    found = made(IOPaint(), inputs).astype(int)

    wall = inputs.mask == 255
    assert np.abs(found[wall] - np.minimum(local[wall] + 10, 255)).max() <= 1


def test_the_server_gets_render_mask_and_the_wallpaper_as_its_example(
    iopaint: IOPaintDouble, inputs: GenerationInputs
) -> None:
    local = made(LocalBackend(), inputs)

    made(IOPaint(), inputs)

    (sent,) = iopaint.bodies
    assert sent["sd_strength"] == 0.25
    assert (np.asarray(picture_of(sent["image"])) == local).all()
    assert (np.asarray(picture_of(sent["mask"])) == inputs.mask).all()
    example = picture_of(sent["paint_by_example_example_image"])
    assert (np.asarray(example) == inputs.wallpaper).all()


def test_fields_are_added_replaced_and_left_out_by_configuration(
    iopaint: IOPaintDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.IOPAINT_FIELDS = json.dumps(
        {"sd_steps": 9, "enable_controlnet": True, "paint_by_example_example_image": None}
    )

    made(IOPaint(), inputs)

    (sent,) = iopaint.bodies
    assert iopaint.complaints == []
    assert (sent["sd_steps"], sent["enable_controlnet"]) == (9, True)
    assert "paint_by_example_example_image" not in sent


@pytest.mark.parametrize(
    "fault", [status(429, Retry_After="0"), status(502), status(503), status(504), cut_short]
)
def test_a_passing_fault_is_tried_again(
    iopaint: IOPaintDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    iopaint.faults = [fault, fault]

    made(IOPaint(), inputs)

    assert len(iopaint.bodies) == 3


OUT_OF_MEMORY = '{"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "CUDA"}'


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (status(400, '{"error": "HTTPException", "detail": "x"}'), "service_request_refused"),
        (status(401), "service_key_refused"),
        (status(404), "service_request_refused"),
        (status(422, '{"detail": [{"loc": ["body"]}]}'), "service_request_refused"),
        (status(500, OUT_OF_MEMORY), "service_faulty"),
        (status(302, "", Location="http://169.254.169.254/"), "service_bad_answer"),
        (raw(b"<html>busy</html>"), "service_bad_answer"),
        (raw(b'{"images": []}'), "service_bad_answer"),
        (raw(b""), "service_bad_answer"),
        (raw(as_file(np.full((240, 320, 3), 9, np.uint8))[:200]), "service_bad_answer"),
        (raw(as_file(np.full((512, 512, 3), 99, np.uint8))), "service_bad_answer"),
        (raw(as_file(np.zeros((240, 320, 3), np.uint8))), "service_refused_picture"),
        (raw(b"A" * 21 * 1024 * 1024), "service_bad_answer"),
    ],
    ids=[
        *("400", "401", "404", "422", "500", "redirect", "a page", "json", "nothing"),
        *("half a picture", "another shape", "black", "huge"),
    ],
)
def test_a_lasting_fault_ends_with_its_reason_and_is_not_tried_again(
    iopaint: IOPaintDouble, inputs: GenerationInputs, fault: Fault, code: str
) -> None:
    iopaint.faults = [fault]

    error = refused(IOPaint(), inputs)

    assert error.code == code
    assert len(iopaint.bodies) == 1


def test_a_server_that_is_not_there_is_said_to_be_away(
    iopaint: IOPaintDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.IOPAINT_URL = "http://127.0.0.1:9"

    assert refused(IOPaint(), inputs).code == "service_unreachable"


def test_a_server_that_hangs_is_given_up(iopaint: IOPaintDouble, settings: Any) -> None:
    settings.IOPAINT_TIMEOUT_SECONDS = 1
    iopaint.faults = [hang]

    generation = run()

    assert generation.error_code == "service_too_slow"
    assert generation.session.attempts_left == 10


def test_a_run_given_to_somebody_else_stops(iopaint: IOPaintDouble) -> None:
    def take_it_away(exchange: Any) -> None:
        try:
            Generation.objects.update(run=2, state="queued")
        finally:
            connections.close_all()
        hang(exchange)

    iopaint.faults = [take_it_away]
    generation = make_generation()

    assert tasks.run_generation(str(generation.pk), 1) == "superseded"
