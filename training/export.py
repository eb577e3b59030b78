"""Trained weights -> a folder of heads: ONNX graphs of float16 or int8 weights, and digests.

    python -m training.export [--walls A.pt [B.pt ...]] [--sam-head sam_head.pt]
        [--clicks A.pt [B.pt ...]] [--heads onnx_models/heads]

A folder of heads without a heads.json begins as a copy of the shipped ones. Of several stages of
one or more trainings the mean weights are taken ("model soups", Wortsman et al. 2022,
arXiv:2203.05482); one named twice counts twice. Every graph is run beside its network; a difference
of more than its precision allows ends the program, before `heads.json` states that file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from onnx_models.specimen import drawn_room
from segmentation.clicks.features import FINE, MAPS
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE
from segmentation.wall_net_io import TOKEN_CHANNELS, wall_net_input
from segmentation.walls.heads import HEADS_DIRECTORY
from training.click_graph import ClickBranch, PhotoBranch
from training.click_net import ClickNet
from training.train_sam_head import SamHead
from training.wall_net import WallNet, load_averaged

_OPSET: Final = 17
_MANIFEST_FILE: Final = "heads.json"
_LARGEST_DIFFERENCE: Final = 0.01  # root mean square, as a share of the output's own
_LARGEST_INT8_DIFFERENCE: Final = {"scene": 0.05, "tokens": 0.14}
_ENCODER: Final = "/backbone/"
_SMALL: Final = 64  # weights of fewer elements stay float32: biases, norms
_PHOTO_SIZES: Final = ((640, 480), (400, 600), (160, 640))  # width, height
_CLICK_SIZES: Final = ((MASK_SIDE, MASK_SIDE), (192, MASK_SIDE), (MASK_SIDE, 8))  # of photos' parts


class ExportedWallNet(nn.Module):
    """The wall network with the two outputs of its graph: scene and tokens."""

    def __init__(self, walls: nn.Module) -> None:
        super().__init__()
        self.walls = walls

    def forward(self, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """B x 3 x h x w -> B x 9 x 4 h/14 x 4 w/14, B x 64 x h/14 x w/14."""
        return self.walls.scene_and_tokens(photo)


def quantize_to_int8(path: Path) -> None:
    """Make the encoder's linear layers int8 per channel; activations are quantised as they come.

    On photos the walls of the network are as right as with float32 (EXPERIMENTS.md), in much less
    time on processors with VNNI. The decoder's few layers see one row a photo: nothing to gain.
    """
    names = [node.name for node in onnx.load(str(path)).graph.node if _ENCODER not in node.name]
    others = [*names, *(f"{name}_MatMul" for name in names)]  # as what it makes of a Gemm is called
    quantize_dynamic(
        path,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=others,
        extra_options={"MatMulConstBOnly": True},
    )


def store_as_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with float16 weights, cast to float32 where used: half the bytes."""
    for weight in list(model.graph.initializer):
        values = numpy_helper.to_array(weight)
        # Ranges of int8 layers are too small for half precision.
        if values.dtype != np.float32 or values.size < _SMALL or weight.name.endswith("_scale"):
            continue
        name = weight.name
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        model.graph.initializer.remove(weight)
        model.graph.initializer.append(half)
        cast = helper.make_node(
            "Cast", [half.name], [name], to=TensorProto.FLOAT, name=f"{name}.cast"
        )
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model


_AXES: Final = {
    "photo": {2: "height", 3: "width"},
    "scene": {2: "rows", 3: "columns"},
    "tokens": {2: "quarter_rows", 3: "quarter_columns"},
    "fine": {2: "rows", 3: "columns"},
    "logit": {2: "rows", 3: "columns"},
    "coarse": {2: "half_rows", 3: "half_columns"},
    "seen": {2: "quarter_rows", 3: "quarter_columns"},
    "features": {2: "quarter_rows", 3: "quarter_columns"},
}


def export(
    net: nn.Module,
    several: list[tuple[torch.Tensor, ...]],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    *,
    as_int8: bool = False,
) -> str:
    """Write one graph, compare it with its network, return its SHA-256.

    several: inputs, perhaps of different sizes; the first are traced, all compared. as_int8:
    linear layers become int8 (`quantize_to_int8`).
    """
    torch.onnx.export(
        net,
        several[0],
        str(path),
        input_names=inputs,
        output_names=outputs,
        opset_version=_OPSET,
        dynamic_axes={name: _AXES[name] for name in [*inputs, *outputs] if name in _AXES},
        dynamo=False,
    )
    if as_int8:
        quantize_to_int8(path)
    onnx.save(store_as_float16(onnx.load(str(path))), str(path))
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = np.max(
        [_differences(net, session, examples, inputs) for examples in several], axis=0
    )
    for name, found in zip(outputs, differences, strict=True):
        limit = (
            _LARGEST_INT8_DIFFERENCE.get(name, _LARGEST_DIFFERENCE)
            if as_int8
            else _LARGEST_DIFFERENCE
        )
        if not found <= limit:  # not a number when the network's own output is zero
            raise SystemExit(f"{path.name}: {name} differs from the network's by {found:.3f}.")
    print(
        f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, differences {np.round(differences, 5)}"
    )
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _differences(
    net: nn.Module,
    session: ort.InferenceSession,
    examples: tuple[torch.Tensor, ...],
    inputs: list[str],
) -> list[float]:
    """Difference of each of a graph's outputs from its network's, relative root mean square."""
    feeds = {name: e.numpy() for name, e in zip(inputs, examples, strict=True)}
    with torch.no_grad():
        output = net(*examples)
    several = output if isinstance(output, tuple) else (output,)
    return [
        float(np.linalg.norm(found - expected.numpy()) / np.linalg.norm(expected.numpy()))
        for found, expected in zip(session.run(None, feeds), several, strict=True)
    ]


