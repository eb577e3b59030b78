"""The wall network: a photo -> where its walls are, which of their pixels share a plane, what is alike.

DINOv2's small vision transformer (`vit.py`; Oquab et al. 2024, Apache 2.0), taught on: what it knows of real
photos lets walls that were learnt on rendered rooms be found in photos (docs/models.md has what other
encoders reached). Tokens of four depths are mixed with the whole photo in view and brought to four times
their grid; a few plain convolutions of the photo draw the edges. Tokens of one depth, reduced to their
principal components on our rooms (`token_basis.py`), go on to the click network.
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
from training.rooms import CLASSES
from training.style_augmentation import Restyle
from training.vit import WIDTH, VisionTransformer

Net = TypeVar("Net", bound=nn.Module)

_WIDTH: Final = 96
_NARROW: Final = 32
_FEATURES: Final = 24
_DEPTHS: Final = 4
_STEM: Final = 24
_SHARP: Final = 8  # pixels of the photo that a token's place is drawn from, each way


class Mix(nn.Module):
    """3 x 3 convolution, dilated if asked, with the photo's mean added to every cell."""

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

    drop: the share of photos that a block is left out for while learning.
    """

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.backbone = VisionTransformer(drop)
        self.backbone.restyle = Restyle()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(_DEPTHS))
        self.side = nn.Conv2d(_DEPTHS * WIDTH, _WIDTH, 1)
        self.silence = nn.Dropout2d(0.1)
        self.deep = nn.Sequential(*[Mix(_WIDTH, d) for d in (1, 2, 4)])
        self.mix = Mix(_WIDTH)
        self.narrow = nn.Conv2d(_WIDTH, _NARROW, 1)
        self.stem = nn.Sequential(
            nn.Conv2d(3, _STEM, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(_STEM, _NARROW, 3, padding=1),
            Restyle(),
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
        x = self._read(photo, self.backbone(photo)[0])
        return self.wall(x), self.classes(x), self.planes(x)

    def scene_and_tokens(self, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the product keeps of a photo: its scene and its tokens.

        Wall logit and plane vectors, B x 9 x 4 H/14 x 4 W/14; tokens about their mean, B x 64 x H/14 x W/14.
        """
        told, alike = self.backbone(photo)
        x = self._read(photo, told)
        about = alike - alike.mean((2, 3), keepdim=True)
        tokens = (about.permute(0, 2, 3, 1) @ self.basis.T).permute(0, 3, 1, 2)
        return torch.cat([self.wall(x), self.planes(x)], 1), tokens

    def _read(self, photo: torch.Tensor, depths: list[torch.Tensor]) -> torch.Tensor:
        """The features that all answers are read from, B x 24 x 4 H/14 x 4 W/14."""
        told = [
            norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            for norm, x in zip(self.norms, depths, strict=True)
        ]
        rows, columns = told[0].shape[2:]
        x = self.deep(self.side(self.silence(torch.cat(told, 1))))
        x = self.mix(_double(x))
        sharp = F.interpolate(
            photo, size=(_SHARP * rows, _SHARP * columns), mode="bilinear", align_corners=False
        )
        x = F.relu(_double(self.narrow(x)) + self.stem(sharp))
        return F.relu(self.features(F.relu(self.fine(x))))

    def begin(self, published: dict[str, torch.Tensor]) -> None:
        """Take the pretrained weights of `vit.published_state`."""
        state = dict(published)
        self.norms[-1].load_state_dict(
            {kind: state.pop(f"norm.{kind}") for kind in ("weight", "bias")}
        )
        self.backbone.load_state_dict(state)

    def rates(
        self, top: float, decay: float, new: float
    ) -> Iterator[tuple[float, list[nn.Parameter]]]:
        """Every weight with its learning rate: `new` for what is not pretrained.

        top: of the last block; each one before it learns `decay` times as fast, the patches and places
        slowest (Bao et al. 2022, arXiv:2106.08254).
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


def with_weights(net: Net, *paths: Path) -> Net:
    """The network with trained weights from a file, or the mean of several, for use."""
    several = [torch.load(path, weights_only=True) for path in paths]
    net.load_state_dict(
        {name: sum(some[name].float() for some in several) / len(several) for name in several[0]}
    )
    return net.eval()


def blend(average: dict[str, torch.Tensor], net: nn.Module, decay: float) -> None:
    """Move the running average of the weights a step towards the network's, in place."""
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            average[name].mul_(decay).add_(value, alpha=1 - decay)


def cosine(step: int, steps: int) -> float:
    """The learning rate's course: from 1 at the start down to 0 at the end."""
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
