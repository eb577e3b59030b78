"""The task: success, twice, gone, wrong state, failure, another try."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from imaging import read_stored
from jobs import recovery, retries, tasks
from jobs.backends import BackendError, Generated, GenerationInputs
from jobs.backends.local import LocalBackend
from sessions_app import storage
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from sessions_app.services import photos, runs
from tests.harness.factories import make_generation, wall_mask

pytestmark = pytest.mark.django_db(transaction=True)


def run(generation: Generation) -> str:
    outcome = tasks.run_generation(str(generation.pk), generation.run)
    generation.refresh_from_db()
    generation.session.refresh_from_db()
    return outcome


def result_objects(generation: Generation) -> list[str]:
    folder = f"sessions/{generation.session_id}/results/"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def test_a_run_completes_and_stores_its_picture() -> None:
    generation = make_generation()

    outcome = run(generation)

    assert outcome == "completed"
    assert generation.state == Generation.State.COMPLETED
    assert generation.session.status == Session.Status.COMPLETED
    assert generation.progress == 100
    assert generation.untouched_outside is True
    assert {"loading", "storing"} < set(generation.timings)
    assert storage.digest_of(storage.read(generation.result_key)) == generation.result_digest


def test_the_picture_shows_the_paper_on_the_wall_and_the_photo_elsewhere() -> None:
    generation = make_generation()
    run(generation)

    picture = read_stored(storage.read(generation.result_key)).astype(int)
    photo = photos.photo_pixels(generation.session).astype(int)

    outside = wall_mask() == 0
    assert (picture[outside] == photo[outside]).all()
    # The paper is mostly blue, the wall was not.
    inside = picture[~outside]
    assert (inside[:, 2] > inside[:, 0] + 20).mean() > 0.5


def test_a_run_delivered_twice_works_once() -> None:
    generation = make_generation()
    run(generation)
    before = Generation.objects.values().get(pk=generation.pk)

    assert run(generation) == "nothing to do"

    assert Generation.objects.values().get(pk=generation.pk) == before
    assert len(result_objects(generation)) == 2


def test_a_row_that_is_gone_is_nothing_to_do() -> None:
    assert tasks.run_generation(str(uuid.uuid4()), 1) == "nothing to do"


def test_a_run_that_was_replaced_is_nothing_to_do() -> None:
    generation = make_generation()
    Generation.objects.filter(pk=generation.pk).update(run=2)

    assert tasks.run_generation(str(generation.pk), 1) == "nothing to do"


def test_a_late_orphan_changes_nothing_and_leaves_no_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generation = make_generation()
    original = LocalBackend.generate

    def lose_the_lease_meanwhile(self: LocalBackend, *args: object) -> Generated:
        made = original(self, *args)  # type: ignore[arg-type]
        Generation.objects.filter(pk=generation.pk).update(run=2, state="queued")
        return made

    monkeypatch.setattr(LocalBackend, "generate", lose_the_lease_meanwhile)

    assert run(generation) == "superseded"
    assert generation.state == Generation.State.QUEUED
    assert result_objects(generation) == []


def test_a_refusal_that_is_not_ours_keeps_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Generated:
        raise BackendError("This picture was refused.", code="refused", is_ours=False)

    monkeypatch.setattr(LocalBackend, "generate", refuse)
    generation = make_generation()

    run(generation)

    assert generation.state == Generation.State.FAILED
    assert generation.error_message == "This picture was refused."
    assert not generation.attempt_returned
    assert generation.session.attempts_left == 9
    assert generation.session.status == Session.Status.FAILED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (RuntimeError("secret detail"), "internal"),
        (MemoryError(), "internal"),
        (JobTimeoutException("too long"), "too_slow"),
    ],
)
def test_a_fault_of_ours_gives_the_attempt_back(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str
) -> None:
    def break_down(*_: object) -> Generated:
        raise fault

    monkeypatch.setattr(LocalBackend, "generate", break_down)
    generation = make_generation()

    run(generation)

    assert generation.error_code == code
    assert "secret" not in generation.error_message
    assert type(fault).__name__ in generation.error_detail
    assert generation.attempt_returned
    assert generation.session.attempts_left == 10


def test_a_generator_that_touches_the_rest_of_the_photo_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def paint_everything(_: LocalBackend, inputs: GenerationInputs, __: object) -> Generated:
        return Generated(np.full_like(inputs.photo, 7), {})

    monkeypatch.setattr(LocalBackend, "generate", paint_everything)
    generation = make_generation()

    run(generation)

    assert generation.error_code == "touched_outside"
    assert generation.session.attempts_left == 10


def test_a_store_that_fails_at_the_end_gives_the_attempt_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generation = make_generation()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)
    monkeypatch.setattr(retries, "PAUSES_SECONDS", (0.0, 0.0))

    run(generation)

    assert generation.error_code == "storage_unavailable"
    assert generation.attempt_returned


def test_a_store_that_fails_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = make_generation()
    original = default_storage.save
    faults = [OSError(5, "input/output error")]

    def hiccup(*arguments: Any, **options: Any) -> str:
        if faults:
            raise faults.pop()
        return original(*arguments, **options)

    monkeypatch.setattr(default_storage, "save", hiccup)
    monkeypatch.setattr(retries, "PAUSES_SECONDS", (0.0, 0.0))

    assert run(generation) == "completed"
    assert generation.run == 1


def refuse_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: object) -> Generated:
        raise error

    monkeypatch.setattr(LocalBackend, "generate", refuse)


def busy() -> BackendError:
    return BackendError("The service is busy.", code="busy", is_ours=True, retry=True)


@pytest.mark.redis
def test_a_fault_that_passes_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_with(monkeypatch, busy())
    generation = make_generation()

    tasks.run_generation(str(generation.pk), 1, retry=True)

    generation.refresh_from_db()
    assert (generation.state, generation.run) == (Generation.State.QUEUED, 2)
    assert generation.session.__class__.objects.get().status == Session.Status.QUEUED
    assert recovery.recover_stale() == recovery.RecoveryReport()
    assert queues.generation_queue().job_ids == []
    Generation.objects.update(lease_until=timezone.now())
    assert recovery.recover_stale() == recovery.RecoveryReport(retried=1)
    assert queues.generation_queue().job_ids == [queues.job_id(generation.pk, 2)]


@pytest.mark.redis
def test_a_fault_that_does_not_pass_ends_with_its_own_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse_with(monkeypatch, busy())
    generation = make_generation()

    for number in range(1, runs.MAX_RUNS + 1):
        tasks.run_generation(str(generation.pk), number, retry=True)

    generation.refresh_from_db()
    assert (generation.run, generation.error_code) == (runs.MAX_RUNS, "busy")
    assert generation.attempt_returned


def test_a_bad_picture_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_with(monkeypatch, BackendError("No wall.", code="no_wall", is_ours=False))
    generation = make_generation()

    assert tasks.run_generation(str(generation.pk), 1, retry=True) == "failed: no_wall"


def test_a_damaged_object_is_not_tried_again() -> None:
    generation = make_generation()
    default_storage.delete(generation.mask_key)
    storage.save(generation.mask_key, b"no picture")

    assert tasks.run_generation(str(generation.pk), 1, retry=True) == "failed: storage_damaged"


def test_progress_that_cannot_be_written_costs_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = make_generation()

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(runs, "report", locked)

    assert run(generation) == "completed"


def test_an_end_that_cannot_be_written_at_once_is_written_a_little_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generation = make_generation()
    original = runs.complete
    faults = [OperationalError("database is locked")]

    def hiccup(*arguments: Any, **options: Any) -> bool:
        if faults:
            raise faults.pop()
        return original(*arguments, **options)

    monkeypatch.setattr(runs, "complete", hiccup)
    monkeypatch.setattr(retries, "PAUSES_SECONDS", (0.0, 0.0))

    assert run(generation) == "completed"


def test_an_alarm_just_after_the_end_leaves_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = make_generation()
    original = runs.complete

    def alarm(*arguments: Any, **options: Any) -> bool:
        original(*arguments, **options)
        raise JobTimeoutException("too long")

    monkeypatch.setattr(runs, "complete", alarm)

    run(generation)

    assert generation.state == Generation.State.COMPLETED
    assert storage.digest_of(storage.read(generation.result_key)) == generation.result_digest


def test_two_failures_give_the_attempt_back_once() -> None:
    generation = make_generation()
    reason: dict[str, Any] = {"code": "x", "message": "x", "detail": "", "is_ours": True}

    assert runs.fail(generation.pk, 1, **reason)
    assert not runs.fail(generation.pk, 1, **reason)

    generation.session.refresh_from_db()
    assert generation.session.attempts_left == 10
