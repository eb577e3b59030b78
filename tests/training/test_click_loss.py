"""What the click network is told about its answers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")

from training.train_clicks import click_loss, disturbed  # noqa: E402 - after the check for PyTorch


def test_where_nothing_can_be_known_neither_answer_nor_truth_counts() -> None:
    truth, weight = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    truth[..., :4], weight[..., 4:] = 1, 0
    right = torch.where(truth > 0, 20.0, -20.0)
    other_truth, other_answer = truth.clone(), right.clone()
    other_truth[..., 4:], other_answer[..., 4:] = 1, 20.0

    losses = [
        float(click_loss(answer, wanted, weight))
        for answer in (right, other_answer)
        for wanted in (truth, other_truth)
    ]

    assert losses == pytest.approx([0, 0, 0, 0], abs=1e-3)


def test_disturbed_features_keep_their_places_and_silent_ones_their_mean() -> None:
    torch.manual_seed(0)
    features, mean = torch.rand(1, 256, 4, 4) + 1, torch.full((1, 256, 1, 1), 7.0)

    found = disturbed(features, mean)

    silent = (found == 7).all(dim=(2, 3))
    ratio = (found / features)[~silent]
    assert 5 < int(silent.sum()) < 60
    assert torch.allclose(ratio, ratio[:, :1, :1].expand_as(ratio))
    assert ratio[:, 0, 0].std() > 0.1
