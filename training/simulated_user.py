"""A simulated user: their intent, where they click, and the masks they have seen so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation import Click, SamModel
from segmentation.clicks.features import (
    ClickEvidence,
    EarlierClicks,
    PhotoEvidence,
    PhotoMaps,
    Scope,
    click_maps,
    continued,
    covered,
    doubled,
)
from segmentation.clicks.refinement import apply_click
from segmentation.clicks.scope import ON_PLANE, infer_scope
from segmentation.geometry import FloatArray, coarse_cell
from segmentation.sam.decoder import Decoder
from segmentation.walls.heads import WallHeads, mean_of_walls
from training.click_samples import ClickSample
from training.intent import WITH_PREFERENCES, Intent, draw_preferences
from training.simulated_errors import BoolArray, Parts, with_errors

_LEAST_ERROR: Final = 25  # cells; nobody corrects less
_MOST_CLICKS: Final = 7
_SAM_PARTS: Final = 2  # of SAM's own masks, drawn as further parts that a user may mean
_LEAST_PART: Final = 100  # cells
_MOST_OF_PHOTO: Final = 0.3
# Largest differences of log(R/G) and log(B/G), and of log brightness, between walls of one paint in
# two lights.
_SAME_PAINT_CHROMA: Final = 0.07
_SAME_PAINT_BRIGHTNESS: Final = 0.55


@dataclass(slots=True, eq=False)
class SimulatedUser:
    """One user on one photo: intent, clicks (oldest first) and the mask shown to them.

    stated_scope: what they choose on the page. logits: the mask shown, float32 256 x 256, or None.
    error_part: the wrong part that the newest click should put right, bool 256 x 256.
    inferred_scope: what the product takes their clicks to mean, None before the first click where
    nothing is shown. one_wall: the walls under their includes while the product takes them for one
    wall, bool 256 x 256. earlier: what the clicks before the newest say.
    """

    sample: ClickSample
    intent: Intent
    stated_scope: Scope
    photo: PhotoEvidence
    logits: FloatArray | None
    clicks: list[Click] = field(default_factory=list)
    evidence: list[ClickEvidence] = field(default_factory=list)
    error_part: BoolArray | None = None
    inferred_scope: Scope | None = None
    one_wall: BoolArray | None = None
    earlier: EarlierClicks = field(default_factory=EarlierClicks)

    @property
    def mask(self) -> BoolArray:
        """What is marked now, bool 256 x 256."""
        empty = np.zeros(self.intent.walls.shape, bool)
        return empty if self.logits is None else np.asarray(self.logits > 0)

    @property
    def walls(self) -> FloatArray:
        """Wall logits without a click, float32 256 x 256."""
        return mean_of_walls(self.photo.wall, self.photo.sam_wall)

    @property
    def expected(self) -> tuple[BoolArray, BoolArray]:
        """What the newest click should give, and where nobody can know it yet, bool 256 x 256 each.

        Without a stated scope the product's rule counts: clicks on the main wall mean that wall
        alone, a single click elsewhere means all walls.
        """
        single = len(self.clicks) == 1 and self.stated_scope is Scope.AUTO
        walls = self.sample.is_wall if single else self.intent.walls
        if self.inferred_scope is Scope.THIS_WALL and self.one_wall is not None:
            walls = walls & self.one_wall
        cells = [(round(click.x), round(click.y)) for click in self.evidence]
        return self.intent.expected(cells, walls)

    def observe(self, newest: ClickEvidence) -> None:
        """Take in the evidence of the newest click."""
        if self.evidence:
            self.earlier = self.earlier.with_one_more(self.evidence[-1])
        self.evidence.append(newest)
        columns, rows = self.sample.embedding.grid.mask_extent
        seen = self.walls[:rows, :columns]
        self.inferred_scope = infer_scope(
            self.stated_scope, self.inferred_scope, newest, self.earlier, seen
        )
        if (
            self.stated_scope is Scope.AUTO
            and self.inferred_scope is Scope.THIS_WALL
            and newest.label == 1
        ):
            wall = wall_under(self.sample, newest)
            self.one_wall = wall if self.one_wall is None else self.one_wall | wall

    def show(self, proposed: FloatArray) -> None:
        """Compose the network's logits, float32 H x W, as the product does; show the mask."""
        grid = self.sample.embedding.grid
        proposed = continued(proposed, grid)
        self.logits = apply_click(
            self.logits, proposed, self.clicks, grid, self.evidence[-1], self.walls
        )


