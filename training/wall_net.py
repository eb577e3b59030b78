"""The wall network: a photo -> where its walls are, which of their pixels share a plane, and
similarity tokens.

DINOv2's small vision transformer (`vit.py`; Oquab et al. 2024, Apache 2.0), fine-tuned: because it
was pretrained on real photos, walls learnt on rendered rooms are found in real ones too
(training/EXPERIMENTS.md compares encoders). A decoder mixes the tokens of four blocks with the mean
of the whole photo and enlarges them to four times their grid; a few convolutions of the photo
itself sharpen the edges. The tokens of one block, reduced to their principal components on our
rooms (`token_basis.py`), are inputs of the click network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import torch
import torch.nn as nn
import torch.nn.functional as F

from segmentation.wall_net_io import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    PLANE_CHANNELS,
    TOKEN_CHANNELS,
)
from training.dataset import CLASSES
from training.style_augmentation import MixStyle
from training.vit import WIDTH, VisionTransformer

Net = TypeVar("Net", bound=nn.Module)

_WIDTH: Final = 96
_NARROW: Final = 32
_FEATURES: Final = 24
_DEPTHS: Final = 4
_STEM: Final = 24
_SHARP: Final = 8  # pixels of the photo per token, each way, that the stem reads


class Mix(nn.Module):
    """Residual 3 x 3 convolution, dilated if asked, with the photo's mean added to every cell."""

    def __init__(self, channels: int, dilation: int = 1, drop: float = 0.1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.norm = nn.GroupNorm(8, channels)
        self.whole = nn.Linear(channels, channels)
        self.drop = nn.Dropout2d(drop)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm(self.conv(x))) + self.whole(x.mean((2, 3)))[:, :, None, None]
        return x + self.drop(y)


class WallNet(nn.Module):
    """Photo -> on four times its grid of patches: wall logit, class logits, plane vectors.

    drop: stochastic depth, the share of photos for which a block is left out while training.
    """

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.backbone = VisionTransformer(drop)
        self.backbone.mix_style = MixStyle()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(_DEPTHS))
        self.side = nn.Conv2d(_DEPTHS * WIDTH, _WIDTH, 1)
        self.channel_dropout = nn.Dropout2d(0.1)
        self.deep = nn.Sequential(*[Mix(_WIDTH, d) for d in (1, 2, 4)])
        self.mix = Mix(_WIDTH)
        self.narrow = nn.Conv2d(_WIDTH, _NARROW, 1)
        self.stem = nn.Sequential(
            nn.Conv2d(3, _STEM, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(_STEM, _NARROW, 3, padding=1),
            MixStyle(),
        )
        self.fine = nn.Conv2d(_NARROW, _NARROW, 3, padding=1)
        self.features = nn.Conv2d(_NARROW, _FEATURES, 3, padding=1)
        self.wall = nn.Conv2d(_FEATURES, 1, 1)
        self.classes = nn.Conv2d(_FEATURES, len(CLASSES), 1)
        self.planes = nn.Conv2d(_FEATURES, PLANE_CHANNELS, 1)
        self.register_buffer("basis", torch.zeros(TOKEN_CHANNELS, WIDTH))

    def forward(self, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """photo: B x 3 x H x W, standardised, H and W multiples of 14.

        Results: B x (1 | classes | 8) x 4 H/14 x 4 W/14.
        """
        x = self._decode(photo, self.backbone(photo)[0])
        return self.wall(x), self.classes(x), self.planes(x)

    def scene_and_tokens(self, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The scene and the tokens of a photo, as the product keeps them.

        Wall logit and plane vectors, B x 9 x 4 H/14 x 4 W/14; tokens about their mean, B x 64 x
        H/14 x W/14.
        """
        depths, mid_tokens = self.backbone(photo)
        x = self._decode(photo, depths)
        centred = mid_tokens - mid_tokens.mean((2, 3), keepdim=True)
        tokens = (centred.permute(0, 2, 3, 1) @ self.basis.T).permute(0, 3, 1, 2)
        return torch.cat([self.wall(x), self.planes(x)], 1), tokens

    def _decode(self, photo: torch.Tensor, depths: list[torch.Tensor]) -> torch.Tensor:
        """The features of all three outputs, B x 24 x 4 H/14 x 4 W/14."""
        normed = [
            norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            for norm, x in zip(self.norms, depths, strict=True)
        ]
        rows, columns = normed[0].shape[2:]
        x = self.deep(self.side(self.channel_dropout(torch.cat(normed, 1))))
        x = self.mix(_double(x))
        sharp = F.interpolate(
            photo, size=(_SHARP * rows, _SHARP * columns), mode="bilinear", align_corners=False
        )
        x = F.relu(_double(self.narrow(x)) + self.stem(sharp))
        return F.relu(self.features(F.relu(self.fine(x))))

    def load_pretrained(self, published: dict[str, torch.Tensor]) -> None:
        """Take the pretrained weights of `vit.published_state`."""
        state = dict(published)
        self.norms[-1].load_state_dict(
            {kind: state.pop(f"norm.{kind}") for kind in ("weight", "bias")}
        )
        self.backbone.load_state_dict(state)

    def parameter_groups(
        self, top: float, decay: float, new: float
    ) -> Iterator[tuple[float, list[nn.Parameter]]]:
        """Groups of weights with their learning rates (layer-wise decay, Bao et al. 2022,
        arXiv:2106.08254).

        top: rate of the last block; each block before it has `decay` times the next one's, the
        patch and position embeddings the lowest. new: rate of everything that is not pretrained.
        """
        blocks = self.backbone.blocks
        deep = {id(weight) for weight in self.backbone.parameters()}
        yield new, [weight for weight in self.parameters() if id(weight) not in deep]
        for number, block in enumerate(blocks):
            yield top * decay ** (len(blocks) - 1 - number), list(block.parameters())
        below = {id(weight) for weight in blocks.parameters()}
        yield (
            top * decay ** len(blocks),
            [w for w in self.backbone.parameters() if id(w) not in below],
        )


def load_averaged(net: Net, *paths: Path) -> Net:
    """The network with trained weights from a file, or the mean of several files, in evaluation
    mode.
    """
    several = [torch.load(path, weights_only=True) for path in paths]
    net.load_state_dict(
        {name: sum(some[name].float() for some in several) / len(several) for name in several[0]}
    )
    return net.eval()


def update_average(average: dict[str, torch.Tensor], net: nn.Module, decay: float) -> None:
    """One step of the weights' exponential moving average, in place."""
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            average[name].mul_(decay).add_(value, alpha=1 - decay)


def cosine_schedule(step: int, steps: int) -> float:
    """Factor of the learning rate: from 1 at the start down to 0 at the end, half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def standardise(photos: torch.Tensor) -> torch.Tensor:
    """uint8 B x H x W x 3 RGB to float32 B x 3 x H x W as the backbone was trained."""
    x = photos.permute(0, 3, 1, 2).float()
    mean, deviation = (
        torch.from_numpy(values).view(1, 3, 1, 1).to(x.device)
        for values in (IMAGENET_MEAN, IMAGENET_DEVIATION)
    )
    return (x - mean) / deviation


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
