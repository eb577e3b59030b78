"""MobileSAM's image encoder as a network that can learn, for photos of any size.

TinyViT (Wu et al. 2022, arXiv:2207.10666) in MobileSAM's form: convolutions, then attention in windows
with a learnt bias for each pair of cells. Weights are read from the published `encoder.onnx`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn as nn
import torch.nn.functional as F

from onnx_models.encoder_stages import HEAD, STAGES, Stage
from onnx_models.graph_writer import PublishedWeights

_STEM: Final = (32, 64)
_EXPANSION: Final = 4
_NECK: Final = 256


class Inverted(nn.Module):
    """1 x 1, 3 x 3 by channel, 1 x 1: a block of the first stage, or what merges cells after a stage."""

    def __init__(self, before: int, wide: int, after: int, *, stride: int, adds: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, wide, 1)
        self.conv2 = nn.Conv2d(wide, wide, 3, padding=1, stride=stride, groups=wide)
        self.conv3 = nn.Conv2d(wide, after, 1)
        self.adds = adds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x before x H x W -> B x after x H/stride x W/stride."""
        y = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return F.gelu(x + y) if self.adds else y


class WindowAttention(nn.Module):
    """Every cell looks at those of its window; windows beyond the edge are filled with zeros."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.window, self.heads = stage.window, stage.heads
        self.norm = nn.LayerNorm(stage.width)
        self.qkv = nn.Linear(stage.width, 3 * stage.width)
        self.proj = nn.Linear(stage.width, stage.width)
        self.bias = nn.Parameter(torch.zeros(stage.heads, stage.window**2, stage.window**2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x H x W x C -> B x H x W x C."""
        count, height, width, channels = x.shape
        side = self.window
        below, right = -height % side, -width % side
        y = F.pad(x, (0, 0, 0, right, 0, below))
        rows, columns = (height + below) // side, (width + right) // side
        y = y.view(count, rows, side, columns, side, channels).transpose(2, 3)
        y = self.norm(y.reshape(-1, side * side, channels))
        told = self.qkv(y).view(-1, side * side, self.heads, 3, HEAD).permute(3, 0, 2, 1, 4)
        bias = self.bias[None].to(told.dtype)
        seen = F.scaled_dot_product_attention(told[0], told[1], told[2], attn_mask=bias)
        y = self.proj(seen.transpose(1, 2).reshape(-1, side * side, channels))
        y = y.view(count, rows, columns, side, side, channels).transpose(2, 3)
        return y.reshape(count, rows * side, columns * side, channels)[:, :height, :width]


