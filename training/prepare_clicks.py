"""Rendered rooms -> click samples: an augmented view and a pool of clicks decoded by SAM.

    python -m training.prepare_clicks --rooms DIR --walls wall_net.pt --models var/models --out CACHE
        [--only 5060-5090 5260-5290] [--variants oab] [--part 0/1]

Uses the product's own MobileSAM and wall head, so that the click network learns from what it will be
given; the wall network only says where clicks are likely to be needed. The rooms must be ones that the wall network did NOT train on: of its own training rooms it
is too sure, and the click network would learn to trust it too much. They are those held back and
those named by --only. A finished sample is skipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from segmentation import Click, SamModel
from segmentation.decoder import Decoder
from segmentation.sam_wall import SamWallHead
from segmentation.scene import SCENE_SHAPE, on_scene_grid, scene_input, wall_of
from segmentation.wall import HEADS_DIRECTORY
from training.augment import cut_pieces
from training.rooms import WALL, Uint8, is_held_back, is_in, load_folders
from training.samples import dice_of, extent_on, keep, on_square, view_of
from training.wall_net import WallNet, with_weights

_SIDE: Final = 256
_WALL_POINTS: Final = (2, 1, 1)  # on the largest, second and third plane
_LEAST_CELLS: Final = 30
MASK_STEPS: Final = 12  # SAM logits are kept as int8 in twelfths

Points = list[tuple[int, int]]


def deep_point(
    region: npt.NDArray[np.bool_], rng: np.random.Generator, depth: float, *, largest: bool = True
) -> tuple[int, int] | None:
    """A cell (x, y) well inside one connected part of a region, as a person would click.

    depth: least share of the part's greatest distance to its border. None for a tiny region.
    """
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=8
    )
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA].astype(float)
    part = 1 + int(np.argmax(areas) if largest else rng.choice(count - 1, p=areas / areas.sum()))
    if areas[part - 1] < _LEAST_CELLS:
        return None
    inside = np.pad(parts == part, 1).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ys, xs = np.nonzero(distance >= depth * distance.max())
    k = int(rng.integers(len(xs)))
    return int(xs[k]), int(ys[k])


class Sam:
    """MobileSAM as the product runs it, without the networks that are being trained."""

    def __init__(self, directory: Path) -> None:
        self.model = SamModel.load(
            directory, encoder_threads=1, decoder_threads=1, heads_directory=None
        )
        self.decoder = Decoder(self.model.description.decoder, threads=1)
        files = (HEADS_DIRECTORY / "wall_head.onnx", HEADS_DIRECTORY / "embedding_stats.npz")
        self.head = SamWallHead(*files, sha256=None, threads=1)


class Pool:
    """The clicks of one sample, each decoded alone."""

    def __init__(self, sam: Sam, photo: Uint8) -> None:
        self.sam, self.photo = sam, photo
        self.embedding = sam.model.encode(photo)
        self.points: Points = []
        self.masks: list[npt.NDArray[np.int8]] = []
        self.similar: list[npt.NDArray[np.int8]] = []
        self.best: list[npt.NDArray[np.bool_]] = []

    def add(self, point: tuple[int, int] | None) -> None:
        """Decode the photo pixel under a cell of the 256 grid; nothing for None or a repeat."""
        if point is None or point in self.points:
            return
        [(x, y)] = self.embedding.grid.mask_to_photo([point])
        height, width = self.photo.shape[:2]
        click = Click(float(np.clip(x, 0, width - 1)), float(np.clip(y, 0, height - 1)), 1)
        seen = self.sam.decoder.decode_alone(self.embedding, click)
        similar = self.sam.head.similarity(self.embedding, *(float(v) for v in point))
        masks = seen.candidates[1:].astype(np.float32)
        self.points.append(point)
        self.masks.append(np.clip(np.rint(masks * MASK_STEPS), -127, 127).astype(np.int8))
        self.similar.append(np.rint(similar * 127).astype(np.int8))
        self.best.append(masks[int(np.argmax(seen.scores[1:]))] > 0)


def fill_pool(
    pool: Pool,
    is_wall: npt.NDArray[np.bool_],
    planes: Uint8,
    guess: npt.NDArray[np.bool_],
    valid: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Clicks a person might make: on each plane, and where the first guess or SAM is wrong."""
    numbers, sizes = np.unique(planes[is_wall], return_counts=True)
    by_size = [int(numbers[k]) for k in np.argsort(-sizes) if numbers[k]]
    for plane, points in zip(by_size, _WALL_POINTS, strict=False):
        for k in range(points):
            pool.add(deep_point(is_wall & (planes == plane), rng, 0.2 if k else 0.6))
    pool.add(deep_point(is_wall & ~guess, rng, 0.4))
    pool.add(deep_point(is_wall & ~guess, rng, 0.3, largest=False))
    spilled = np.logical_or.reduce(pool.best) if pool.best else guess
    pool.add(deep_point(guess & ~is_wall & valid, rng, 0.5))
    pool.add(deep_point(guess & ~is_wall & valid, rng, 0.3, largest=False))
    pool.add(deep_point(spilled & ~is_wall & valid, rng, 0.4))
    pool.add(deep_point(valid & ~is_wall, rng, 0.3, largest=False))