class UserSimulator:
    """Makes users and their clicks, with the product's decoder and wall networks."""

    def __init__(self, models: Path, heads: Path) -> None:
        model = SamModel.load(models, encoder_threads=1, decoder_threads=1, heads_directory=None)
        self._decoder = Decoder(model.description.decoder, threads=1)
        self._heads = WallHeads(heads, encoder_threads=1, threads=1)

    def new_user(
        self,
        sample: ClickSample,
        rng: np.random.Generator,
        *,
        corrupted: bool = True,
        has_preferences: bool = True,
    ) -> SimulatedUser:
        """A user with an intent; some are shown the automatic mask first.

        corrupted: put errors into the wall networks' output. has_preferences: the user may have
        some.
        """
        photo = self._heads.photo_evidence(sample.embedding)
        if corrupted:
            wall, sam = _with_errors(sample, photo, rng)
            photo = PhotoEvidence(wall, sam, photo.rgb)
        walls, scope = _draw_walls(sample, rng)
        with_preferences = has_preferences and rng.random() < WITH_PREFERENCES
        some = draw_preferences(self._parts(sample, rng), rng) if with_preferences else ()
        shown = rng.random() < 0.25 and scope is Scope.ALL_WALLS
        # After an automatic mask the product takes clicks to mean all walls.
        stated_scope = scope if shown or rng.random() < 0.3 else Scope.AUTO
        return SimulatedUser(
            sample,
            Intent(walls, some),
            stated_scope,
            photo,
            mean_of_walls(photo.wall, photo.sam_wall) if shown else None,
            inferred_scope=stated_scope if shown else None,
        )

    def _parts(self, sample: ClickSample, rng: np.random.Generator) -> Parts:
        """The photo's objects and wall parts, and some of SAM's masks at random places.

        SAM's masks end where objects seem to end, whatever our labels say.
        """
        objects, walls = (list(some) for some in sample.parts)
        rows, columns = sample.extent
        for _ in range(_SAM_PARTS):
            x, y = rng.uniform(0, (sample.embedding.width - 1, sample.embedding.height - 1))
            seen = self._decoder.decode_newest(sample.embedding, [Click(x, y, 1)])
            part = np.zeros(sample.share.shape, bool)
            part[:rows, :columns] = seen.candidates[1 + int(rng.integers(3)), :rows, :columns] > 0
            objects.append(part & ~sample.is_wall)
            walls.append(part & sample.is_wall)
        least, most = _LEAST_PART, _MOST_OF_PHOTO * rows * columns
        objects, walls = (
            [p for p in some if least <= p.sum() <= most] for some in (objects, walls)
        )
        return objects, walls

    def click(self, user: SimulatedUser, rng: np.random.Generator) -> bool:
        """Add and decode the next click; False when the user clicks no more."""
        if len(user.clicks) >= _MOST_CLICKS:
            return False
        found = next_place(user, rng)
        if found is None:
            return False
        (column, row), label, user.error_part = found
        embedding = user.sample.embedding
        [(x, y)] = embedding.grid.mask_to_photo([(column, row)])
        click = Click(
            float(np.clip(x, 0, embedding.width - 1)),
            float(np.clip(y, 0, embedding.height - 1)),
            label,
        )
        user.clicks.append(click)
        seen = self._decoder.decode_newest(embedding, user.clicks)
        user.observe(self._heads.evidence(embedding, seen))
        return True

    def maps(self, user: SimulatedUser) -> FloatArray:
        """The click network's maps for the newest click, float32 32 x H x W, cut to the photo."""
        previous = user.walls if user.logits is None else user.logits
        photo = PhotoMaps.of(user.photo.part(*covered(user.sample.embedding.grid)))
        newest, inferred_scope = user.evidence[-1], user.inferred_scope or Scope.AUTO
        return click_maps(photo, newest, user.earlier, previous, inferred_scope).as_one()


