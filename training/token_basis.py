"""Add to a wall network's weights the principal components of its tokens on our rooms.

    python -m training.token_basis WALLS.pt --rooms DIR [DIR ...] [--photos 150] [--out FILE]
    python -m training.token_basis WALLS.pt --like OTHER.pt [--out FILE]

Each photo's tokens are taken about their own mean, as in use; no label is read. Writes FILE, or
WALLS.pt anew. --like takes the basis of other weights: a click network trained with that basis can
read no other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from segmentation.wall_net_io import TOKEN_CHANNELS, wall_net_input
from training.dataset import Sample, load_folders
from training.vit import WIDTH
from training.wall_net import WallNet, load_averaged


@torch.no_grad()
def token_basis(net: WallNet, samples: list[Sample]) -> tuple[torch.Tensor, float]:
    """The 64 directions of most variance, float32 64 x 384, and the share of the variance that they
    hold.

    Scaled so that the tokens' mean square is 1.
    """
    scatter, count = torch.zeros(WIDTH, WIDTH, dtype=torch.float64), 0
    for sample in samples:
        _, mid_tokens = net.backbone(torch.from_numpy(wall_net_input(sample.photo)))
        tokens = mid_tokens[0].flatten(1).double()
        tokens -= tokens.mean(1, keepdim=True)
        scatter += tokens @ tokens.T
        count += tokens.shape[1]
    variances, directions = torch.linalg.eigh(scatter / count)
    most = variances[-TOKEN_CHANNELS:]
    basis = directions[:, -TOKEN_CHANNELS:].T / torch.sqrt(most.mean())
    return basis.flip(0).float(), float(most.sum() / variances.sum())


def main() -> None:
    """Read the weights, compute, write them back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("walls", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--rooms", type=Path, nargs="+")
    source.add_argument("--like", type=Path)
    parser.add_argument("--photos", type=int, default=150)
    parser.add_argument("--out", type=Path, help="default: the weights are written anew")
    options = parser.parse_args()
    net = load_averaged(WallNet(), options.walls)
    if options.like is not None:
        net.basis[:] = torch.load(options.like, weights_only=True)["basis"]
    else:
        samples = load_folders(options.rooms)
        chosen = (
            np.linspace(0, len(samples) - 1, min(options.photos, len(samples))).round().astype(int)
        )
        net.basis[:], share = token_basis(net, [samples[k] for k in chosen])
        print(f"{TOKEN_CHANNELS} of {WIDTH} directions hold {share:.3f} of the tokens' variance")
    torch.save(net.state_dict(), options.out or options.walls)


if __name__ == "__main__":
    main()
