"""Style augmentation: random channel statistics and random convolutions while training.

Rendered and real surfaces differ in colour and texture; the networks must not rely on either. What
it gains is in training/EXPERIMENTS.md.
"""

from __future__ import annotations

import math
from typing import Final

import torch
import torch.nn as nn
import torch.nn.functional as F

_NOISE_SPREAD: Final = 0.3  # deviation of the noise on a channel's mean and deviation
_BETA: Final = (
    0.3  # parameter of the Beta distribution: mostly the photo's own style, at most half another's
)
_KERNEL_SIDES: Final = (1, 3, 5)  # sides of a random convolution's kernel
_CONVOLVED_SHARE: Final = 0.5  # share of the photos
_LARGEST_BLEND: Final = 0.8  # largest share of the convolution in such a photo


class MixStyle(nn.Module):
    """MixStyle (Zhou et al. 2021, arXiv:2104.02008) with noise: blends the channel statistics of
    photos.

    While training, half of the photos get each channel's mean and deviation blended with another
    photo's. In use it does nothing.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x C x H x W of any precision, the same shape and precision."""
        if not self.training:
            return x
        y = x.float()
        mean, deviation = _moments(y)
        deviation = deviation + 1e-4
        other = torch.randperm(len(y), device=y.device)
        share = torch.distributions.Beta(_BETA, _BETA).sample((len(y), 1, 1, 1)).to(y.device)
        share = torch.maximum(share, 1 - share)
        aim = share * mean + (1 - share) * mean[other]
        aim = aim + _NOISE_SPREAD * deviation * torch.randn_like(mean)
        wide = share * deviation + (1 - share) * deviation[other]
        wide = wide * torch.exp(_NOISE_SPREAD * torch.randn_like(deviation))
        drawn = torch.rand(len(y), 1, 1, 1, device=y.device) < 0.5
        return torch.where(drawn, (y - mean) / deviation * wide + aim, y).to(x.dtype)


def random_convolution(photos: torch.Tensor) -> torch.Tensor:
    """Standardised photos B x 3 x H x W, half of them blended with a random convolution of
    themselves.

    Each channel keeps its mean and deviation: colours and texture change, shapes remain (RandConv,
    Xu et al. 2021, arXiv:2007.13003).
    """
    count = len(photos)
    side = _KERNEL_SIDES[int(torch.randint(len(_KERNEL_SIDES), ()))]
    kernel = torch.randn(3 * count, 3, side, side, device=photos.device) / math.sqrt(3 * side**2)
    together = photos.reshape(1, 3 * count, *photos.shape[2:])
    other = F.conv2d(together, kernel, padding=side // 2, groups=count).view_as(photos)
    share = _LARGEST_BLEND * torch.rand(count, 1, 1, 1, device=photos.device)
    blended = photos + share * (other - photos)
    mean, deviation = _moments(photos)
    own_mean, own_deviation = _moments(blended)
    styled = (blended - own_mean) / (own_deviation + 1e-3) * deviation + mean
    drawn = torch.rand(count, 1, 1, 1, device=photos.device) < _CONVOLVED_SHARE
    return torch.where(drawn, styled, photos)


def _moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
