"""The job: make one generation's picture.

A plain function of ids. At least once and idempotent: the row decides whether there is anything to do, results are
written under names of this run only, and one conditional UPDATE decides who wins. Every end is written in the
row, with a sentence for the visitor and the detail for the operator.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any

from django.conf import settings
from rq.timeouts import JobTimeoutException

from jobs import making
from jobs.generators import GeneratorError, generator
from sessions_app import keys, storage
from sessions_app.errors import AppError
from sessions_app.image_types import Pixels
from sessions_app.intake import encode_stored_photo, encode_view, fit_within
from sessions_app.models import Generation
from sessions_app.services import runs

logger = logging.getLogger(__name__)

INTERNAL = "The picture could not be made because of a fault of ours. Your attempt was given back; please try again."
TOO_SLOW = "Making the picture took too long and was stopped. Your attempt was given back; please try again."

# Share of the whole when a stage has ended, in per cent; from the stages' times at 12 megapixels.
PROGRESS_AFTER = {
    "loading": 15,
    "light": 35,
    "paper": 40,
    "sample": 55,
    "composite": 75,
    "check": 80,
}


def run_generation(generation_id: str, run: int) -> str:
    """Make the picture of this run; returns how it ended, for the queue's log."""
    generation = runs.start(generation_id, run)
    if generation is None:
        logger.info("run %s of %s: nothing to do", run, generation_id)
        return "nothing to do"
    try:
        result = _make(generation)
    except runs.SupersededError:
        logger.warning("given to another worker", extra=generation.as_log())
        _discard(generation)
        return "superseded"
    except GeneratorError as error:
        return _fail(generation, error.code, error.user_message, is_ours=error.is_ours)
    except AppError as error:
        return _fail(generation, error.code, error.user_message, is_ours=True)
    except JobTimeoutException:
        return _fail(generation, "too_slow", TOO_SLOW, is_ours=True)
    except Exception:  # the edge of the worker: whatever it was, the row must say so
        logger.exception("generation failed", extra=generation.as_log())
        return _fail(generation, "internal", INTERNAL, is_ours=True)
    if not runs.complete(generation_id, run, **result):
        _discard(generation)
        return "superseded"
    logger.info("session %s #%s completed", generation.session_id, generation.number)
    return "completed"


def _make(generation: Generation) -> dict[str, Any]:
    """Load, generate, check, store; returns the fields of the completed row."""
    started = time.perf_counter()
    inputs = making.load_inputs(generation)
    timings = {"loading": time.perf_counter() - started}
    _report(generation, "loading")
    made = generator(generation.backend).generate(
        inputs, lambda stage, _seconds: _report(generation, stage)
    )
    timings.update(made.timings)
    if not making.unchanged_outside(inputs.photo, made.picture, inputs.mask):
        raise GeneratorError(INTERNAL, code="touched_outside", is_ours=True)
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
    digest = storage.save(result_key, encode_stored_photo(picture))
    storage.save(view_key, encode_view(fit_within(picture, settings.VIEW_MAX_SIDE_PX)))
    return {"result_key": result_key, "result_view_key": view_key, "result_digest": digest}


def _report(generation: Generation, stage: str) -> None:
    progress = PROGRESS_AFTER.get(stage, generation.progress)
    generation.progress = max(generation.progress, progress)
    runs.report(generation.pk, generation.run, stage=stage, progress=generation.progress)


def _fail(generation: Generation, code: str, message: str, *, is_ours: bool) -> str:
    runs.fail(
        generation.pk,
        generation.run,
        code=code,
        message=message,
        detail=traceback.format_exc(),
        is_ours=is_ours,
    )
    _discard(generation)
    return f"failed: {code}"


def _discard(generation: Generation) -> None:
    """Remove what this run may have stored; the row never pointed at it."""
    names = (generation.session_id, generation.number, generation.run)
    for key in (keys.result(*names), keys.result_view(*names)):
        try:
            storage.delete(key)
        except AppError:
            logger.warning("object %s is left for the purge", key)
