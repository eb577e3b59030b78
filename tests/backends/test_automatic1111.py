"""img2img, end to end through the task, on a strict double of the server."""

from __future__ import annotations

import base64
import json
import threading
import time
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest
from django.db import connections

from imaging import read_stored
from jobs import tasks
from jobs.backends import GenerationInputs
from jobs.backends.diffusion.automatic1111 import Automatic1111
from jobs.backends.local import LocalBackend
from sessions_app import storage
from sessions_app.models import Generation
from sessions_app.services import photos, runs
from tests.backends.calls import made, refused, run
from tests.backends.conftest import PASSWORD
from tests.backends.doubles import (
    Automatic1111Double,
    Fault,
    brighter,
    cut_short,
    hang,
    images,
    picture_of,
    raw,
    status,
)
from tests.harness.factories import as_file, make_generation, wall_mask

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_generation_is_made_and_touches_only_the_wall(automatic1111: Automatic1111Double) -> None:
    generation = run()

    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert automatic1111.complaints == []
    assert generation.untouched_outside is True
    assert {"render", "waiting", "diffusion", "composite"} < set(generation.timings)
    picture = read_stored(storage.read(generation.result_key))
    outside = wall_mask() == 0
    assert (picture[outside] == photos.photo_pixels(generation.session)[outside]).all()


