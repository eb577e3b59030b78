"""The click network: everything known of a photo and its clicks -> the wall that is meant.

All grids cover MobileSAM's square input: the 256 grid is its mask grid, the 128 grid half of that.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn as nn
import torch.nn.functional as F

from segmentation.click_maps import MAPS
from segmentation.scene import FEATURE_CHANNELS
from training.wall_net import Mix

_WIDTH: Final = 48
_MIDDLE: Final = 24
# What the last, finest step sees besides the coarse answer: all but similarity and scope.
_FINE: Final = (*range(3), *range(3, 5), *range(7, 13), *range(13, 16))


class ClickNet(nn.Module):
    """U-shaped: 256 grid -> 128 -> 64 with growing dilation -> back. Starts as the wall logit."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = nn.Conv2d(FEATURE_CHANNELS, _MIDDLE, 1)
        self.maps = nn.Conv2d(MAPS, _MIDDLE, 3, padding=1)
        self.down = nn.Conv2d(_MIDDLE, _WIDTH, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList([Mix(_WIDTH, d, 0.05) for d in (1, 2, 4, 8)])
        self.up128 = nn.Conv2d(_WIDTH + _MIDDLE, 20, 3, padding=1)
        self.up256 = nn.Conv2d(20 + len(_FINE), 14, 3, padding=1)
        self.out = nn.Conv2d(14, 1, 1)
        self.start = nn.Parameter(torch.tensor(2.0))
        nn.init.zeros_(self.out.weight)
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def prepare(self, features: torch.Tensor) -> torch.Tensor:
        """The photo's share of the 128 grid, whatever the clicks: B x 24 x 128 x 128."""
        return self.scene(features)

    def forward(self, maps: torch.Tensor, prepared: torch.Tensor) -> torch.Tensor:
        """maps: B x 19 x 256 x 256; prepared: of `prepare`. Logit B x 1 x 256 x 256."""
        a = F.relu(self.maps(F.avg_pool2d(maps, 2)) + prepared)
        b = F.relu(self.down(a))
        for block in self.blocks:
            b = block(b)
        b = F.relu(self.up128(torch.cat([_double(b), a], 1)))
        b = F.relu(self.up256(torch.cat([_double(b), maps[:, _FINE]], 1)))
        return self.out(b) + self.start * maps[:, :1]


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
