"""The person who clicks: what they want of a room, where they click, and what they have seen so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation import Click, Embedding, SamModel
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
from training.errors import BoolArray, Parts, parts_of, with_errors
from training.rooms import WALL, Uint8
from training.wishes import WITH_WHIMS, Wish, whims

_LEAST_ERROR: Final = 25  # cells; a person does not correct less
_MOST_CLICKS: Final = 7
_SAM_PARTS: Final = 2  # parts of a photo as SAM sees them that a person may mean
_LEAST_PART: Final = 100  # cells
_MOST_OF_PHOTO: Final = 0.3
_ALIKE_CHROMA: Final = (
    0.07  # of log(R/G) and log(B/G): further apart are two paints, not two lights
)
_ALIKE_LIGHT: Final = 0.55  # of log brightness


@dataclass(frozen=True, slots=True, eq=False)
class ClickSample:
    """One prepared view. share: uint8 256 x 256 of wall; planes, labels: uint8 256 x 256."""

    name: str
    embedding: Embedding
    share: Uint8
    planes: Uint8
    extent: tuple[int, int]
    parts: Parts

    @classmethod
    def load(cls, path: Path) -> ClickSample:
        """Read what `prepare_clicks` wrote."""
        with np.load(path) as arrays:
            rows, columns = (int(v) for v in arrays["extent"])
            labels, planes = arrays["labels"], arrays["planes"]
            # What lies off the photo is no thing that could be taken for wall.
            labels[rows:], labels[:, columns:] = WALL, WALL
            return cls(
                path.stem,
                Embedding.from_bytes(arrays["embedding"].tobytes()),
                arrays["share"],
                planes,
                (rows, columns),
                parts_of(labels, planes),
            )

    @property
    def is_wall(self) -> BoolArray:
        """Cells that are mostly wall."""
        return np.asarray(self.share > 127)


@dataclass(slots=True, eq=False)
class Visit:
    """One person on one photo, with what they want of it and their clicks, oldest first.

    said: the scope they state. logits: what they see, or None. meant: what the product takes their clicks to
    mean, None before the first where nothing is shown. one_wall: the walls that their includes lie on while it takes them for
    one. earlier: what the clicks before the newest say.
    """

    sample: ClickSample
    wish: Wish
    said: Scope
    photo: PhotoEvidence
    logits: FloatArray | None
    clicks: list[Click] = field(default_factory=list)
    evidence: list[ClickEvidence] = field(default_factory=list)
    fixed: BoolArray | None = None  # the wrong part that the newest click is meant to put right
    meant: Scope | None = None
    one_wall: BoolArray | None = None
    earlier: EarlierClicks = field(default_factory=EarlierClicks)

    @property
    def mask(self) -> BoolArray:
        """What is marked now, bool 256 x 256."""
        empty = np.zeros(self.wish.walls.shape, bool)
        return empty if self.logits is None else np.asarray(self.logits > 0)

    @property
    def walls(self) -> FloatArray:
        """The wall that is seen without a click."""
        return mean_of_walls(self.photo.wall, self.photo.sam_wall)

    @property
    def expected(self) -> tuple[BoolArray, BoolArray]:
        """What the newest click should give, and where nobody can know it yet.

        Who says no scope is understood as in the product: as long as their clicks lie on the main wall it
        alone is expected, and a lone click elsewhere means all walls.
        """
        lone = len(self.clicks) == 1 and self.said is Scope.AUTO
        walls = self.sample.is_wall if lone else self.wish.walls
        if self.meant is Scope.THIS_WALL and self.one_wall is not None:
            walls = walls & self.one_wall
        places = [(round(click.x), round(click.y)) for click in self.evidence]
        return self.wish.expected(places, walls)

    def hear(self, newest: ClickEvidence) -> None:
        """Take in what the newest click says."""
        if self.evidence:
            self.earlier = self.earlier.with_one_more(self.evidence[-1])
        self.evidence.append(newest)
        columns, rows = self.sample.embedding.grid.mask_extent
        seen = self.walls[:rows, :columns]
        self.meant = infer_scope(self.said, self.meant, newest, self.earlier, seen)
        if self.said is Scope.AUTO and self.meant is Scope.THIS_WALL and newest.label == 1:
            wall = wall_under(self.sample, newest)
            self.one_wall = wall if self.one_wall is None else self.one_wall | wall

    def show(self, proposed: FloatArray) -> None:
        """The network's answer H x W, composed as the product does."""
        grid = self.sample.embedding.grid
        proposed = continued(proposed, grid)
        self.logits = apply_click(
            self.logits, proposed, self.clicks, grid, self.evidence[-1], self.walls
        )


