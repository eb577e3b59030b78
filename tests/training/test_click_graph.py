"""The click network as the product runs it is the one that was trained."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")

from segmentation.click_maps import COARSE_MAPS, COARSE_SIDE, FINE, MAPS  # noqa: E402
from training.click_graph import OfClick, OfPhoto  # noqa: E402
from training.click_net import ClickNet  # noqa: E402


def test_the_two_graphs_give_the_trained_networks_answer() -> None:
    torch.manual_seed(3)
    net = ClickNet().eval()
    torch.nn.init.normal_(net.out.weight)
    net.mean.normal_()
    net.deviation.uniform_(0.5, 2)
    maps, embedding = torch.rand(1, MAPS, 256, 256), torch.randn(1, 256, 64, 64)
    coarse = torch.zeros(1, COARSE_MAPS, COARSE_SIDE, COARSE_SIDE)
    coarse[:, :MAPS] = torch.nn.functional.avg_pool2d(maps, 2)

    with torch.no_grad():
        trained = net(maps, embedding)
        rewritten = OfClick(net).eval()(coarse, maps[:, FINE], OfPhoto(net).eval()(embedding))

    torch.testing.assert_close(rewritten, trained, atol=1e-3, rtol=1e-3)