def test_the_wall_is_the_local_render_changed_as_the_server_changed_it(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    local = made(LocalBackend(), inputs).astype(int)

    found = made(Automatic1111(), inputs).astype(int)

    wall = inputs.mask == 255
    assert np.abs(found[wall] - np.minimum(local[wall] + 10, 255)).max() <= 1


def test_the_server_starts_from_the_local_render_at_low_strength(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    local = made(LocalBackend(), inputs)

    made(Automatic1111(), inputs)

    sent = automatic1111.bodies[0]
    assert sent["denoising_strength"] == 0.25
    assert sent["inpainting_fill"] == 1
    # The room is small: its wall with the margin is the whole photo, and sides are multiples of 8
    # already.
    assert (np.asarray(picture_of(sent["init_images"][0])) == local).all()


def test_fields_are_added_replaced_and_left_out_by_configuration(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, settings: Any
) -> None:
    unit = {"enabled": True, "image": "$wallpaper", "module": "reference_only"}
    settings.AUTOMATIC1111_FIELDS = json.dumps(
        {
            "steps": 9,
            "mask_blur": None,
            "mask": "$mask_inverted",
            "inpainting_mask_invert": 1,
            "alwayson_scripts": {"controlnet": {"args": [unit]}},
        }
    )

    made(Automatic1111(), inputs)

    sent = automatic1111.bodies[0]
    assert automatic1111.complaints == []
    assert sent["steps"] == 9
    assert "mask_blur" not in sent
    assert (np.asarray(picture_of(sent["mask"])) == 255 - inputs.mask).all()
    shown = sent["alwayson_scripts"]["controlnet"]["args"][0]["image"]
    assert (np.asarray(picture_of(shown)) == inputs.wallpaper).all()


def test_the_same_inputs_ask_with_the_same_seed(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    for _ in range(2):
        made(Automatic1111(), inputs)

    first, second = automatic1111.bodies
    assert first["seed"] == second["seed"] > 0


@pytest.mark.parametrize(
    "fault",
    [
        status(429, Retry_After="0"),
        status(429, "slow down"),
        status(502),
        status(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
        status(504),
        cut_short,
    ],
    ids=["429 with a pause", "429", "502", "503 with a date", "504", "cut short"],
)
def test_a_passing_fault_is_tried_again(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, fault: Fault
) -> None:
    automatic1111.faults = [fault, fault]

    made(Automatic1111(), inputs)

    assert len(automatic1111.bodies) == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (status(400), "service_request_refused"),
        (status(401), "service_key_refused"),
        (status(404, '{"detail": "Model not found"}'), "service_request_refused"),
        (status(422, '{"detail": [{"loc": ["body"]}]}'), "service_request_refused"),
        (status(500, '{"error": "OutOfMemoryError"}'), "service_faulty"),
        (status(500, '{"error": "NSFW content detected"}'), "service_refused_picture"),
        (status(302, "", Location="http://169.254.169.254/"), "service_bad_answer"),
        (raw(b"<html>busy</html>"), "service_bad_answer"),
        (raw(b'{"images": ['), "service_bad_answer"),
        (raw(b"[" * 100_000), "service_bad_answer"),
        (raw(b"[]"), "service_bad_answer"),
        (raw(b'{"images": []}'), "service_bad_answer"),
        (raw(b'{"images": [7]}'), "service_bad_answer"),
        (raw(b'{"images": ["no base64!"]}'), "service_bad_answer"),
        (lambda e: e.json(images(b"this is text")), "service_bad_answer"),
        (
            lambda e: e.json(images(as_file(np.full((240, 320, 3), 9, np.uint8))[:200])),
            "service_bad_answer",
        ),
        (
            lambda e: e.json(images(as_file(np.full((512, 512, 3), 99, np.uint8)))),
            "service_bad_answer",
        ),
        (
            lambda e: e.json(images(as_file(np.zeros((240, 320, 3), np.uint8)))),
            "service_refused_picture",
        ),
    ],
)
def test_a_lasting_fault_ends_with_its_reason_and_is_not_tried_again(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, fault: Fault, code: str
) -> None:
    automatic1111.faults = [fault]

    error = refused(Automatic1111(), inputs)

    assert error.code == code
    assert len(automatic1111.bodies) == 1
    assert error.is_ours is (code != "service_refused_picture")


def test_a_body_without_end_is_not_read_to_the_end(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.backends.diffusion.automatic1111.MAX_RESPONSE_BYTES", 100_000)
    automatic1111.faults = [raw(b'{"images": ["' + b"A" * 1_000_000)]

    assert refused(Automatic1111(), inputs).code == "service_bad_answer"


def test_base64_that_is_too_long_is_not_decoded(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.backends.diffusion.response.MAX_BASE64_LENGTH", 1000)

    assert "1000 are allowed" in str(refused(Automatic1111(), inputs))


def test_a_data_url_is_understood(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    picture = base64.b64encode(as_file(inputs.photo)).decode()
    automatic1111.faults = [lambda e: e.json({"images": [f"data:image/png;base64,{picture}"]})]

    made(Automatic1111(), inputs)


def test_a_picture_of_another_size_but_the_same_shape_is_brought_to_size(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    def twice(exchange: Any) -> None:
        sent = picture_of(json.loads(exchange.body)["init_images"][0])
        exchange.json(images(as_file(brighter(sent.resize((640, 480))), "JPEG", quality=95)))

    automatic1111.faults = [twice]

    picture = made(Automatic1111(), inputs)

    assert picture.shape == inputs.photo.shape


def test_a_server_that_is_not_there_is_said_to_be_away(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, settings: Any
) -> None:
    settings.AUTOMATIC1111_URL = "http://127.0.0.1:9"

    error = refused(Automatic1111(), inputs)

    assert (error.code, error.retry, error.is_ours) == ("service_unreachable", True, True)


def test_a_fault_that_lasts_is_met_six_times(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    automatic1111.faults = [status(502)] * 10

    error = refused(Automatic1111(), inputs)

    assert (error.code, error.retry) == ("service_faulty", True)
    assert len(automatic1111.faults) == 4


@pytest.mark.parametrize(
    "pause", ["3600", formatdate(time.time() + 3600, usegmt=True)], ids=["seconds", "date"]
)
def test_a_pause_longer_than_our_time_ends_at_once(
    automatic1111: Automatic1111Double, inputs: GenerationInputs, pause: str
) -> None:
    automatic1111.faults = [status(429, Retry_After=pause)]

    error = refused(Automatic1111(), inputs)

    assert (error.code, error.retry) == ("service_busy", True)


def test_a_server_that_hangs_is_given_up_and_interrupted(
    automatic1111: Automatic1111Double, settings: Any
) -> None:
    settings.AUTOMATIC1111_TIMEOUT_SECONDS = 1
    automatic1111.faults = [hang]

    generation = run()

    assert generation.error_code == "service_too_slow"
    assert generation.session.attempts_left == 10
    assert automatic1111.interrupts == 1


def test_a_server_shared_with_others_is_not_interrupted(
    automatic1111: Automatic1111Double, settings: Any, inputs: GenerationInputs
) -> None:
    settings.AUTOMATIC1111_TIMEOUT_SECONDS = 1
    settings.AUTOMATIC1111_INTERRUPT = False
    automatic1111.faults = [hang]

    refused(Automatic1111(), inputs)

    assert automatic1111.interrupts == 0


def test_the_lease_is_prolonged_while_the_server_works(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    beats: list[str] = []
    enough = threading.Event()

    def wait_for_beats(exchange: Any) -> None:
        assert enough.wait(10)
        exchange.json(images(as_file(inputs.photo)))

    def on_stage(stage: str, _: float) -> None:
        beats.append(stage)
        if beats.count("diffusing") == 3:
            enough.set()

    automatic1111.faults = [wait_for_beats]

    Automatic1111().generate(inputs, on_stage)

    assert beats.count("diffusing") >= 3


def test_a_run_given_to_somebody_else_stops_and_interrupts(
    automatic1111: Automatic1111Double,
) -> None:
    def take_it_away(exchange: Any) -> None:
        try:
            Generation.objects.update(run=2, state="queued")
        finally:
            connections.close_all()
        hang(exchange)

    automatic1111.faults = [take_it_away]
    generation = make_generation()

    assert tasks.run_generation(str(generation.pk), 1) == "superseded"

    assert automatic1111.interrupts == 1


def test_what_on_stage_raises_comes_out_as_it_is(
    automatic1111: Automatic1111Double, inputs: GenerationInputs
) -> None:
    def on_stage(stage: str, _: float) -> None:
        if stage == "diffusing":
            raise runs.SupersededError("gone")

    automatic1111.faults = [hang]

    with pytest.raises(runs.SupersededError):
        Automatic1111().generate(inputs, on_stage)


@pytest.mark.parametrize("echo", [PASSWORD, "YW5uOnBhc3Mtd29yZC0xMjM0"])
def test_keys_echoed_by_the_server_reach_neither_row_nor_log(
    automatic1111: Automatic1111Double, caplog: pytest.LogCaptureFixture, echo: str
) -> None:
    caplog.set_level("DEBUG")
    automatic1111.faults = [status(503, f"no {echo}"), status(400, f"you said {echo}")]

    generation = run()

    assert generation.error_code == "service_request_refused"
    assert "you said [secret]" in generation.error_detail
    told = caplog.text + generation.error_detail + generation.error_message
    assert echo not in told
