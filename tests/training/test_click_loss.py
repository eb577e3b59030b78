"""What the click network is told about its answers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")

from training.train_clicks import click_loss, perturbed  # noqa: E402 - after the check for PyTorch


def test_where_nothing_can_be_known_neither_answer_nor_truth_counts() -> None:
    truth, weight = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    truth[..., :4], weight[..., 4:] = 1, 0
    right = torch.where(truth > 0, 20.0, -20.0)
    other_truth, other_answer = truth.clone(), right.clone()
    other_truth[..., 4:], other_answer[..., 4:] = 1, 20.0

    losses = [
        float(click_loss(output, wanted, weight))
        for output in (right, other_answer)
        for wanted in (truth, other_truth)
    ]

    assert losses == pytest.approx([0, 0, 0, 0], abs=1e-3)


def test_disturbed_features_keep_their_form_and_silent_ones_their_mean() -> None:
    torch.manual_seed(3)
    features, mean = torch.rand(1, 256, 4, 4) + 1, torch.full((1, 256, 1, 1), 7.0)

    found = perturbed(features, mean, torch.ones(1, 256, 1, 1))

    dropped = (found == 7).all(dim=3).all(dim=2)[0]
    assert 25 < int(dropped.sum()) < 80
    heard = features[0, ~dropped], found[0, ~dropped]
    before, after = (some - some.mean((1, 2), keepdim=True) for some in heard)
    louder = (after * before).sum((1, 2)) / (before * before).sum((1, 2))
    torch.testing.assert_close(after, before * louder[:, None, None], atol=1e-4, rtol=1e-3)
    assert 0.3 < louder.std() < 0.7
    assert (heard[1] - heard[0]).mean((1, 2)).std() > 0.2


def test_at_times_all_features_are_silent() -> None:
    torch.manual_seed(1)
    features = torch.rand(1, 8, 2, 2)
    nothing, some = torch.zeros(1), torch.ones(1)

    dropped = [not perturbed(features, nothing, some).any() for _ in range(200)]

    assert 10 < sum(dropped) < 60
