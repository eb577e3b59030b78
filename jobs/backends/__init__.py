"""Backends: how a generation's picture is made.

One class per backend, one method, a name in the settings.

    base             what every backend gets and gives
    local            our own renderer: the default, always there
    diffusion        image services that go over our picture: automatic1111, iopaint, replicate

`docs/backends.md` says how to add one.
"""

from __future__ import annotations

from jobs.backends.base import Backend, BackendError, Generated, GenerationInputs, load_backend

__all__ = ["Backend", "BackendError", "Generated", "GenerationInputs", "load_backend"]
