"""Augmentation of samples: crops, repainted walls, pasted furniture, other cameras and other light.

The networks never see the same pixels twice, so a few hundred rooms last for many epochs.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from training.dataset import CEILING, DOOR, FLAT, OBJECT, WALL, Sample, Uint8

Float32 = npt.NDArray[np.float32]
View = tuple[Uint8, Uint8, Uint8]  # photo, labels, planes

_LEAST_WALL: Final = 0.02
_PIECE_SHARE: Final = (0.003, 0.15)
_REFINISHED_OBJECTS: Final = 8  # of a photo, the largest


def augment(
    sample: Sample,
    pieces: list[tuple[Uint8, Uint8]],
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    closest: float = 0.45,
) -> View:
    """An augmented view of a sample: photo uint8 h x w x 3 RGB, labels and planes uint8 h x w.

    pieces: cut-outs from other samples, see `cut_pieces`. size: (height, width) of the result.
    closest: the smallest share of the photo's sides that a crop may have.
    """
    photo, labels, planes = _crop(sample, size, closest, rng)
    if rng.random() < 0.5:
        photo, labels, planes = photo[:, ::-1], labels[:, ::-1], planes[:, ::-1]
    colour = photo.astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        colour = _repaint(colour, labels, planes, rng)
    if rng.random() < 0.5:
        _refinish(colour, labels, rng)
    labels, planes = labels.copy(), planes.copy()
    if rng.random() < 0.4 and pieces:
        for _ in range(int(rng.integers(1, 5))):
            _paste(colour, labels, planes, pieces[int(rng.integers(len(pieces)))], rng)
    return _camera(colour, rng), labels, planes


def cut_pieces(samples: list[Sample]) -> list[tuple[Uint8, Uint8]]:
    """Pieces of furniture, each a photo cut-out uint8 h x w x 3 and its mask uint8 h x w (0, 1)."""
    pieces = []
    for sample in samples:
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            (sample.labels == OBJECT).astype(np.uint8), connectivity=4
        )
        for part in range(1, count):
            x, y, w, h, area = stats[part]
            if _PIECE_SHARE[0] < area / sample.labels.size < _PIECE_SHARE[1] and min(w, h) > 12:
                mask = (parts[y : y + h, x : x + w] == part).astype(np.uint8)
                pieces.append((sample.photo[y : y + h, x : x + w].copy(), mask))
    return pieces


def _crop(sample: Sample, size: tuple[int, int], closest: float, rng: np.random.Generator) -> View:
    """A random window of the wanted shape, the whole photo at times; enlarged or reduced to fit."""
    height, width = sample.labels.shape
    for _ in range(4):
        scale = 1.0 if rng.random() < 0.4 else rng.uniform(closest, 1.0)
        stretch = np.exp(rng.normal(0, 0.06))
        fit = min(height / size[0], width / size[1]) * scale
        h, w = min(height, round(size[0] * fit * stretch)), min(width, round(size[1] * fit))
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        window = (slice(y, y + h), slice(x, x + w))
        if (sample.labels[window] == WALL).mean() > _LEAST_WALL:
            break
    shape = (size[1], size[0])
    way = cv2.INTER_AREA if h > size[0] else cv2.INTER_LINEAR
    photo = cv2.resize(sample.photo[window], shape, interpolation=way)
    labels = cv2.resize(sample.labels[window], shape, interpolation=cv2.INTER_NEAREST)
    planes = cv2.resize(sample.planes[window], shape, interpolation=cv2.INTER_NEAREST)
    return photo.astype(np.uint8), labels.astype(np.uint8), planes.astype(np.uint8)


def _repaint(colour: Float32, labels: Uint8, planes: Uint8, rng: np.random.Generator) -> Float32:
    """Other paint on walls, ceiling and furniture: each region's colour times a random one.

    At times everything nears white or one grey: walls must also be found by shape alone.
    """
    out = colour.copy()
    regions = [planes == plane for plane in np.unique(planes) if plane]
    if len(regions) > 1 and rng.random() < 0.4:
        regions = [np.logical_or.reduce(regions)]
    regions.append(labels == CEILING)
    for region in regions:
        if rng.random() < 0.6 and region.any():
            mean = out[region].mean(0)
            aim = rng.uniform(0.08, 0.95) * np.exp(rng.normal(0, 0.12, 3))
            gain = np.clip(aim / np.maximum(mean, 0.03), 0.25, 4)
            out[region] = out[region] * gain.astype(np.float32)
    if rng.random() < 0.25:
        share = rng.uniform(0.3, 1.0)
        grey = out.mean(2, keepdims=True)
        out = out + share * (grey + rng.uniform(0, 0.3) * (grey.mean() - grey) - out)
    return np.clip(out, 0, 1).astype(np.float32)


def _refinish(colour: Float32, labels: Uint8, rng: np.random.Generator) -> None:
    """Other finishes on furniture, doors and pictures, in place; half in the walls' mean colour.

    Cupboards as white as the wall beside them are what photos' walls are most often taken for.
    """
    wall = colour[labels == WALL].mean(0) if (labels == WALL).any() else colour.mean((0, 1))
    objects = np.isin(labels, (DOOR, OBJECT, FLAT)).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(objects, connectivity=4)
    large = 1 + np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:_REFINISHED_OBJECTS]
    for part in large:
        if rng.random() < 0.5:
            continue
        region = parts == part
        aim = (
            wall * np.exp(rng.normal(0, 0.08)) if rng.random() < 0.5 else rng.uniform(0.05, 0.9, 3)
        )
        gain = np.clip(aim / np.maximum(colour[region].mean(0), 0.03), 0.25, 4).astype(np.float32)
        painted = colour[region] * gain
        if rng.random() < 0.4:
            painted = painted * _grain(labels.shape, rng)[region][:, None]
        colour[region] = np.clip(painted, 0, 1)


def _grain(shape: tuple[int, ...], rng: np.random.Generator) -> Float32:
    """A smooth random pattern about 1, float32 h x w: often longer one way, as wood is."""
    height, width = shape
    cells = np.exp(rng.uniform(np.log(2), np.log(48), 2))
    rows, columns = max(2, round(height / cells[0])), max(2, round(width / cells[1]))
    noise = rng.normal(0, rng.uniform(0.03, 0.25), (rows, columns)).astype(np.float32)
    return np.exp(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR))


def _paste(
    colour: Float32,
    labels: Uint8,
    planes: Uint8,
    piece: tuple[Uint8, Uint8],
    rng: np.random.Generator,
) -> None:
    """Put a foreign piece of furniture somewhere, in place."""
    cut, mask = piece
    scale = rng.uniform(0.4, 1.4)
    h, w = (
        min(limit, max(4, round(side * scale)))
        for side, limit in zip(mask.shape, labels.shape, strict=True)
    )
    cut = np.asarray(cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    inside = cv2.resize(mask, (w, h), interpolation=cv2.INTER_NEAREST) > 0
    if rng.random() < 0.5:
        cut, inside = cut[:, ::-1], inside[:, ::-1]
    y, x = int(rng.integers(labels.shape[0] - h + 1)), int(rng.integers(labels.shape[1] - w + 1))
    window = (slice(y, y + h), slice(x, x + w))
    colour[window][inside] = cut[inside].astype(np.float32) / 255 * rng.uniform(0.6, 1.3)
    labels[window][inside] = OBJECT
    planes[window][inside] = 0


def _camera(colour: Float32, rng: np.random.Generator) -> Uint8:
    """Exposure, tone, white balance, saturation, blur, noise and JPEG of some other camera."""
    a = np.clip(colour, 0, 1)
    if rng.random() < 0.8:
        a = (
            a ** rng.uniform(0.55, 1.7)
            * np.exp(rng.normal(0, 0.1, 3))
            * np.exp(rng.normal(0, 0.15))
        )
        grey = a.mean(2, keepdims=True)
        a = grey + (a - grey) * (rng.uniform(0.3, 1.5) if rng.random() > 0.06 else 0)
    if rng.random() < 0.2:
        ramp = np.linspace(-1, 1, a.shape[1], dtype=np.float32)[None, :, None]
        tall = np.linspace(-1, 1, a.shape[0], dtype=np.float32)[:, None, None]
        a = a * np.exp(ramp * rng.normal(0, 0.25) + tall * rng.normal(0, 0.25))
    a = a.astype(np.float32)
    if rng.random() < 0.3:
        a = np.asarray(cv2.GaussianBlur(a, (0, 0), rng.uniform(0.4, 1.6)), np.float32)
    if rng.random() < 0.4:
        a = a + rng.normal(0, rng.uniform(0.005, 0.05), a.shape).astype(np.float32)
    out = (np.clip(a, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        decoded = cv2.imdecode(cv2.imencode(".jpg", out, quality)[1], cv2.IMREAD_COLOR)
        out = np.asarray(decoded, np.uint8)
    return np.ascontiguousarray(out)
