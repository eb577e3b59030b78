"""Add to a wall network's weights what its tokens are reduced by: their principal components on our rooms.

    python -m training.token_basis WALLS.pt --rooms DIR [DIR ...] [--photos 150]
    python -m training.token_basis WALLS.pt --like OTHER.pt

Each photo's tokens are taken about their own mean, as in use; no label is looked at. Writes the file anew. --like
takes the basis of other weights: a click network that learnt with these knows no other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from segmentation.wall_net_io import TOKEN_CHANNELS, wall_net_input
from training.rooms import Room, load_folders
from training.vit import WIDTH
from training.wall_net import WallNet, with_weights


@torch.no_grad()
def token_basis(net: WallNet, rooms: list[Room]) -> tuple[torch.Tensor, float]:
    """The 64 x 384 directions of most variance, scaled to tokens of unit mean square, and their share of it."""
    scatter, count = torch.zeros(WIDTH, WIDTH, dtype=torch.float64), 0
    for room in rooms:
        _, alike = net.backbone(torch.from_numpy(wall_net_input(room.photo)))
        tokens = alike[0].flatten(1).double()
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
    options = parser.parse_args()
    net = with_weights(WallNet(), options.walls)
    if options.like is not None:
        net.basis[:] = torch.load(options.like, weights_only=True)["basis"]
    else:
        rooms = load_folders(options.rooms)
        chosen = np.linspace(0, len(rooms) - 1, min(options.photos, len(rooms))).round().astype(int)
        net.basis[:], share = token_basis(net, [rooms[k] for k in chosen])
        print(f"{TOKEN_CHANNELS} of {WIDTH} directions hold {share:.3f} of the tokens' variance")
    torch.save(net.state_dict(), options.walls)


if __name__ == "__main__":
    main()
