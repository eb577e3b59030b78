"""What a prediction ends with: its kind of end, and the file it made."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from jobs.backends import GenerationInputs
from jobs.backends.diffusion.replicate import Replicate
from tests.backends.calls import made, refused
from tests.backends.doubles import Fault, ReplicateDouble, cut_short, raw, status
from tests.harness.factories import as_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


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

    error = refused(Replicate(), inputs)

    assert (error.code, error.retry) == (code, again)
    assert len(hosted.created) == 1


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

    assert refused(Replicate(), inputs).code == "service_bad_answer"
    assert not [one for one in hosted.asked if one.startswith("GET /out")]


@pytest.mark.parametrize(
    "output", [["http://pbxt.replicate.delivery/out.png"], "http://replicate.delivery/out"]
)
def test_a_list_or_one_link_from_their_hosts_is_fetched(
    hosted: ReplicateDouble, inputs: GenerationInputs, output: Any
) -> None:
    hosted.output = output

    made(Replicate(), inputs)


def test_a_result_inside_the_answer_is_taken(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    file = as_file(inputs.photo)
    hosted.output = f"data:image/png;base64,{base64.b64encode(file).decode()}"

    made(Replicate(), inputs)


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
    monkeypatch.setattr("jobs.backends.diffusion.result_link.AGAIN_SECONDS", 0.01)
    hosted.result = result

    assert refused(Replicate(), inputs).code == code


def test_a_redirect_among_their_hosts_is_followed(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    def lead_on(exchange: Any) -> None:
        if exchange.path == "/out.png":
            exchange.send(b"", 302, Location="http://pbxt.replicate.delivery/out-2.png")
        else:
            exchange.send(hosted.made)

    hosted.result = lead_on

    made(Replicate(), inputs)


def test_a_link_without_encryption_is_refused_where_the_service_has_it(
    hosted: ReplicateDouble, settings: Any
) -> None:
    from jobs.backends.diffusion.deadline import RunDeadline
    from jobs.backends.diffusion.errors import BadServiceResponse
    from jobs.backends.diffusion.result_link import fetch_result

    with pytest.raises(BadServiceResponse, match="not https"):
        fetch_result(
            "http://replicate.delivery/out.png",
            hosts=settings.REPLICATE_RESULT_HOSTS,
            insecure=False,
            deadline=RunDeadline(5, lambda *_: None),
        )