def load_walls(path: Path) -> WallNet:
    """A trained wall network, for use."""
    return with_weights(WallNet(pretrained=False).to(memory_format=torch.channels_last), path)


@torch.no_grad()
def scene_of(net: WallNet, photo: Uint8) -> npt.NDArray[np.float32]:
    """The scene float32 33 x 128 x 128 as the product will make it from the exported network."""
    picture, extent = scene_input(photo)
    picture_cl = torch.from_numpy(picture).contiguous(memory_format=torch.channels_last)
    scene = on_scene_grid(net.scene(picture_cl)[0].numpy(), extent)
    if scene.shape != SCENE_SHAPE:
        raise SystemExit(f"The network's scene is {scene.shape}, the product reads {SCENE_SHAPE}.")
    return scene


def sample(
    sam: Sam, net: WallNet, view: tuple[Uint8, Uint8, Uint8], rng: np.random.Generator
) -> dict[str, Any] | None:
    """The arrays of one sample, or None when hardly any wall is in view."""
    photo, labels, planes = view
    share = on_square((labels == WALL).astype(np.float32), _SIDE, cv2.INTER_AREA)
    plane = on_square(planes, _SIDE, cv2.INTER_NEAREST)
    h, w = extent_on(_SIDE, labels.shape)
    valid = np.zeros((_SIDE, _SIDE), bool)
    valid[:h, :w] = True
    is_wall = share > 0.5
    if is_wall.sum() < 400:
        return None
    guess = wall_of(scene_of(net, photo)) > 0
    pool = Pool(sam, photo)
    fill_pool(pool, is_wall, plane, guess & valid, valid, rng)
    return {
        "photo": photo,
        "sam_wall": sam.head.view(pool.embedding).logit.astype(np.float16),
        "rgb": pool.embedding.thumbnail,
        "share": np.rint(share * 255).astype(np.uint8),
        "planes": plane,
        "extent": np.array([h, w]),
        "points": np.array(pool.points, np.int16).reshape(-1, 2),
        "masks": np.array(pool.masks, np.int8).reshape(-1, 3, _SIDE, _SIDE),
        "similar": np.array(pool.similar, np.int8).reshape(-1, 64, 64),
    }


def main() -> None:
    """Prepare every room in every variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=Path, required=True, nargs="+")
    parser.add_argument("--walls", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[], metavar="FIRST-END")
    parser.add_argument("--variants", default="o")
    parser.add_argument("--part", default="0/1", help="K/N: every Nth room from the Kth")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    net = load_walls(options.walls)
    sam = Sam(options.models)
    rooms = load_folders(options.rooms)
    pieces = cut_pieces(rooms)
    rooms = [room for room in rooms if is_held_back(room) or is_in(room, options.only)]
    first, every = (int(part) for part in options.part.split("/"))
    for variant in options.variants:
        for room in rooms[first::every]:
            path = options.out / f"{room.name}_{variant}.npz"
            if path.exists():
                continue
            rng = dice_of(room, variant)
            found = sample(sam, net, view_of(room, pieces, variant, rng), rng)
            if found is not None:
                keep(path, found)
                print(path.stem, len(found["points"]), flush=True)


if __name__ == "__main__":
    main()
