"""A generation by a service: through the task, or by its backend alone."""

from __future__ import annotations

import numpy as np
import pytest

from jobs import tasks
from jobs.backends import Backend, BackendError, GenerationInputs
from sessions_app.models import Generation
from tests.harness.factories import make_generation


def run() -> Generation:
    """A generation that the task has run."""
    generation = make_generation()
    tasks.run_generation(str(generation.pk), generation.run)
    generation.refresh_from_db()
    generation.session.refresh_from_db()
    return generation


def made(backend: Backend, inputs: GenerationInputs) -> np.ndarray:
    """The picture, RGB uint8."""
    return backend.generate(inputs, lambda *_: None).picture


def refused(backend: Backend, inputs: GenerationInputs) -> BackendError:
    """Why there is none."""
    with pytest.raises(BackendError) as refusal:
        made(backend, inputs)
    return refusal.value
