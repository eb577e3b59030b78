"""Other styles while learning: what tells rendered surfaces from real ones must not be leant on.

On photos, which the networks never learn from, the wall network's walls have IoU 0.62 without any of it, 0.66 with
channels restyled at the patches, 0.70 with all of it (docs/models.md).
"""

from __future__ import annotations

import math
from typing import Final

import torch
import torch.nn as nn
import torch.nn.functional as F

_STRENGTH: Final = 0.3  # of what is drawn for a channel's mean and deviation
_BLEND: Final = 0.3  # Beta's parameter: mostly the photo's own style, at most half another's
_SIDES: Final = (1, 3, 5)  # of a random convolution
_CONVOLVED: Final = 0.5  # share of the photos
_MOST_CONVOLVED: Final = 0.8  # of what such a photo shows then


class Restyle(nn.Module):
    """While learning, half of the photos get their channels' mean and deviation blended with another's.

    And disturbed by chance (MixStyle, Zhou et al. 2021, arXiv:2104.02008).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x C x H x W of any precision, the same when in use."""
        if not self.training:
            return x
        y = x.float()
        mean, deviation = _moments(y)
        deviation = deviation + 1e-4
        other = torch.randperm(len(y), device=y.device)
        share = torch.distributions.Beta(_BLEND, _BLEND).sample((len(y), 1, 1, 1)).to(y.device)
        share = torch.maximum(share, 1 - share)
        aim = share * mean + (1 - share) * mean[other]
        aim = aim + _STRENGTH * deviation * torch.randn_like(mean)
        wide = share * deviation + (1 - share) * deviation[other]
        wide = wide * torch.exp(_STRENGTH * torch.randn_like(deviation))
        drawn = torch.rand(len(y), 1, 1, 1, device=y.device) < 0.5
        return torch.where(drawn, (y - mean) / deviation * wide + aim, y).to(x.dtype)


def convolved(photos: torch.Tensor) -> torch.Tensor:
    """Standardised photos B x 3 x H x W, half of them blended with a random convolution of theirs.

    Mean and deviation of each channel stay. Colours and texture become others, forms remain (RandConv, Xu et
    al. 2021, arXiv:2007.13003).
    """
    count = len(photos)
    side = _SIDES[int(torch.randint(len(_SIDES), ()))]
    kernel = torch.randn(3 * count, 3, side, side, device=photos.device) / math.sqrt(3 * side**2)
    together = photos.reshape(1, 3 * count, *photos.shape[2:])
    other = F.conv2d(together, kernel, padding=side // 2, groups=count).view_as(photos)
    share = _MOST_CONVOLVED * torch.rand(count, 1, 1, 1, device=photos.device)
    blended = photos + share * (other - photos)
    mean, deviation = _moments(photos)
    own_mean, own_deviation = _moments(blended)
    styled = (blended - own_mean) / (own_deviation + 1e-3) * deviation + mean
    drawn = torch.rand(count, 1, 1, 1, device=photos.device) < _CONVOLVED
    return torch.where(drawn, styled, photos)


def _moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
