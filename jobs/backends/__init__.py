"""Generators: how a generation's picture is made. One class per backend, one method, a name in the settings.

    base             what every generator gets and gives
    local            our own renderer: the default, always there
    automatic1111    img2img on a Stable Diffusion server of the operator's
    replicate        predictions on a hosted service
    diffusion        what the last two share: local render first, working size, slots, composite

`docs/backends.md` says how to add one.
"""

from __future__ import annotations

from jobs.backends.base import Generated, GenerationInputs, Generator, GeneratorError, generator

__all__ = ["Generated", "GenerationInputs", "Generator", "GeneratorError", "generator"]
