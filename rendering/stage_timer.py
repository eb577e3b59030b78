"""How long the stages of a render take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

OnStage = Callable[[str, float], None]


@dataclass(slots=True)
class StageTimer:
    """Seconds per stage, and `on_stage(name, seconds)` for whoever waits for the picture."""

    on_stage: OnStage | None
    timings: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        """Count the time since the last call to `stage`."""
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self._last
        self._last = now

    def report(self, *stages: str) -> None:
        """Tell `on_stage` of finished stages. Seldom: the worker writes them to the database."""
        if self.on_stage is not None:
            for stage in stages:
                self.on_stage(stage, self.timings.get(stage, 0.0))

    def finish(self, stage: str) -> None:
        """`lap` and `report` of a stage that ends now."""
        self.lap(stage)
        self.report(stage)