class Visitors:
    """Makes people, and makes them click, with the product's decoder and wall networks."""

    def __init__(self, models: Path, heads: Path) -> None:
        model = SamModel.load(models, encoder_threads=1, decoder_threads=1, heads_directory=None)
        self._decoder = Decoder(model.description.decoder, threads=1)
        self._heads = WallHeads(heads, encoder_threads=1, threads=1)

    def arrive(
        self,
        sample: ClickSample,
        rng: np.random.Generator,
        *,
        errs: bool = True,
        has_whims: bool = True,
    ) -> Visit:
        """Somebody with a wish; half of them want all walls. At times the found wall is shown first.

        errs: put errors into what the wall networks say. has_whims: they may have whims.
        """
        photo = self._heads.photo_evidence(sample.embedding)
        if errs:
            wall, sam = _with_errors(sample, photo, rng)
            photo = PhotoEvidence(wall, sam, photo.rgb)
        walls, scope = _walls_meant(sample, rng)
        whimsical = has_whims and rng.random() < WITH_WHIMS
        some = whims(self._parts(sample, rng), rng) if whimsical else ()
        shown = rng.random() < 0.25 and scope is Scope.ALL_WALLS
        # Of a found wall the product takes clicks to mean all walls.
        said = scope if shown or rng.random() < 0.3 else Scope.AUTO
        return Visit(
            sample,
            Wish(walls, some),
            said,
            photo,
            mean_of_walls(photo.wall, photo.sam_wall) if shown else None,
            meant=said if shown else None,
        )

    def _parts(self, sample: ClickSample, rng: np.random.Generator) -> Parts:
        """The room's things and wall parts, and some of what SAM sees at random places.

        SAM's parts end where things look as if they did, whatever our labels say.
        """
        others, walls = (list(some) for some in sample.parts)
        rows, columns = sample.extent
        for _ in range(_SAM_PARTS):
            x, y = rng.uniform(0, (sample.embedding.width - 1, sample.embedding.height - 1))
            seen = self._decoder.decode_newest(sample.embedding, [Click(x, y, 1)])
            part = np.zeros(sample.share.shape, bool)
            part[:rows, :columns] = seen.candidates[1 + int(rng.integers(3)), :rows, :columns] > 0
            others.append(part & ~sample.is_wall)
            walls.append(part & sample.is_wall)
        least, most = _LEAST_PART, _MOST_OF_PHOTO * rows * columns
        others, walls = ([p for p in some if least <= p.sum() <= most] for some in (others, walls))
        return others, walls

    def click(self, visit: Visit, rng: np.random.Generator) -> bool:
        """The next click, decoded; False when they are content or have had enough."""
        if len(visit.clicks) >= _MOST_CLICKS:
            return False
        found = next_place(visit, rng)
        if found is None:
            return False
        (column, row), label, visit.fixed = found
        embedding = visit.sample.embedding
        [(x, y)] = embedding.grid.mask_to_photo([(column, row)])
        click = Click(
            float(np.clip(x, 0, embedding.width - 1)),
            float(np.clip(y, 0, embedding.height - 1)),
            label,
        )
        visit.clicks.append(click)
        seen = self._decoder.decode_newest(embedding, visit.clicks)
        visit.hear(self._heads.evidence(embedding, seen))
        return True

    def maps(self, visit: Visit) -> FloatArray:
        """The click network's maps for the newest click, 32 x H x W, where the photo is."""
        previous = visit.walls if visit.logits is None else visit.logits
        photo = PhotoMaps.of(visit.photo.part(*covered(visit.sample.embedding.grid)))
        newest, meant = visit.evidence[-1], visit.meant or Scope.AUTO
        return click_maps(photo, newest, visit.earlier, previous, meant).as_one()


def next_place(
    visit: Visit, rng: np.random.Generator
) -> tuple[tuple[int, int], int, BoolArray] | None:
    """Where a person clicks next: (column, row), label, and the wrong part it lies in.

    Well inside the largest wrong part, at times another; None when only crumbs are wrong.
    """
    rows, columns = visit.sample.extent
    found: list[tuple[int, BoolArray, int]] = []
    mask, wanted = visit.mask, visit.wish.wanted
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
    if visit.logits is None:
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
    """The wall plane that was clicked on; where no wall was, the one with most of what seems to lie on that plane.

    Bool 256 x 256, all walls where none seems to.
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
    """The walls whose paint is that of one plane, as far as their mean colours tell."""
    mine = _log_colour(sample, plane)
    alike = np.zeros(sample.planes.shape, bool)
    for other in np.unique(sample.planes[sample.is_wall]):
        apart = np.abs(_log_colour(sample, int(other)) - mine)
        if other == plane or (apart[:2].max() < _ALIKE_CHROMA and apart[2] < _ALIKE_LIGHT):
            alike |= sample.is_wall & (sample.planes == other)
    return alike


def _log_colour(sample: ClickSample, plane: int) -> npt.NDArray[np.float64]:
    """log(R/G), log(B/G) and log brightness of a plane's median."""
    cells = sample.is_wall & (sample.planes == plane)
    pixels = sample.embedding.thumbnail[cells]
    if not len(pixels):
        return np.full(3, np.inf)
    red, green, blue = (np.median(pixels, 0) + 8.0) / 263.0
    return np.log([red / green, blue / green, (red + green + blue) / 3])


def _walls_meant(sample: ClickSample, rng: np.random.Generator) -> tuple[BoolArray, Scope]:
    """All walls, or one of the larger planes, likelier when it is painted unlike the rest."""
    numbers, sizes = np.unique(sample.planes[sample.is_wall], return_counts=True)
    large = numbers[(sizes > 250) & (numbers > 0)]
    if len(large) and len(numbers[numbers > 0]) > 1:
        share = sizes[np.isin(numbers, large)].astype(float)
        plane = int(rng.choice(large, p=share / share.sum()))
        alike = same_paint(sample, plane)
        accent = alike.sum() < 0.97 * sample.is_wall.sum()
        if rng.random() < (0.6 if accent else 0.35):
            mine = sample.is_wall & (sample.planes == plane)
            if accent and rng.random() < 0.3:
                return alike, Scope.AUTO
            return mine, Scope.THIS_WALL
    return sample.is_wall, Scope.ALL_WALLS


def _with_errors(
    sample: ClickSample, photo: PhotoEvidence, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    rows, columns = sample.extent
    wall, sam = with_errors(photo.wall, photo.sam_wall, sample.parts, rng)
    for logits, old in ((wall, photo.wall), (sam, photo.sam_wall)):
        logits[rows:], logits[:, columns:] = old[rows:], old[:, columns:]
    return wall, sam
