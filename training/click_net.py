"""The click network: a mask, its newest click and what is known of both -> the mask meant.

All grids are MobileSAM's, cut to what the photo covers: the 256 grid is its mask grid, the 64 grid
its features'. What lies beside the photo would be SAM's guess, and feed back from click to click.
It reads SAM's own embedding and tokens from the middle of the wall network's encoder: later ones
say the wall network's opinion once more, right or wrong.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn as nn
import torch.nn.functional as F

from segmentation.clicks.features import FINE, MAPS
from segmentation.wall_net_io import TOKEN_CHANNELS
from training.wall_net import Mix

_FINE_WIDTH: Final = 32
_WIDTH: Final = 48
_DEEP_WIDTH: Final = 80
_NEAR_WIDTH: Final = 32
_NARROW: Final = 16
_LAST_WIDTH: Final = 16
PREVIOUS: Final = 2  # the map of the mask so far


class ClickNet(nn.Module):
    """U-shaped: 256 grid -> 128 -> 64 -> 32 -> back. Starts as the mask so far."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(MAPS, _FINE_WIDTH, 3, padding=1)
        self.down64 = nn.Conv2d(_FINE_WIDTH, _WIDTH, 3, stride=2, padding=1)
        self.sam = nn.Conv2d(256, _WIDTH, 1)
        self.tokens = nn.Conv2d(TOKEN_CHANNELS, _WIDTH, 1, bias=False)
        self.before = Mix(_WIDTH, 1, 0.05)
        self.down32 = nn.Conv2d(_WIDTH, _DEEP_WIDTH, 3, stride=2, padding=1)
        self.deep = nn.Sequential(*[Mix(_DEEP_WIDTH, d, 0.05) for d in (1, 2, 4)])
        self.up64 = nn.Conv2d(_DEEP_WIDTH, _WIDTH, 1)
        self.after = nn.Sequential(*[Mix(_WIDTH, d, 0.05) for d in (2, 1)])
        self.up128 = nn.Conv2d(_WIDTH + _FINE_WIDTH, _NEAR_WIDTH, 3, padding=1)
        self.narrow = nn.Conv2d(_NEAR_WIDTH, _NARROW, 1)
        self.up256 = nn.Conv2d(_NARROW + len(FINE), _LAST_WIDTH, 3, padding=1)
        self.out = nn.Conv2d(_LAST_WIDTH, 1, 1)
        self.start = nn.Parameter(torch.tensor(3.0))
        # SAM's features as the product's files give them: standardised once the data are known.
        self.register_buffer("mean", torch.zeros(1, 256, 1, 1))
        self.register_buffer("deviation", torch.ones(1, 256, 1, 1))
        nn.init.zeros_(self.out.weight)
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def forward(
        self, maps: torch.Tensor, embedding: torch.Tensor, tokens: torch.Tensor
    ) -> torch.Tensor:
        """maps: B x 32 x H x W; embedding: B x 256 x H/4 x W/4; tokens: B x 64 x H/4 x W/4.

        Logit B x 1 x H x W. The part of the grids that the photo covers; H and W are multiples of
        8.
        """
        a = F.relu(self.maps(F.avg_pool2d(maps, 2)))
        seen = self.sam((embedding - self.mean) / self.deviation) + self.tokens(tokens)
        b = self.before(F.relu(self.down64(a) + seen))
        b = b + double(self.up64(self.deep(F.relu(self.down32(b)))))
        b = self.after(b)
        c = F.relu(self.up128(torch.cat([double(b), a], 1)))
        c = F.relu(self.up256(torch.cat([double(self.narrow(c)), maps[:, FINE]], 1)))
        return self.out(c) + self.start * maps[:, PREVIOUS : PREVIOUS + 1]


def double(x: torch.Tensor) -> torch.Tensor:
    """Twice as large, bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