def export_clicks(net: ClickNet, folder: Path) -> dict[str, str]:
    """The click network's two graphs, their sum compared with the network; their SHA-256."""
    photo_branch, click_branch = PhotoBranch(net).eval(), ClickBranch(net).eval()
    of_photos, of_clicks = [], []
    for rows, columns in _CLICK_SIZES:
        maps = torch.rand(1, MAPS, rows, columns)
        features = torch.randn(1, 256, rows // 4, columns // 4)
        tokens = torch.randn(1, TOKEN_CHANNELS, rows // 4, columns // 4)
        coarse = F.avg_pool2d(maps, 2)
        with torch.no_grad():
            seen, fine = photo_branch(features, tokens), maps[:, FINE].contiguous()
            differences = float(
                (click_branch(coarse, fine, seen) - net(maps, features, tokens)).abs().max()
            )
        if differences > 1e-3:
            raise SystemExit(
                f"The rewritten click network differs from the trained one by {differences}."
            )
        of_photos.append((features, tokens))
        of_clicks.append((coarse, fine, seen))
    names = ["coarse", "fine", "seen"]
    return {
        "click_photo.onnx": export(
            photo_branch,
            of_photos,
            folder / "click_photo.onnx",
            ["features", "tokens"],
            ["seen"],
        ),
        "click_net.onnx": export(
            click_branch, of_clicks, folder / "click_net.onnx", names, ["logit"]
        ),
    }


def write_statistics(head: SamHead, path: Path) -> str:
    """The mean and deviation of the embedding as the product reads them; returns the SHA-256."""
    mean, deviation = (
        np.ascontiguousarray(value[0].numpy(), np.float32) for value in (head.mean, head.deviation)
    )
    np.savez(path, mu=mean, sd=deviation)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export_walls(paths: list[Path], folder: Path) -> dict[str, str]:
    """The wall network's graph from the mean of several weights; its SHA-256 by name.

    Raises:
        SystemExit: the weights have no token basis or different ones.
    """
    bases = [torch.load(path, weights_only=True)["basis"] for path in paths]
    if not bases[0].any() or not all(torch.equal(bases[0], basis) for basis in bases):
        raise SystemExit("Give all of these weights one basis first: training/token_basis.py.")
    net = load_averaged(WallNet(), *paths)
    net.backbone.fold_scales()
    # eval() on the wrapper as well: the exporter gives a module its own mode back when it is done.
    walls = ExportedWallNet(net).eval()
    photos = [
        (torch.from_numpy(wall_net_input(cv2.resize(drawn_room(), size).astype(np.uint8))),)
        for size in _PHOTO_SIZES
    ]
    names = ["scene", "tokens"]
    path = folder / "wall_net.onnx"
    return {path.name: export(walls, photos, path, ["photo"], names, as_int8=True)}


def export_sam_head(weights: Path, folder: Path) -> dict[str, str]:
    """The SAM head's graph and the statistics of its input; their SHA-256 by name."""
    head = load_averaged(SamHead(), weights)
    embedding = torch.randn(1, 256, FEATURE_SIDE, FEATURE_SIDE)
    graph, statistics = folder / "wall_head.onnx", folder / "embedding_stats.npz"
    return {
        graph.name: export(head, [(embedding,)], graph, ["embedding"], ["logit"]),
        statistics.name: write_statistics(head, statistics),
    }


def begin_heads(folder: Path) -> None:
    """Make the folder a copy of the shipped heads, unless it has a heads.json of its own.

    The product loads only a complete set: what is not exported yet stays the shipped network.
    """
    if not (folder / _MANIFEST_FILE).is_file():
        shutil.copytree(HEADS_DIRECTORY, folder, dirs_exist_ok=True)


def state_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Write the SHA-256 of exported files into the folder's heads.json."""
    path = folder / _MANIFEST_FILE
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name, digest in digests.items():
        manifest["files"].setdefault(name, {})["sha256"] = digest
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Export the networks and state their digests in heads.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walls", type=Path, nargs="+")
    parser.add_argument("--sam-head", type=Path)
    parser.add_argument("--clicks", type=Path, nargs="+")
    parser.add_argument("--heads", type=Path, default=HEADS_DIRECTORY)
    options = parser.parse_args()
    torch.manual_seed(0)
    folder = options.heads
    begin_heads(folder)
    digests: dict[str, str] = {}
    if options.clicks is not None:
        digests |= export_clicks(load_averaged(ClickNet(), *options.clicks), folder)
    if options.walls is not None:
        digests |= export_walls(options.walls, folder)
    if options.sam_head is not None:
        digests |= export_sam_head(options.sam_head, folder)
    state_digests(folder, digests)


if __name__ == "__main__":
    main()
