"""A training under way: network, optimiser and step, kept in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic

import torch

from training.wall_net import Net

# Raise it when the networks' weights get other names or the state other parts: older files are then
# refused.
FORMAT: Final = 2


@dataclass
class TrainingState(Generic[Net]):
    """Everything of a training that a later call needs. average: running average of the weights, by
    name.
    """

    net: Net
    optimiser: torch.optim.Optimizer
    average: dict[str, torch.Tensor]
    step: int = 0

    def save(self, path: Path) -> None:
        """Write a checkpoint and rename it: a killed training keeps its last one."""
        state = {
            "format": FORMAT,
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
        }
        draft = path.with_suffix(".new")
        torch.save(state, draft)
        draft.rename(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            SystemExit: the checkpoint is of another version of the programs.
        """
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True, map_location="cpu")
        if state.get("format") != FORMAT:
            raise SystemExit(
                f"{path} is of another version of the training programs: "
                "remove it to begin anew, or finish that training with the version that began it."
            )
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        for name, value in state["average"].items():
            self.average[name].copy_(value)
        self.step = state["step"]
