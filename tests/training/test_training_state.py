"""Checkpoints of a training: what goes on from them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")

from training.training_state import TrainingState  # noqa: E402


def state() -> TrainingState[Any]:
    net = torch.nn.Linear(2, 1)
    average = {name: value.detach().clone() for name, value in net.state_dict().items()}
    return TrainingState(net, torch.optim.AdamW(net.parameters()), average)


def test_a_training_goes_on_with_the_weights_average_and_step_it_had(tmp_path: Path) -> None:
    old, new = state(), state()
    old.step = 7
    old.average["bias"] += 1
    old.save(tmp_path / "checkpoint.pt")

    new.resume(tmp_path / "checkpoint.pt")

    assert new.step == 7
    torch.testing.assert_close(new.net.weight, old.net.weight)
    torch.testing.assert_close(new.average["bias"], old.average["bias"])


def test_a_training_without_a_checkpoint_begins_at_its_first_step(tmp_path: Path) -> None:
    new = state()

    new.resume(tmp_path / "checkpoint.pt")

    assert new.step == 0


def test_a_checkpoint_of_another_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    state().save(path)
    content = torch.load(path, weights_only=True)
    del content["format"]
    torch.save(content, path)

    with pytest.raises(SystemExit, match="of another version of the training programs"):
        state().resume(path)
