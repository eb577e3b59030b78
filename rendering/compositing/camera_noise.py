"""The camera's blur and noise, so that the wallpaper is neither sharper nor cleaner than the photo.

Both are measured on small tiles of the photo, so their cost does not grow with its size.

Blur: at an edge of Gaussian blur s the gradient falls by R = sqrt((s^2 + r^2) / s^2) when the photo
is blurred again by r, so s = r / sqrt(R^2 - 1) (Zhuo & Sim, Defocus map estimation from a single
image, 2011); both are first smoothed by a known width against noise. The sharpest third of the
tiles on the mask's edge counts: many edges are soft in themselves.

Noise: the standard deviation of three a trous wavelet bands (kernel 1 2 1, octave by octave; Starck
& Murtagh, Image restoration with noise suppression, 1994) in luma and both chromas, over the calmer
tiles of the wall, in 8-bit values: shot noise is about the same there from shadows to highlights.
Bands see linear light ramps as nothing, and tell the blotches of a denoised phone photo from a
pixel's noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, f32, u8

TILE = 48
MOST_TILES = 16
MARGIN = 7  # what the three bands reach beyond a pixel
CALM = 0.3  # quantile of the tiles: pattern, relief and pictures are in the others
ROOM_CALM, ROOM_MORE = 0.2, 1.5  # the room's calm tiles, and how much noisier the wall may be
LEAST, MOST = 0.8, 12.0  # 8-bit values: below, rounding hides it; above, it is not noise
ALONE = 2.0  # the most where nothing of the room can be compared
FIELD = 512  # pixels, side of the noise's own tile
SEED = 20020
CALMED, REBLUR = 0.8, 1.5
# Variance that the measure adds: the central difference, the smoothing, and the pixels beside an
# edge's crest, which fall off less; measured on drawn edges of 0.3 to 3 pixels.
OF_MEASURE = 0.25 + CALMED**2 + 0.25
SHARPEST = 0.33
STEP = 8.0  # 8-bit values per pixel: gradient of an edge worth measuring
OWN_BLUR = 1 / 12 + 0.16  # variance of a pixel's box and of the lens that every photo has
MOST_BLUR = 3.0
LENS: tuple[float, ...] = (0.08, 0.84, 0.08)


@dataclass(frozen=True, slots=True, eq=False)
class LensBlur:
    """A blur to apply to the wallpaper: `kernel`, odd, of both axes."""

    kernel: F32

    @property
    def radius(self) -> int:
        """Pixels needed around a picture."""
        return len(self.kernel) // 2

    def apply(self, picture: F32) -> F32:
        """The picture blurred, `radius` pixels less on each side."""
        r = self.radius
        height, width = picture.shape[:2]
        return f32(cv2.sepFilter2D(picture, -1, self.kernel, self.kernel))[
            r : height - r, r : width - r
        ]


def estimate_lens_blur(photo: U8, mask: U8) -> LensBlur:
    """The blur that makes the wallpaper as soft as the photo's sharp edges near the wall's outline.

    No lens and sensor is as sharp as a pixel's box: the least is a spread of 0.4 pixels.
    """
    extra = max(0.0, edge_blur(photo, mask) ** 2 - OWN_BLUR)
    least = np.array(LENS, dtype=np.float64)
    if extra < 0.1:
        return LensBlur(f32(least))
    sigma = min(math.sqrt(extra), MOST_BLUR)
    radius = math.ceil(2.5 * sigma)
    bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return LensBlur(f32(np.convolve(bell / bell.sum(), least)))


def edge_blur(photo: U8, mask: U8) -> float:
    """Standard deviation in pixels of the sharper edges near the mask's edge; 0 for too few."""
    found = []
    for tile in _tiles(photo, _tile_centres_on_edge(mask)):
        grey = f32(cv2.GaussianBlur(f32(cv2.cvtColor(tile, cv2.COLOR_RGB2GRAY)), (0, 0), CALMED))
        first, again = _gradient(grey), _gradient(f32(cv2.GaussianBlur(grey, (0, 0), REBLUR)))
        inner = first[4:-4, 4:-4]
        top = float(inner.max())
        if top < STEP:
            continue
        ridge = inner > 0.8 * top
        ratio = (inner[ridge] / np.maximum(again[4:-4, 4:-4][ridge], 1e-3)) ** 2
        found.append(float(np.median(REBLUR**2 / np.maximum(ratio - 1.0, 1e-3))) - OF_MEASURE)
    if len(found) < 4:
        return 0.0
    return math.sqrt(max(float(np.quantile(found, SHARPEST)), 0.0))


