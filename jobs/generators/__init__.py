"""Generators: how a generation's picture is made. One class per backend, one method, a name in the settings.

To add one: write a class with `generate` as in `base.Generator`, and name it in `settings.GENERATION_BACKENDS`.
"""

from __future__ import annotations

from jobs.generators.base import Generated, GenerationInputs, Generator, GeneratorError, generator

__all__ = ["Generated", "GenerationInputs", "Generator", "GeneratorError", "generator"]
