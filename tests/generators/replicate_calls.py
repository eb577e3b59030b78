"""A generation by Replicate: through the task, or by the generator alone."""

from __future__ import annotations

import numpy as np
import pytest

from jobs import tasks
from jobs.generators import GenerationInputs, GeneratorError
from jobs.generators.replicate import Replicate
from sessions_app.models import Generation
from tests.factories import make_generation


def run() -> Generation:
    """A generation that the task has run."""
    generation = make_generation()
    tasks.run_generation(str(generation.pk), generation.run)
    generation.refresh_from_db()
    generation.session.refresh_from_db()
    return generation


def made(inputs: GenerationInputs) -> np.ndarray:
    """The picture."""
    return Replicate().generate(inputs, lambda *_: None).picture


def refused(inputs: GenerationInputs) -> GeneratorError:
    """Why there is none."""
    with pytest.raises(GeneratorError) as refusal:
        made(inputs)
    return refusal.value
