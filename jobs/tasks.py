"""The job: make one generation's picture.

A plain function of ids. At least once and idempotent: the row decides whether there is anything to
do, results are written under names of this run only, and one conditional UPDATE decides who wins.
Every end is written in the row, with a sentence for the visitor and the detail for the operator.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from rq.timeouts import JobTimeoutException

from imaging import encode_stored_photo, encode_view, fit_within
from imaging.types import Pixels
from jobs import recovery
from jobs.backends import BackendError, load_backend
from jobs.inputs import load_inputs, unchanged_outside
from jobs.retries import delay_after, is_transient, with_retries
from sessions_app import storage
from sessions_app.errors import AppError
from sessions_app.models import Generation
from sessions_app.queueing import queues
from sessions_app.services import runs
from sessions_app.storage import keys

logger = logging.getLogger(__name__)

INTERNAL = (
    "The picture could not be made because of a fault of ours. "
    "Your attempt was given back; please try again."
)

# Share of the whole when a stage has ended, in per cent; from the stages' times at 12 megapixels.
PROGRESS_AFTER = {
    "loading": 15,
    "level": 22,
    "light": 35,
    "sample": 55,
    "composite": 75,
    "check": 80,
}


def run_generation(generation_id: str, run: int, *, retry: bool = False) -> str:
    """Make the picture of this run; returns how it ended, for the queue's log.

    Args:
        retry: give a run that failed for a transient reason back to the queue; False for commands,
            which have none.

    Raises:
        DatabaseError: nothing can be written; the row is found by the sweep when its lease is over.
    """
    generation = with_retries(lambda: runs.start(generation_id, run))
    if generation is None:
        logger.info("%s: nothing to do", queues.job_id(generation_id, run))
        return "nothing to do"
    try:
        result = _make(generation)
        won = with_retries(lambda: runs.complete(generation_id, run, **result))
    except runs.SupersededError:
        logger.warning("given to another worker", extra=generation.as_log())
        _discard(generation)
        return "superseded"
    except Exception as error:  # the edge of the worker: whatever it was, the row must say so
        return _handle_failure(generation, error, retry=retry)
    if not won:
        _discard(generation)
        return "superseded"
    logger.info("generation completed", extra=generation.as_log())
    _discard_earlier(generation)
    return "completed"


def _make(generation: Generation) -> dict[str, Any]:
    """Load, generate, check, store; returns the fields of the completed row."""
    started = time.perf_counter()
    inputs = with_retries(lambda: load_inputs(generation))
    timings = {"loading": time.perf_counter() - started}
    _report(generation, "loading")
    made = load_backend(generation.backend).generate(
        inputs, lambda stage, _seconds: _report(generation, stage)
    )
    timings.update(made.timings)
    if not unchanged_outside(inputs.photo, made.picture, inputs.mask):
        raise BackendError(INTERNAL, code="touched_outside", is_ours=True)
    started = time.perf_counter()
    stored = _store(generation, made.picture)
    timings["storing"] = time.perf_counter() - started
    return {
        **stored,
        "untouched_outside": True,
        "timings": {name: round(seconds, 4) for name, seconds in timings.items()},
    }


def _store(generation: Generation, picture: Pixels) -> dict[str, str]:
    session_id, number, run = generation.session_id, generation.number, generation.run
    result_key = keys.result(session_id, number, run)
    view_key = keys.result_view(session_id, number, run)
    full = encode_stored_photo(picture)
    view = encode_view(fit_within(picture, settings.VIEW_MAX_SIDE_PX))
    _report(generation, "check")  # a run that lost its row meanwhile stores nothing
    digest = with_retries(lambda: storage.save(result_key, full))
    with_retries(lambda: storage.save(view_key, view))
    return {"result_key": result_key, "result_view_key": view_key, "result_digest": digest}


def _report(generation: Generation, stage: str) -> None:
    progress = PROGRESS_AFTER.get(stage, generation.progress)
    generation.progress = max(generation.progress, progress)
    try:
        runs.report(generation.pk, generation.run, stage=stage, progress=generation.progress)
    except DatabaseError as error:  # no reason to lose the picture: its end is written with retries
        logger.warning("progress could not be written: %s", error, extra=generation.as_log())


def _handle_failure(generation: Generation, error: Exception, *, retry: bool) -> str:
    """Queue another run for later, or end the generation with its reason."""
    logger.warning("generation failed", extra=generation.as_log(), exc_info=error)
    detail = "".join(traceback.format_exception(error))
    pk, run = generation.pk, generation.run
    if retry and run < runs.MAX_RUNS and is_transient(error):
        _discard(generation)
        delay = delay_after(run)
        moved = with_retries(lambda: runs.requeue(pk, run, delay_seconds=delay))
        return "to be tried again" if moved else "superseded"
    code, message, is_ours = _reason(error)
    failed = with_retries(
        lambda: runs.fail(pk, run, code=code, message=message, detail=detail, is_ours=is_ours)
    )
    _discard(generation)
    return f"failed: {code}" if failed else "superseded"


def _reason(error: Exception) -> tuple[str, str, bool]:
    """(code, sentence for the visitor, the fault was ours)."""
    if isinstance(error, AppError):
        is_ours = error.is_ours if isinstance(error, BackendError) else True
        return error.code, error.user_message, is_ours
    if isinstance(error, JobTimeoutException):
        return "too_slow", runs.TOO_SLOW, True
    return "internal", INTERNAL, True


def _discard(generation: Generation) -> None:
    """Remove what this run may have stored, unless the row points at it.

    It does where the job's alarm came after the commit.
    """
    stored = recovery.result_keys(generation.session_id, generation.number, [generation.run])
    try:
        if Generation.objects.filter(pk=generation.pk, result_key=stored[0]).exists():
            return
        for key in stored:
            storage.delete(key)
    except (AppError, DatabaseError):
        logger.warning("results of a lost run are left for the sweep", extra=generation.as_log())


def _discard_earlier(generation: Generation) -> None:
    """Remove what earlier runs left when they were killed between storing and telling."""
    if generation.run == 1:
        return
    try:
        recovery.remove_results(Generation.objects.get(pk=generation.pk))
    except (AppError, DatabaseError, Generation.DoesNotExist):
        logger.warning("results of earlier runs are left for the sweep", extra=generation.as_log())
