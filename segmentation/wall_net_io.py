"""The wall network's input, made from a photo, and its outputs on SAM's grids.

The network reads patches of 14 x 14 pixels. Its wall maps (a wall logit and plane vectors) lie on a
grid four times as fine, resampled to half of SAM's mask grid; its tokens are one a patch.
`training/` uses the same functions.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import MASK_SIDE, FloatArray

WALL_MAPS_SIDE: Final = MASK_SIDE // 2
PLANE_CHANNELS: Final = 8
WALL_MAPS_SHAPE: Final = (1 + PLANE_CHANNELS, WALL_MAPS_SIDE, WALL_MAPS_SIDE)

# 33 patches. Walls of photos come out better so than with 37, which its encoder learnt with last,
# for less work.
_LONG_SIDE: Final = 462
_PATCH: Final = 14
TOKEN_CHANNELS: Final = 64
TOKEN_SHAPE: Final = (TOKEN_CHANNELS, _LONG_SIDE // _PATCH, _LONG_SIDE // _PATCH)
# RGB, 0..255: ImageNet's statistics, which the network's encoder was trained with.
IMAGENET_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32) * 255
IMAGENET_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32) * 255


def wall_net_input(photo: npt.NDArray[np.uint8], size: tuple[int, int] | None = None) -> FloatArray:
    """The network's input float32 1 x 3 x h x w, both sides multiples of 14.

    photo: uint8 H x W x 3 RGB. Resized to a long side of 462, the other to the nearest multiple,
    standardised as ImageNet's networks are. size: (height, width) of the whole photo, where it
    comes halved: the patches are counted by these.
    """
    h, w = (patches * _PATCH for patches in token_grid(*(size or photo.shape[:2])))
    way = cv2.INTER_AREA if max(photo.shape[:2]) > _LONG_SIDE else cv2.INTER_LINEAR
    small = cv2.resize(photo, (w, h), interpolation=way)
    standard = (small.astype(np.float32) - IMAGENET_MEAN) / IMAGENET_DEVIATION
    return np.ascontiguousarray(standard.transpose(2, 0, 1)[None])


def token_grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of patches that the network reads of a photo."""
    longer = max(height, width)
    rows, columns = (
        max(1, round(side * _LONG_SIDE / (longer * _PATCH))) for side in (height, width)
    )
    return rows, columns


def on_token_square(tokens: npt.NDArray[np.floating]) -> FloatArray:
    """A photo's tokens 64 x rows x columns in the top left of 64 x 33 x 33, zero elsewhere."""
    square = np.zeros(TOKEN_SHAPE, np.float32)
    square[:, : tokens.shape[1], : tokens.shape[2]] = tokens
    return square


def on_wall_maps_grid(found: npt.NDArray[np.floating], height: int, width: int) -> FloatArray:
    """Wall maps C x h x w of a photo of height x width as C x 128 x 128, zero off the photo."""
    longer = max(height, width)
    rows, columns = (max(1, round(side * WALL_MAPS_SIDE / longer)) for side in (height, width))
    wall_maps = np.zeros((found.shape[0], WALL_MAPS_SIDE, WALL_MAPS_SIDE), np.float32)
    for channel, plane in zip(wall_maps, found, strict=True):
        part = np.asarray(plane, np.float32)
        channel[:rows, :columns] = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return wall_maps


def wall_of(wall_maps: FloatArray) -> FloatArray:
    """The wall logit of wall maps on the mask grid, float32 256 x 256."""
    return enlarge(wall_maps[0])


def planes_of(wall_maps: FloatArray) -> FloatArray:
    """The plane vectors of wall maps, 8 x 128 x 128: near each other on one plane, else apart."""
    return wall_maps[1:]


def enlarge(grid: FloatArray) -> FloatArray:
    """A map of a coarser square grid on the mask grid, bilinear."""
    large = cv2.resize(grid, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