def next_place(
    user: SimulatedUser, rng: np.random.Generator
) -> tuple[tuple[int, int], int, BoolArray] | None:
    """Where a user clicks next: (column, row) of the 256 grid, label, wrong part bool 256 x 256.

    Well inside the largest wrong part, sometimes another one; None when no part is large enough.
    """
    rows, columns = user.sample.extent
    found: list[tuple[int, BoolArray, int]] = []
    mask, wanted = user.mask, user.intent.wanted
    for region, label in ((wanted & ~mask, 1), (mask & ~wanted, 0)):
        if label == 0 and not mask.any():
            continue
        inside = np.zeros(region.shape, bool)
        inside[:rows, :columns] = region[:rows, :columns]
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            inside.astype(np.uint8), connectivity=8
        )
        for k in range(1, count):
            area = int(stats[k, cv2.CC_STAT_AREA])
            if area >= _LEAST_ERROR:
                found.append((area, parts == k, label))
    if user.logits is None:
        found = [one for one in found if one[2] == 1]
    if not found:
        return None
    found.sort(key=lambda one: -one[0])
    which = 0
    if rng.random() < 0.25:
        areas = np.array([one[0] for one in found], float)
        which = int(rng.choice(len(found), p=areas / areas.sum()))
    _, part, label = found[which]
    distance = cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    depth = 0.6 if rng.random() < 0.8 else 0.2
    ys, xs = np.nonzero(distance >= depth * distance.max())
    k = int(rng.integers(len(xs)))
    return (int(xs[k]), int(ys[k])), label, part


def wall_under(sample: ClickSample, click: ClickEvidence) -> BoolArray:
    """The wall plane under a click, bool 256 x 256.

    Where no wall is clicked: the plane with most of the cells that seem to lie on the clicked
    plane, else all walls.
    """
    row, column = coarse_cell(click.x, click.y, 1, sample.extent)
    if sample.is_wall[row, column]:
        return np.asarray(sample.is_wall & (sample.planes == sample.planes[row, column]))
    affinity = doubled(click.affinity)
    rows, columns = affinity.shape
    near = (affinity > ON_PLANE) & sample.is_wall[:rows, :columns]
    if not near.any():
        return sample.is_wall
    most = np.argmax(np.bincount(sample.planes[:rows, :columns][near]))
    return np.asarray(sample.is_wall & (sample.planes == most))


def same_paint(sample: ClickSample, plane: int) -> BoolArray:
    """The walls in the paint of one plane, by their median colours; bool 256 x 256."""
    own = _log_colour(sample, plane)
    same = np.zeros(sample.planes.shape, bool)
    for other in np.unique(sample.planes[sample.is_wall]):
        differences = np.abs(_log_colour(sample, int(other)) - own)
        if other == plane or (
            differences[:2].max() < _SAME_PAINT_CHROMA and differences[2] < _SAME_PAINT_BRIGHTNESS
        ):
            same |= sample.is_wall & (sample.planes == other)
    return same


def _log_colour(sample: ClickSample, plane: int) -> npt.NDArray[np.float64]:
    """log(R/G), log(B/G) and log brightness of a plane's median colour; infinite without cells."""
    cells = sample.is_wall & (sample.planes == plane)
    pixels = sample.embedding.thumbnail[cells]
    if not len(pixels):
        return np.full(3, np.inf)
    red, green, blue = (np.median(pixels, 0) + 8.0) / 263.0
    return np.log([red / green, blue / green, (red + green + blue) / 3])


def _draw_walls(sample: ClickSample, rng: np.random.Generator) -> tuple[BoolArray, Scope]:
    """The walls meant, bool 256 x 256, and the scope.

    All walls or one of the larger planes, more often one whose paint is another.

    """
    numbers, sizes = np.unique(sample.planes[sample.is_wall], return_counts=True)
    large = numbers[(sizes > 250) & (numbers > 0)]
    if len(large) and len(numbers[numbers > 0]) > 1:
        share = sizes[np.isin(numbers, large)].astype(float)
        plane = int(rng.choice(large, p=share / share.sum()))
        painted = same_paint(sample, plane)
        accent = painted.sum() < 0.97 * sample.is_wall.sum()
        if rng.random() < (0.6 if accent else 0.35):
            if accent and rng.random() < 0.3:
                return painted, Scope.AUTO
            return sample.is_wall & (sample.planes == plane), Scope.THIS_WALL
    return sample.is_wall, Scope.ALL_WALLS


def _with_errors(
    sample: ClickSample, photo: PhotoEvidence, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    rows, columns = sample.extent
    wall, sam = with_errors(photo.wall, photo.sam_wall, sample.parts, rng)
    for logits, old in ((wall, photo.wall), (sam, photo.sam_wall)):
        logits[rows:], logits[:, columns:] = old[rows:], old[:, columns:]
    return wall, sam