def _gradient(grey: F32) -> F32:
    kernel = np.array([[-0.5, 0.0, 0.5]], dtype=np.float32)
    return f32(cv2.magnitude(cv2.filter2D(grey, -1, kernel), cv2.filter2D(grey, -1, kernel.T)))


def _tile_centres_on_edge(mask: U8) -> list[tuple[int, int]]:
    """Middles of tiles, evenly along the mask's edges inside the photo."""
    height, width = mask.shape
    factor = min(1.0, 512 / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA)) > 127
    edge = np.zeros_like(small)
    edge[:, 1:] |= small[:, 1:] != small[:, :-1]
    edge[1:] |= small[1:] != small[:-1]
    ys, xs = np.nonzero(edge)
    chosen = np.linspace(0, len(xs) - 1, min(len(xs), 2 * MOST_TILES)).astype(int)
    return [(round(xs[i] / factor), round(ys[i] / factor)) for i in chosen]


def _tiles(photo: U8, middles: list[tuple[int, int]]) -> list[U8]:
    height, width = photo.shape[:2]
    side = min(TILE, height, width)
    if side < 4 * MARGIN:
        return []
    corners = {
        (min(max(0, x - side // 2), width - side), min(max(0, y - side // 2), height - side))
        for x, y in middles
    }
    return [np.ascontiguousarray(photo[y : y + side, x : x + side]) for x, y in sorted(corners)]


@dataclass(frozen=True, slots=True, eq=False)
class CameraNoise:
    """Noise to add to the wallpaper: `field` float32 FIELD x FIELD x 3 RGB, in 8-bit values."""

    field: F32

    def add(self, coded: U8, weight: F32, x0: int, y0: int) -> U8:
        """An 8-bit strip whose top-left pixel is (x0, y0) of the photo, with its noise.

        `weight` 0..1, the strip's height x width. The noise depends on the pixel's place alone.
        """
        noise = self._part(x0 % FIELD, y0 % FIELD, *weight.shape[::-1])
        cv2.multiply(noise, cv2.merge([weight] * 3), dst=noise)
        return u8(cv2.add(coded, noise, dtype=cv2.CV_8U))

    def _part(self, x0: int, y0: int, width: int, height: int) -> F32:
        """The repeating field from (x0, y0) on, in slices: indices take ten times as long."""
        noise = np.empty((height, width, 3), np.float32)
        for top in range(-y0, height, FIELD):
            for left in range(-x0, width, FIELD):
                a, b = max(top, 0), max(left, 0)
                rows, columns = noise[a : top + FIELD, b : left + FIELD].shape[:2]
                part = self.field[a - top : a - top + rows, b - left : b - left + columns]
                noise[a : a + rows, b : b + columns] = part
        return noise


def estimate_noise(photo: U8, mask: U8) -> CameraNoise | None:
    """The wall's noise; None when there is too little of it, or of the wall, to see."""
    amounts = measure_noise(photo, mask)
    total = float(np.sqrt((amounts[:, 0] ** 2).sum()))
    if total < LEAST:
        return None
    amounts = amounts * min(1.0, MOST / total)
    y, cr, cb = (
        _sum_of_bands(f32(_band_gains(amounts[:, k])), bands)
        for k, bands in enumerate(_white_noise_bands())
    )
    to_rgb = np.array([[1, 1.403, 0], [1, -0.714, -0.344], [1, 0, 1.773]], dtype=np.float32)
    return CameraNoise(f32(cv2.transform(cv2.merge([y, cr, cb]), to_rgb)))


def _sum_of_bands(shares: F32, bands: F32) -> F32:
    return f32(shares[0] * bands[0] + shares[1] * bands[1] + shares[2] * bands[2])


@lru_cache(maxsize=1)
def _white_noise_bands() -> tuple[F32, ...]:
    """Three fields of white noise, always the same, each as its 3 bands (3 x FIELD x FIELD)."""
    rng = np.random.default_rng(SEED)
    white = (f32(rng.standard_normal((FIELD, FIELD))) for _ in range(3))
    return tuple(f32(np.stack(_bands(w, wrap=True))) for w in white)


def measure_noise(photo: U8, mask: U8) -> F64:
    """Standard deviations, 3 bands x (Y, Cr, Cb), in 8-bit values; zeros when no tile is all wall.

    Old patterns and relief are not noise: no more than one and a half times what the room's calm
    places show is believed.
    """
    on, off = _calm_tiles(photo, mask >= 250), _calm_tiles(photo, mask == 0)
    if len(on) == 0:
        return np.zeros((3, 3))
    amounts = np.quantile(on, CALM, axis=0)
    if len(off) >= 4:
        amounts = np.minimum(amounts, ROOM_MORE * np.quantile(off, ROOM_CALM, axis=0))
    else:
        amounts = amounts * min(1.0, ALONE / max(float(np.sqrt((amounts[:, 0] ** 2).sum())), 1e-9))
    # Rounding to 8 bits is no noise: the wallpaper is rounded too.
    rounding = (np.mean(_band_responses() ** 2, axis=(1, 2)) / 12)[:, None] * np.array(
        [1.0, 0.5, 0.5]
    )
    return np.asarray(np.sqrt(np.maximum(amounts**2 - rounding, 0.0)), dtype=np.float64)


def _calm_tiles(photo: U8, where: Bool) -> F64:
    """Per tile that lies in `where` and is neither crushed nor clipped: 3 x 3 deviations."""
    height, width = where.shape
    if min(height, width) < TILE:
        return np.zeros((0, 3, 3))
    x, y = np.meshgrid(
        *(
            np.linspace(TILE // 2, max(TILE // 2, n - TILE // 2), 16).astype(int)
            for n in (width, height)
        )
    )
    inside = [
        (int(a), int(b))
        for a, b in zip(x.ravel(), y.ravel(), strict=True)
        if where[b - TILE // 2 : b + TILE // 2, a - TILE // 2 : a + TILE // 2].all()
    ]
    rows = []
    for k in np.linspace(0, len(inside) - 1, min(len(inside), MOST_TILES)).astype(int):
        [tile] = _tiles(photo, [inside[k]])
        if not 16 < float(tile.mean()) < 240 or tile.max() == 255:
            continue
        bands = _bands(f32(cv2.cvtColor(tile, cv2.COLOR_RGB2YCrCb)), wrap=False)
        inner = (np.ascontiguousarray(b[MARGIN:-MARGIN, MARGIN:-MARGIN]) for b in bands)
        rows.append([cv2.meanStdDev(b)[1].ravel() for b in inner])
    return np.array(rows, dtype=np.float64).reshape(-1, 3, 3)


def _bands(values: F32, *, wrap: bool) -> list[F32]:
    """Three octaves of detail, finest first."""
    border = cv2.BORDER_REFLECT_101
    if wrap:
        values = f32(cv2.copyMakeBorder(values, *(4 * MARGIN,) * 4, cv2.BORDER_WRAP))
    out = []
    for k in range(3):
        kernel = np.zeros(2 ** (k + 1) + 1, dtype=np.float32)
        kernel[[0, -1]], kernel[2**k] = 0.25, 0.5
        smooth = f32(cv2.sepFilter2D(values, -1, kernel, kernel, borderType=border))
        out.append(values - smooth)
        values = smooth
    return [b[4 * MARGIN : -4 * MARGIN, 4 * MARGIN : -4 * MARGIN] for b in out] if wrap else out


@lru_cache(maxsize=1)
def _band_responses() -> F64:
    """The bands' responses, 3 x 32 x 32."""
    low, out = np.ones((32, 32)), []
    for k in range(3):
        axis = np.cos(2**k * np.pi * np.fft.fftfreq(32)) ** 2
        h = axis[:, None] * axis[None, :]
        out.append(low * (1 - h))
        low = low * h
    return np.array(out)


def _band_gains(amounts: F64) -> F64:
    """How much of each band of white noise gives bands of these deviations (the bands overlap)."""
    spectra = _band_responses()
    shares = amounts / np.sqrt(np.mean(spectra**2, axis=(1, 2)))
    for _ in range(12):
        field = np.tensordot(shares, spectra, 1)
        got = np.sqrt(np.mean((spectra * field) ** 2, axis=(1, 2)))
        shares = shares * np.minimum(amounts / np.maximum(got, 1e-9), 4.0)
    return np.asarray(shares, dtype=np.float64)