class Block(nn.Module):
    """Attention in windows, the 3 x 3 neighbourhood of each channel, a perceptron."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        width = stage.width
        self.attn = WindowAttention(stage)
        self.local = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, _EXPANSION * width)
        self.fc2 = nn.Linear(_EXPANSION * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x H x W x C -> B x H x W x C."""
        x = x + self.attn(x)
        x = self.local(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.fc2(F.gelu(self.fc1(self.norm(x))))


class TinyViT(nn.Module):
    """The encoder; answers the maps of its four stages and of its neck."""

    channels: Final = (_STEM[1], *(stage.width for stage in STAGES), _NECK)

    def __init__(self) -> None:
        super().__init__()
        self.stem0 = nn.Conv2d(3, _STEM[0], 3, stride=2, padding=1)
        self.stem2 = nn.Conv2d(_STEM[0], _STEM[1], 3, stride=2, padding=1)
        first = _STEM[1]
        wide = _EXPANSION * first
        self.stage0 = nn.Sequential(
            *[Inverted(first, wide, first, stride=1, adds=True) for _ in range(2)]
        )
        widths = (first, *(stage.width for stage in STAGES))
        self.merge = nn.ModuleList(
            Inverted(a, b, b, stride=1 if stage.index == 3 else 2, adds=False)
            for a, b, stage in zip(widths[:-1], widths[1:], STAGES, strict=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(*[Block(stage) for _ in range(stage.blocks)]) for stage in STAGES
        )
        self.neck0 = nn.Conv2d(widths[-1], _NECK, 1, bias=False)
        self.neck1 = nn.LayerNorm(_NECK, eps=1e-6)
        self.neck2 = nn.Conv2d(_NECK, _NECK, 3, padding=1, bias=False)
        self.neck3 = nn.LayerNorm(_NECK, eps=1e-6)
        # What the first maps go through while learning.
        self.restyle: nn.Module = nn.Identity()

    def forward(self, photo: torch.Tensor) -> list[torch.Tensor]:
        """photo: B x 3 x H x W, standardised, H and W multiples of 16.

        Maps B x 64, 128, 160, 320, 256 at 1/4, 1/8 and three times 1/16.
        """
        x = self.restyle(self.stem2(F.gelu(self.stem0(photo))))
        found = [self.restyle(self.stage0(x))]
        for number, (merge, blocks) in enumerate(zip(self.merge, self.stages, strict=True)):
            x = blocks(merge(found[-1]).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            found.append(self.restyle(x) if number == 0 else x)
        x = self.neck1(self.neck0(x).permute(0, 2, 3, 1))
        x = self.neck3(self.neck2(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return [*found, x.permute(0, 3, 1, 2)]


class _Published:
    """Collects the published file's weights under `TinyViT`'s names."""

    def __init__(self, source: Path) -> None:
        self.weights = PublishedWeights(source)
        self.state: dict[str, torch.Tensor] = {}

    def put(self, name: str, values: npt.ArrayLike) -> None:
        self.state[name] = torch.from_numpy(np.array(values, np.float32))

    def convolution(self, name: str, path: str) -> None:
        kernel, bias = self.weights.convolution(path)
        self.put(f"{name}.weight", kernel)
        if bias is not None:
            self.put(f"{name}.bias", bias)

    def inverted(self, name: str, path: str) -> None:
        for number in (1, 2, 3):
            self.convolution(f"{name}.conv{number}", f"{path}/conv{number}/c")

    def linear(self, name: str, path: str) -> None:
        weight, bias = self.weights.linear(path)
        self.put(f"{name}.weight", weight.T)
        self.put(f"{name}.bias", bias)

    def norm(self, name: str, path: str) -> None:
        for kind in ("weight", "bias"):
            self.put(f"{name}.{kind}", self.weights.named(f"{path.replace('/', '.')}.{kind}"))

    def block(self, name: str, path: str, stage: Stage) -> None:
        self.norm(f"{name}.attn.norm", f"{path}/attn/norm")
        self.linear(f"{name}.attn.qkv", f"{path}/attn/qkv")
        self.linear(f"{name}.attn.proj", f"{path}/attn/proj")
        bias = self.weights.used_by(f"/{path}/attn/Add_output_0")
        cells = stage.window**2
        self.put(f"{name}.attn.bias", bias.reshape(stage.heads, cells, cells))
        self.convolution(f"{name}.local", f"{path}/local_conv/c")
        self.norm(f"{name}.norm", f"{path}/mlp/norm")
        self.linear(f"{name}.fc1", f"{path}/mlp/fc1")
        self.linear(f"{name}.fc2", f"{path}/mlp/fc2")


def published_state(source: Path) -> dict[str, torch.Tensor]:
    """`TinyViT`'s weights as they stand in the published `encoder.onnx`.

    Raises `onnx_models.errors.VariantError` when the file is another network.
    """
    found = _Published(source)
    for number in (0, 2):
        found.convolution(f"stem{number}", f"patch_embed/seq/seq.{number}/c")
        found.convolution(f"neck{number}", f"neck/neck.{number}")
    for number in range(2):
        found.inverted(f"stage0.{number}", f"layers.0/blocks.{number}")
    for stage in STAGES:
        before = stage.index - 1
        found.inverted(f"merge.{before}", f"layers.{before}/downsample")
        for number in range(stage.blocks):
            name, path = f"stages.{before}.{number}", f"layers.{stage.index}/blocks.{number}"
            found.block(name, path, stage)
    for number, shift in ((1, "/neck/neck.1/Add_1_output_0"), (3, "output")):
        scale = found.weights.used_by(f"/neck/neck.{number}/Mul_output_0")
        found.put(f"neck{number}.weight", scale.reshape(-1))
        found.put(f"neck{number}.bias", found.weights.used_by(shift).reshape(-1))
    return found.state
