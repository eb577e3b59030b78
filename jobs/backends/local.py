"""The default backend: our own renderer, on this machine, always there."""

from __future__ import annotations

from jobs.backends.base import Backend, BackendError, Generated, GenerationInputs, OnStage
from rendering import RenderingError, render


class LocalBackend(Backend):
    """Renders the wallpaper in the wall's plane and light."""

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """See `Backend.generate`."""
        try:
            rendered = render(
                inputs.photo,
                inputs.mask,
                inputs.wallpaper,
                inputs.plane,
                inputs.placement,
                brightness=inputs.brightness,
                keep_shadows=inputs.keep_shadows,
                on_stage=on_stage,
            )
        except RenderingError as error:
            raise BackendError(
                error.user_message, code=error.code, is_ours=False, detail=str(error)
            ) from error
        return Generated(rendered.picture, rendered.timings)
