"""The click network as the product runs it: the same numbers as `ClickNet`, less work.

Two graphs. What SAM's features and the tokens contribute does not depend on the clicks and is
computed once a photo (`PhotoBranch`). Of the rest (`ClickBranch`), with ONNX Runtime 1.32 on
AVX-512, which works on blocks of 16 channels:

- a convolution of several inputs one after the other in memory is the sum of one of each: joining
  them meant leaving the blocks and coming back;
- all widths are whole blocks.
"""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from segmentation.clicks.features import FINE
from training.click_net import PREVIOUS, ClickNet, double


class PhotoBranch(nn.Module):
    """SAM's features and the wall network's tokens on the network's 64 grid."""

    def __init__(self, net: ClickNet) -> None:
        super().__init__()
        weight = net.sam.weight / net.deviation
        self.sam = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
        _set(self.sam, weight, _bias(net.sam) - (weight * net.mean).sum((1, 2, 3)))
        self.tokens = net.tokens

    def forward(self, embedding: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """B x 256 x h x w, B x 64 x h x w -> B x 48 x h x w."""
        return self.sam(embedding) + self.tokens(tokens)


class ClickBranch(nn.Module):
    """Everything that a click changes."""

    def __init__(self, net: ClickNet) -> None:
        super().__init__()
        self.net = net
        width = net.up128.in_channels - net.maps.out_channels
        # Does nothing but bring the blocks back after the norm: else enlarging leaves them for
        # good.
        self.blocks = nn.Conv2d(width, width, 1)
        _set(self.blocks, torch.eye(width)[:, :, None, None], torch.zeros(width))
        self.up128_coarse, self.up128_fine = _parts(net.up128, width)
        self.up256_coarse, self.up256_fine = _parts(net.up256, net.narrow.out_channels)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """coarse: 1 x 32 x H/2 x W/2, the maps; fine: 1 x 12 x H x W, those of `FINE`; seen:
        1 x 48 x H/4 x W/4 of `PhotoBranch`. Logit 1 x 1 x H x W.
        """
        net = self.net
        a = F.relu(net.maps(coarse))
        b = net.before(F.relu(net.down64(a) + seen))
        b = b + double(net.up64(net.deep(F.relu(net.down32(b)))))
        b = net.after(b)
        c = F.relu(self.up128_coarse(double(self.blocks(b))) + self.up128_fine(a))
        c = F.relu(self.up256_coarse(double(net.narrow(c))) + self.up256_fine(fine))
        previous = FINE.index(PREVIOUS)
        return net.out(c) + net.start * fine[:, previous : previous + 1]


def _parts(conv: nn.Conv2d, first: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Two convolutions whose sum is one of the first channels and the rest."""
    parts = []
    for some, bias in ((conv.weight[:, :first], _bias(conv)), (conv.weight[:, first:], None)):
        part = nn.Conv2d(some.shape[1], some.shape[0], 3, padding=1, bias=bias is not None)
        _set(part, some, bias)
        parts.append(part)
    return parts[0], parts[1]


def _bias(conv: nn.Conv2d) -> torch.Tensor:
    return torch.zeros(conv.out_channels) if conv.bias is None else conv.bias


def _set(conv: nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
    conv.weight.data = weight.detach().clone()
    if bias is not None and conv.bias is not None:
        conv.bias.data = bias.detach().clone()
