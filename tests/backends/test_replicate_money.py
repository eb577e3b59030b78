"""Predictions cost money: none twice, none left running, none beyond the limit."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from jobs import tasks
from jobs.backends import GenerationInputs
from jobs.backends.diffusion import replicate
from jobs.backends.diffusion.replicate import Replicate
from sessions_app.models import Generation
from sessions_app.queueing import redis_client
from tests.backends.calls import made, refused, run
from tests.backends.doubles import Fault, ReplicateDouble, cut_short, hang, status
from tests.harness.factories import make_generation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def test_a_lasting_fault_while_polling_cancels_the_prediction(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    hosted.poll_faults = [status(500)]

    assert refused(Replicate(), inputs).code == "service_faulty"
    assert hosted.canceled == ["prediction1"]


@pytest.mark.parametrize("fault", [status(429, Retry_After="0"), status(503)])
def test_a_create_that_was_turned_away_is_tried_again(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.faults = [fault]

    made(Replicate(), inputs)

    assert len(hosted.created) == 1


@pytest.mark.parametrize("fault", [status(502), status(504), cut_short])
def test_a_create_that_may_have_worked_is_not_paid_for_twice(
    hosted: ReplicateDouble, inputs: GenerationInputs, fault: Fault
) -> None:
    hosted.faults = [fault]

    error = refused(Replicate(), inputs)

    assert error.retry
    assert len([one for one in hosted.asked if one.endswith("/predictions")]) == 1


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

    assert refused(Replicate(), inputs).code == "service_too_slow"
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
        death.setattr(replicate, "_wait_until_finished", die)
        death.setattr(redis_client, "delete_if_equal", lambda *_: None)
        death.setattr(redis_client.SharedLock, "release", lambda _: None)
        with pytest.raises(Killed):
            made(Replicate(), inputs)

    made(Replicate(), inputs)

    assert len(hosted.created) == 1


def test_a_finished_prediction_is_not_taken_for_the_next_one(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    made(Replicate(), inputs)
    made(Replicate(), inputs)

    assert len(hosted.created) == 2


def test_the_daily_limit_stops_before_money_is_spent(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REPLICATE_MAX_PREDICTIONS_PER_DAY = 1
    made(Replicate(), inputs)

    error = refused(Replicate(), inputs)

    assert (error.code, error.is_ours) == ("service_budget_spent", True)
    assert len(hosted.created) == 1


def test_without_redis_nothing_is_spent(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"

    assert refused(Replicate(), inputs).code == "service_budget_spent"
    assert hosted.created == []


def test_no_limit_needs_no_counting(
    hosted: ReplicateDouble, inputs: GenerationInputs, settings: Any
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    settings.REPLICATE_MAX_PREDICTIONS_PER_DAY = 0

    made(Replicate(), inputs)
