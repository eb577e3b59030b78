"""Predictions, end to end through the task, on a strict double: asking and polling."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from jobs.backends import GenerationInputs
from jobs.backends.diffusion import replicate
from jobs.backends.diffusion.replicate import Replicate
from jobs.backends.local import LocalBackend
from sessions_app.models import Generation
from tests.backends.calls import made, refused, run
from tests.backends.conftest import TOKEN
from tests.backends.doubles import VERSION, Fault, ReplicateDouble, cut_short, raw, status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def test_a_generation_is_made_by_polling(hosted: ReplicateDouble) -> None:
    generation = run()

    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert hosted.complaints == []
    assert generation.untouched_outside is True
    assert hosted.polls == {"prediction1": 2}
    assert hosted.canceled == []


def test_the_wall_is_the_local_render_changed_as_the_service_changed_it(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    local = made(LocalBackend(), inputs).astype(int)

    picture = made(Replicate(), inputs).astype(int)

    wall = inputs.mask == 255
    assert np.abs(picture[wall] - np.minimum(local[wall] + 10, 255)).max() <= 1


def test_a_prediction_that_is_done_at_once_is_not_polled(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    hosted.statuses = ["succeeded"]

    made(Replicate(), inputs)

    assert hosted.polls == {"prediction1": 0}


@pytest.mark.parametrize("model", [VERSION, f"own/er:{VERSION}"])
def test_a_version_is_named_in_the_body(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any, model: str
) -> None:
    settings.REPLICATE_MODEL = model

    made(Replicate(), inputs)

    assert hosted.complaints == []
    assert hosted.created[0]["version"] == VERSION


def test_fields_are_mapped_by_configuration(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    mapping = json.loads(settings.REPLICATE_INPUT)
    settings.REPLICATE_INPUT = json.dumps(
        mapping | {"mask": "$mask_inverted", "reference_images": ["$wallpaper", "$photo"]}
    )
    hosted.input_fields["reference_images"] = list

    made(Replicate(), inputs)

    assert hosted.complaints == []
    sent = hosted.created[0]["input"]
    assert (np.asarray(hosted.opened(sent["mask"])) == 255 - inputs.mask).all()
    assert (np.asarray(hosted.opened(sent["reference_images"][1])) == inputs.photo).all()


def test_a_large_picture_is_uploaded_first(
    hosted: ReplicateDouble, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicate, "INLINE_BYTES", 500)

    made(Replicate(), inputs)

    assert hosted.complaints == []
    assert hosted.created[0]["input"]["image"] in hosted.uploads


@pytest.mark.parametrize("fault", [status(502), status(429, Retry_After="0"), cut_short])
def test_polling_outlives_passing_faults(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.poll_faults = [fault, fault]

    made(Replicate(), inputs)

    assert len(hosted.created) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (status(401), "service_key_refused"),
        (status(402), "service_key_refused"),
        (status(404), "service_request_refused"),
        (status(422, '{"detail": "- input: Additional property x"}'), "service_request_refused"),
        (raw(b"oops"), "service_bad_answer"),
        (raw(b'{"id": "../../v1/account", "status": "starting"}'), "service_bad_answer"),
        (raw(b'{"status": "starting"}'), "service_bad_answer"),
        (raw(b'"starting"'), "service_bad_answer"),
    ],
)
def test_a_refused_create_says_why(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault, code: str
) -> None:
    hosted.faults = [fault]

    assert refused(Replicate(), inputs).code == code


def test_the_token_goes_to_the_service_alone_and_into_no_log(
    hosted: ReplicateDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hosted.faults = [status(400, f"bad token {TOKEN}")]

    generation = run()

    assert "bad token [secret]" in generation.error_detail
    assert TOKEN not in caplog.text + generation.error_detail + generation.error_message
