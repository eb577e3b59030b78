"""A training under way, kept on disk so that a stopped one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import torch

from training.wall_net import Net


@dataclass
class Running(Generic[Net]):
    """Everything of a training that a later call needs. average: of the late weights."""

    net: Net
    optimiser: torch.optim.Optimizer
    average: dict[str, torch.Tensor]
    step: int = 0

    def save(self, path: Path) -> None:
        """Written beside and renamed: a killed training keeps its last checkpoint."""
        state = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "average": self.average, "step": self.step}, path.with_suffix(".new"))
        path.with_suffix(".new").rename(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one."""
        if path.is_file():
            state = torch.load(path, weights_only=True, map_location="cpu")
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            for name, value in state["average"].items():
                self.average[name].copy_(value)
            self.step = state["step"]
