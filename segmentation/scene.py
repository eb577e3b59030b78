"""How a photo is shown to the wall network, and what the network's answer is.

The network answers on a grid of a quarter of its input; the answer is laid on half of SAM's mask
grid. `training/` uses the same functions.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import MASK_SIDE, FloatArray

SCENE_SIDE: Final = MASK_SIDE // 2
PLANE_CHANNELS: Final = 8
SCENE_SHAPE: Final = (1 + PLANE_CHANNELS, SCENE_SIDE, SCENE_SIDE)

# Trained on windows cut from 640-pixel photos, most of them enlarged; whole photos are read best at
# about the scale of those (docs/models.md has the figures).
_LONG_SIDE: Final = 768
STRIDE: Final = 4
_MULTIPLE: Final = 32
# RGB, 0..255: ImageNet's statistics, which SAM's encoder was trained with as well.
IMAGENET_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32) * 255
IMAGENET_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32) * 255


def scene_input(photo: npt.NDArray[np.uint8]) -> tuple[FloatArray, tuple[int, int]]:
    """The network's input float32 1 x 3 x h x w, and the photo's (rows, columns) in its answer.

    photo: uint8 H x W x 3 RGB. Resized to a long side of 768, standardised as ImageNet's networks
    are, edges repeated up to multiples of 32.
    """
    height, width = photo.shape[:2]
    scale = _LONG_SIDE / max(height, width)
    h, w = max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(photo, (w, h), interpolation=way)
    below, right = -h % _MULTIPLE, -w % _MULTIPLE
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    standard = (padded.astype(np.float32) - IMAGENET_MEAN) / IMAGENET_DEVIATION
    return np.ascontiguousarray(standard.transpose(2, 0, 1)[None]), (
        -(-h // STRIDE),
        -(-w // STRIDE),
    )


def on_scene_grid(found: npt.NDArray[np.floating], extent: tuple[int, int]) -> FloatArray:
    """The network's answer C x h x w on the padded square, C x 128 x 128, zero off the photo."""
    ratio = SCENE_SIDE * STRIDE / _LONG_SIDE
    rows, columns = (min(SCENE_SIDE, max(1, round(side * ratio))) for side in extent)
    scene = np.zeros((found.shape[0], SCENE_SIDE, SCENE_SIDE), np.float32)
    for channel, answer in zip(scene, found, strict=True):
        part = np.asarray(answer[: extent[0], : extent[1]], np.float32)
        channel[:rows, :columns] = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return scene


def wall_of(scene: FloatArray) -> FloatArray:
    """The wall logit of a scene on the mask grid, float32 256 x 256."""
    return enlarge(scene[0])


def planes_of(scene: FloatArray) -> FloatArray:
    """The plane vectors of a scene, 8 x 128 x 128: near each other on one plane, else apart."""
    return scene[1:]


def enlarge(grid: FloatArray) -> FloatArray:
    """A map of a coarser square grid on the mask grid, bilinear."""
    large = cv2.resize(grid, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
