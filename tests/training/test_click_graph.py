"""The click network as the product runs it is the one that was trained."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")

from segmentation.clicks.features import FINE, MAPS  # noqa: E402
from segmentation.wall_net_io import TOKEN_CHANNELS  # noqa: E402
from training.click_graph import ClickBranch, PhotoBranch  # noqa: E402
from training.click_net import ClickNet  # noqa: E402
from training.wall_net import load_averaged  # noqa: E402


@pytest.mark.parametrize(("rows", "columns"), [(256, 256), (176, 256), (256, 8)])
def test_the_two_graphs_give_the_trained_networks_answer(rows: int, columns: int) -> None:
    torch.manual_seed(3)
    net = ClickNet().eval()
    torch.nn.init.normal_(net.out.weight)
    net.mean.normal_()
    net.deviation.uniform_(0.5, 2)
    maps = torch.rand(1, MAPS, rows, columns)
    seen = [torch.randn(1, count, rows // 4, columns // 4) for count in (256, TOKEN_CHANNELS)]
    coarse = torch.nn.functional.avg_pool2d(maps, 2)

    with torch.no_grad():
        trained = net(maps, *seen)
        rewritten = ClickBranch(net).eval()(coarse, maps[:, FINE], PhotoBranch(net).eval()(*seen))

    torch.testing.assert_close(rewritten, trained, atol=1e-3, rtol=1e-3)


def test_several_stages_of_a_training_become_one_network_by_their_mean(tmp_path: Path) -> None:
    for number in (0, 1):
        stage = ClickNet()
        torch.nn.init.constant_(stage.out.weight, number)
        torch.save(stage.state_dict(), tmp_path / f"{number}.pt")

    mean = load_averaged(ClickNet(), *(tmp_path / f"{number}.pt" for number in (0, 1, 1, 1)))

    torch.testing.assert_close(mean.out.weight, torch.full_like(mean.out.weight, 0.75))
    assert not mean.training
