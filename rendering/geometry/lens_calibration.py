"""How much a photo's lens bends, found together with the room's frame.

The straight edges of a room point at three vanishing points (`vanishing_points`); bent, their
pieces point beside them, each by another angle. So the bend is sought under which the most segments
agree with one frame: the frame is refined for each bend of a coarse row, then the best is narrowed
down. Every piece of an edge counts by its direction at its own place, so edges need not be linked
to long chains first, as plumb-line methods do (Devernay & Faugeras, Straight lines have to be
straight, 2001; Bukhari & Dailey, Automatic radial distortion estimation from a single image, 2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rendering.geometry.lens_distortion import Distortion
from rendering.geometry.line_segments import Segments
from rendering.geometry.vanishing_points import Camera, fit, objective, refine, score

COEFFICIENTS = (0.03, 0.06, 0.09, 0.12, 0.16, 0.20, 0.24)
COARSE, FINEST = 0.015, 0.002  # steps in which the best of them is narrowed down
MOST = 0.30
LEAST = 0.012  # a lens that bends less is as good as straight
# How much more of the segments, by length, a bent lens must explain: what straight photos of
# rendered rooms gain by chance, those of few segments more; bent ones with k above 0.03 seldom gain
# so little.
LEAST_GAIN, SMALL_SAMPLE = 0.02, 0.7
WORTH_A_LOOK = 0.01
# A straight lens that explains less than this may have led the search into a wrong frame, from
# which no bend leads out.
DOUBTFUL = 0.5
STRONG_COEFFICIENTS = (0.1, 0.2)
FOCAL_STARTS = (0.5, 0.7, 1.0)


def fit_with_distortion(
    segments: Segments, size: tuple[int, int], focal: float | None = None
) -> tuple[Camera, Segments]:
    """The camera of a photo of `size` (width, height), and its segments undistorted.

    `focal`: pixels, when it is known. A lens is called bent only when that explains clearly more of
    the segments than a straight one does: else they come back as they are, and the camera is
    `fit`'s own.
    """
    straight = fit(segments, size, focal)
    if len(segments) < 4:
        return straight, segments
    search = _Search(segments, size, focal)
    plain = objective(segments, straight, float(max(size)), focal)
    trials = [search.refined(_best([search.at(k, straight) for k in COEFFICIENTS]))]
    if score(segments, straight, math.radians(0.5)) < DOUBTFUL:
        trials += [search.refined(search.from_scratch(k)) for k in STRONG_COEFFICIENTS]
    best = _best(trials)
    if best.objective > plain + WORTH_A_LOOK:
        best = search.refined(_best([best, search.from_scratch(best.k)]))
    enough = LEAST_GAIN + SMALL_SAMPLE / len(segments)
    if best.k < LEAST or best.objective < plain + enough:
        return straight, segments
    lens = Distortion.of_photo(best.k, *size)
    return replace(best.camera, distortion=lens), segments.undistorted(lens)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A coefficient, the camera of the segments undistorted by it, and the objective of both."""

    objective: float
    k: float
    camera: Camera


def _best(trials: list[_Trial]) -> _Trial:
    return max(trials, key=lambda trial: trial.objective)


@dataclass(frozen=True, slots=True)
class _Search:
    """Trials on a photo's segments; `size` (width, height), `focal` in pixels when known."""

    segments: Segments
    size: tuple[int, int]
    focal: float | None

    def at(self, k: float, start: Camera) -> _Trial:
        """The bend `k`, its camera refined from another bend's."""
        lines = self._lines(k)
        return self._trial(k, lines, refine(lines, start, float(max(self.size)), self.focal))

    def from_scratch(self, k: float) -> _Trial:
        """The bend `k`, its camera sought without a start."""
        lines = self._lines(k)
        return self._trial(k, lines, fit(lines, self.size, self.focal, FOCAL_STARTS))

    def refined(self, best: _Trial) -> _Trial:
        """The best bend near a trial's."""
        step = COARSE
        while step >= FINEST:
            beside = [best.k - step, best.k + step]
            best = _best([best, *(self.at(k, best.camera) for k in beside if 0 < k <= MOST)])
            step /= 2
        return best

    def _trial(self, k: float, lines: Segments, camera: Camera) -> _Trial:
        return _Trial(objective(lines, camera, float(max(self.size)), self.focal), k, camera)

    def _lines(self, k: float) -> Segments:
        return self.segments.undistorted(Distortion.of_photo(k, *self.size))
