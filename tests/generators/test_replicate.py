"""Predictions, end to end through the task, on a strict double of the service."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from django.db import connections

from jobs import tasks
from jobs.generators import GenerationInputs, GeneratorError, replicate
from jobs.generators.local import LocalRenderer
from jobs.generators.replicate import Replicate
from sessions_app.models import Generation
from tests.factories import as_file, make_generation
from tests.generators.conftest import TOKEN
from tests.generators.doubles import VERSION, Fault, ReplicateDouble, cut_short, hang, raw, status

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def run() -> Generation:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), generation.run)
    generation.refresh_from_db()
    generation.session.refresh_from_db()
    return generation


def made(inputs: GenerationInputs) -> np.ndarray:
    return Replicate().generate(inputs, lambda *_: None).picture


def refused(inputs: GenerationInputs) -> GeneratorError:
    with pytest.raises(GeneratorError) as refusal:
        made(inputs)
    return refusal.value


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
    local = LocalRenderer().generate(inputs, lambda *_: None).picture.astype(int)

    picture = made(inputs).astype(int)

    wall = inputs.mask == 255
    assert np.abs(picture[wall] - np.minimum(local[wall] + 10, 255)).max() <= 1


def test_a_prediction_that_is_done_at_once_is_not_polled(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    hosted.statuses = ["succeeded"]

    made(inputs)

    assert hosted.polls == {"prediction1": 0}


@pytest.mark.parametrize("model", [VERSION, f"own/er:{VERSION}"])
def test_a_version_is_named_in_the_body(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any, model: str
) -> None:
    settings.REPLICATE_MODEL = model

    made(inputs)

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

    made(inputs)

    assert hosted.complaints == []
    sent = hosted.created[0]["input"]
    assert (np.asarray(hosted.opened(sent["mask"])) == 255 - inputs.mask).all()
    assert (np.asarray(hosted.opened(sent["reference_images"][1])) == inputs.photo).all()


def test_a_large_picture_is_uploaded_first(
    hosted: ReplicateDouble, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicate, "INLINE_BYTES", 500)

    made(inputs)

    assert hosted.complaints == []
    assert hosted.created[0]["input"]["image"] in hosted.uploads


@pytest.mark.parametrize("fault", [status(502), status(429, Retry_After="0"), cut_short])
def test_polling_outlives_passing_faults(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.poll_faults = [fault, fault]

    made(inputs)

    assert len(hosted.created) == 1


def test_a_lasting_fault_while_polling_cancels_the_prediction(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    hosted.poll_faults = [status(500)]

    assert refused(inputs).code == "service_faulty"
    assert hosted.canceled == ["prediction1"]


@pytest.mark.parametrize("fault", [status(429, Retry_After="0"), status(503)])
def test_a_create_that_was_turned_away_is_tried_again(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.faults = [fault]

    made(inputs)

    assert len(hosted.created) == 1


@pytest.mark.parametrize("fault", [status(502), status(504), cut_short])
def test_a_create_that_may_have_worked_is_not_paid_for_twice(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.faults = [fault]

    error = refused(inputs)

    assert error.retry
    assert len([one for one in hosted.asked if one.endswith("/predictions")]) == 1


@pytest.mark.parametrize(
    ("outcome", "said", "code", "again"),
    [
        ("failed", "CUDA out of memory (E1001)", "service_failed", False),
        ("failed", "NSFW content detected. Try another prompt.", "service_refused_picture", False),
        ("canceled", "", "service_stopped", True),
        ("aborted", "", "service_stopped", True),
        ("sleeping", "", "service_bad_answer", False),
    ],
)
def test_an_unhappy_end_is_told_by_its_kind(
    hosted: ReplicateDouble,
    inputs: GenerationInputs,
    outcome: str,
    said: str,
    code: str,
    again: bool,
) -> None:
    hosted.statuses, hosted.error = ["starting", outcome], said

    error = refused(inputs)

    assert (error.code, error.retry) == (code, again)
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

    assert refused(inputs).code == code


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        {},
        [3],
        "nonsense",
        "file:///etc/passwd",
        "http://elsewhere.example/out.png",
        "http://replicate.delivery.elsewhere.example/out.png",
        "http://169.254.169.254/latest",
        "http://93.184.216.34/out.png",
        "data:text/html,hello",
    ],
)
def test_an_output_that_is_no_result_of_theirs_is_refused(
    hosted: ReplicateDouble, inputs: GenerationInputs, output: Any
) -> None:
    hosted.output = output

    assert refused(inputs).code == "service_bad_answer"
    assert not [one for one in hosted.asked if one.startswith("GET /out")]


@pytest.mark.parametrize(
    "output", [["http://pbxt.replicate.delivery/out.png"], "http://replicate.delivery/out"]
)
def test_a_list_or_one_link_from_their_hosts_is_fetched(
    hosted: ReplicateDouble, inputs: GenerationInputs, output: Any
) -> None:
    hosted.output = output

    made(inputs)


def test_a_result_inside_the_answer_is_taken(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    file = as_file(inputs.photo)
    hosted.output = f"data:image/png;base64,{base64.b64encode(file).decode()}"

    made(inputs)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (status(404), "service_bad_answer"),
        (status(403), "service_bad_answer"),
        (status(500), "service_unreachable"),
        (cut_short, "service_unreachable"),
        (raw(b""), "service_unreachable"),
        (raw(b"<html>expired</html>"), "service_bad_answer"),
        (raw(b"A" * 21 * 1024 * 1024), "service_bad_answer"),
        (status(302, "", Location="http://elsewhere.example/out.png"), "service_bad_answer"),
        (status(302, "", Location="http://127.0.0.1/out.png"), "service_bad_answer"),
        (status(302, "", Location="http://8.8.8.8/out.png"), "service_bad_answer"),
        (raw(as_file(np.full((64, 512, 3), 99, np.uint8))), "service_bad_answer"),
        (raw(as_file(np.zeros((240, 320, 3), np.uint8))), "service_refused_picture"),
    ],
    ids=[
        "expired",
        "forbidden",
        "500",
        "cut short",
        "empty",
        "no picture",
        "huge",
        "led elsewhere",
        "led inside",
        "led to an address",
        "wrong size",
        "black",
    ],
)
def test_a_result_that_cannot_be_used_says_why(
    hosted: ReplicateDouble,
    inputs: GenerationInputs,
    monkeypatch: pytest.MonkeyPatch,
    result: Fault,
    code: str,
) -> None:
    monkeypatch.setattr("jobs.generators.result_link.AGAIN_SECONDS", 0.01)
    hosted.result = result

    assert refused(inputs).code == code


def test_a_redirect_among_their_hosts_is_followed(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    def lead_on(exchange: Any) -> None:
        if exchange.path == "/out.png":
            exchange.send(b"", 302, Location="http://pbxt.replicate.delivery/out-2.png")
        else:
            exchange.send(hosted.made)

    hosted.result = lead_on

    made(inputs)


def test_a_link_without_encryption_is_refused_where_the_service_has_it(
    hosted: ReplicateDouble, settings: Any
) -> None:
    from jobs.generators.result_link import fetch_result
    from jobs.generators.service_errors import BadServiceAnswer
    from jobs.generators.watch import Watch

    with pytest.raises(BadServiceAnswer, match="not https"):
        fetch_result(
            "http://replicate.delivery/out.png",
            hosts=settings.REPLICATE_RESULT_HOSTS,
            insecure=False,
            watch=Watch(5, lambda *_: None),
        )


def test_a_prediction_that_takes_too_long_is_canceled(
    hosted: ReplicateDouble, settings: Any
) -> None:
    settings.REPLICATE_TIMEOUT_SECONDS = 1
    hosted.statuses = ["starting"]

    generation = run()

    assert generation.error_code == "service_too_slow"
    assert generation.session.attempts_left == 10
    assert hosted.canceled == ["prediction1"]


def test_a_poll_that_hangs_is_given_up_and_canceled(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REPLICATE_TIMEOUT_SECONDS = 1
    hosted.poll_faults = [hang]

    assert refused(inputs).code == "service_too_slow"
    assert hosted.canceled == ["prediction1"]


def test_a_run_given_to_somebody_else_cancels_and_stops(hosted: ReplicateDouble) -> None:
    def take_it_away(exchange: Any) -> None:
        try:
            Generation.objects.update(run=2, state="queued")
        finally:
            connections.close_all()
        exchange.json(hosted.told("prediction1", "processing"))

    hosted.statuses = ["starting"]
    hosted.poll_faults = [take_it_away]
    generation = make_generation()

    assert tasks.run_generation(str(generation.pk), 1) == "superseded"

    assert hosted.canceled == ["prediction1"]


def test_a_run_that_was_killed_is_gone_on_with_instead_of_paid_for_again(
    hosted: ReplicateDouble, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing of ours runs after it."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as death:
        death.setattr(replicate, "_finished", die)
        death.setattr(replicate.valkey, "release", lambda *_: None)
        with pytest.raises(Killed):
            made(inputs)

    made(inputs)

    assert len(hosted.created) == 1


def test_a_finished_prediction_is_not_taken_for_the_next_one(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    made(inputs)
    made(inputs)

    assert len(hosted.created) == 2


def test_the_daily_limit_stops_before_money_is_spent(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REPLICATE_MAX_PREDICTIONS_PER_DAY = 1
    made(inputs)

    error = refused(inputs)

    assert (error.code, error.is_ours) == ("service_budget_spent", True)
    assert len(hosted.created) == 1


def test_without_redis_nothing_is_spent(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"

    assert refused(inputs).code == "service_budget_spent"
    assert hosted.created == []


def test_no_limit_needs_no_counting(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    settings.REPLICATE_MAX_PREDICTIONS_PER_DAY = 0

    made(inputs)


def test_the_token_goes_to_the_service_alone_and_into_no_log(
    hosted: ReplicateDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hosted.faults = [status(400, f"bad token {TOKEN}")]

    generation = run()

    assert "bad token [secret]" in generation.error_detail
    assert TOKEN not in caplog.text + generation.error_detail + generation.error_message
