"""The networks that know what a wall is, beside SAM.

- the wall network reads the photo: where walls are, which of their pixels share a plane, what is
  alike;
- the head on SAM's embedding (`sam_head`) gives a second opinion;
- the click network weighs both against the clicks, each decoded by SAM, and proposes the wall
  meant.

All trained on our own rendered rooms alone (`training/`). Optional: without the files the model is
plain SAM.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from segmentation.cache import LruCache
from segmentation.clicks.features import (
    FINE,
    MAPS,
    ClickEvidence,
    EarlierClicks,
    PhotoEvidence,
    PhotoMaps,
    Scope,
    click_maps,
    continued,
    covered,
    covered_features,
    doubled,
    halved,
    plane_affinity,
)
from segmentation.errors import ModelError
from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.runtime import CPU_ONLY, LazySession, as_float32, file_digest
from segmentation.sam.contract import HeadCheck
from segmentation.sam.description import ModelFile
from segmentation.values import DecodedClick, Embedding
from segmentation.wall_net_io import (
    TOKEN_CHANNELS,
    WALL_MAPS_SHAPE,
    enlarge,
    on_token_square,
    on_wall_maps_grid,
    planes_of,
    wall_net_input,
    wall_of,
)
from segmentation.walls.sam_head import SamWallHead
from segmentation.walls.tokens import likeness, tokens_on_features, unit_length

HEADS_DIRECTORY: Final = Path(__file__).resolve().parents[2] / "onnx_models" / "heads"

_MANIFEST_FILE: Final = "heads.json"
_SEEN: Final = (1, None, None, None)
_SURE: Final = 9.0  # logits beyond it count no more against the other network
_FILES: Final = (
    "wall_net.onnx",
    "click_net.onnx",
    "click_photo.onnx",
    "wall_head.onnx",
    "embedding_stats.npz",
)
# Inputs and outputs of the graphs.
_WALL_NET: Final = HeadCheck(
    {"photo": (1, 3, None, None)},
    {"scene": (1, WALL_MAPS_SHAPE[0], None, None), "tokens": (1, TOKEN_CHANNELS, None, None)},
)
_CLICK_NET: Final = HeadCheck(
    {"coarse": (1, MAPS, None, None), "fine": (1, len(FINE), None, None), "seen": _SEEN},
    {"logit": (1, 1, None, None)},
)
_PHOTO_NET: Final = HeadCheck(
    {"features": (1, 256, None, None), "tokens": (1, TOKEN_CHANNELS, None, None)}, {"seen": _SEEN}
)
_PHOTOS_KEPT: Final = 16  # 3.7 MB each at most; making one anew costs a click time


@dataclass(frozen=True, slots=True, eq=False)
class _PhotoView:
    """What the networks say of a photo whatever the clicks are, as clicks need it.

    maps, seen: of the photo's part of the mask grid, H x W. walls: logits float32 256 x 256. seen:
    float32 1 x C x H/4 x W/4, the click network's own. unit_tokens: float32 64 x H/4 x W/4, each of
    length 1.
    """

    maps: PhotoMaps
    walls: FloatArray
    seen: FloatArray
    unit_tokens: FloatArray


class WallHeads:
    """The networks in one folder."""

    def __init__(
        self,
        directory: Path,
        *,
        encoder_threads: int,
        threads: int,
        providers: Sequence[str] = CPU_ONLY,
    ) -> None:
        """Check the files; the graphs are loaded when first run.

        encoder_threads: for the network that runs once a photo; threads: for those of each click.
        providers: as for `SamModel.load`.

        Raises:
            ModelError: a file is missing or is not the one that heads.json states.
        """
        files = _checked_files(directory)
        self.digest = hashlib.sha256(" ".join(file.sha256 for file in files).encode()).hexdigest()
        wall_net, click_net, photo_net, sam_head, statistics = files
        self._wall_net = LazySession(
            wall_net.path,
            sha256=wall_net.sha256,
            threads=encoder_threads,
            check=_WALL_NET,
            exact_int8=True,
            providers=providers,
        )
        self._click_net, self._photo_net = (
            LazySession(
                file.path, sha256=file.sha256, threads=threads, check=check, providers=providers
            )
            for file, check in ((click_net, _CLICK_NET), (photo_net, _PHOTO_NET))
        )
        self._sam_wall = SamWallHead(
            sam_head.path,
            statistics.path,
            sha256=sam_head.sha256,
            threads=threads,
            providers=providers,
        )
        self._views: LruCache[str, _PhotoView] = LruCache(_PHOTOS_KEPT)

    def warm_up(self) -> None:
        """Load every graph now.

        Raises:
            ModelError: a file cannot be used.
        """
        _ = self._wall_net.signature, self._click_net.signature, self._photo_net.signature
        self._sam_wall.warm_up()

    def wall_maps_and_tokens(
        self, photo: npt.NDArray[np.uint8], grid: PhotoGrid
    ) -> tuple[FloatArray, FloatArray]:
        """Run the wall network on a photo, uint8 h x w x 3 RGB: whole, perhaps halved.

        An embedding's wall maps, float32 9 x 128 x 128, and tokens, float32 64 x 33 x 33. grid: of
        the photo as it came.
        """
        size = (grid.height, grid.width)
        wall_maps, tokens = self._wall_net.run(
            ["scene", "tokens"], {"photo": wall_net_input(photo, size)}
        )
        return on_wall_maps_grid(wall_maps[0], *size), on_token_square(tokens[0])

    def walls(self, embedding: Embedding) -> FloatArray:
        """All walls without a click, logits float32 256 x 256: `mean_of_walls`.

        The one on the photo and the one on SAM's features are wrong in different places, so the
        mean is better than each alone; the better the first became, the less the other adds.
        """
        return self._view(embedding).walls

    def propose(
        self,
        embedding: Embedding,
        newest: ClickEvidence,
        earlier: EarlierClicks,
        previous: FloatArray | None,
        scope: Scope,
    ) -> FloatArray:
        """The click network's wall logit, float32 256 x 256, for the newest click.

        previous: logits of the mask that it corrects, None for a first click: then it corrects the
        wall that is seen without one. scope: which walls the clicks mean.
        """
        view = self._view(embedding)
        corrected = view.walls if previous is None else previous
        maps = click_maps(view.maps, newest, earlier, corrected, scope)
        [logit] = self._click_net.run(
            ["logit"], {"coarse": maps.coarse[None], "fine": maps.fine[None], "seen": view.seen}
        )
        return continued(logit[0, 0], embedding.grid)

    def photo_evidence(self, embedding: Embedding) -> PhotoEvidence:
        """What the networks that ran once say of a photo."""
        return PhotoEvidence(
            wall_of(embedding.wall_maps),
            enlarge(self._sam_wall.view(embedding).logit),
            as_float32(embedding.thumbnail / np.float32(255)),
        )

    def evidence(self, embedding: Embedding, click: DecodedClick) -> ClickEvidence:
        """What one click says of a photo, whatever the others are."""
        shape = covered(embedding.grid)
        coarse = tuple(slice(side // 2) for side in shape)
        similarity = halved(enlarge(self._sam_wall.similarity(embedding, click.x, click.y)))
        alike = likeness(self._view(embedding).unit_tokens, click.x, click.y)
        return ClickEvidence.of(
            click.label,
            (click.x, click.y),
            affinity=plane_affinity(planes_of(embedding.wall_maps), click.x, click.y)[coarse],
            similarity=similarity[coarse],
            likeness=doubled(alike),
            logits=continued(click.candidates[1:], embedding.grid, shape),
        )

    def _view(self, embedding: Embedding) -> _PhotoView:
        return self._views.get_or_make(embedding.digest, lambda: self._make_view(embedding))

    def _make_view(self, embedding: Embedding) -> _PhotoView:
        photo = self.photo_evidence(embedding)
        features = covered_features(embedding.features, embedding.grid)
        tokens = tokens_on_features(embedding.tokens, embedding.grid)
        [seen] = self._photo_net.run(
            ["seen"], {"features": np.ascontiguousarray(features), "tokens": tokens[None]}
        )
        return _PhotoView(
            PhotoMaps.of(photo.part(*covered(embedding.grid))),
            mean_of_walls(photo.wall, photo.sam_wall),
            as_float32(seen),
            unit_length(tokens),
        )


def mean_of_walls(wall: FloatArray, sam_wall: FloatArray) -> FloatArray:
    """What both wall networks say together, logits of any shape: their bounded mean.

    That on the photo, the better one, counts twice (training/EXPERIMENTS.md).
    """
    return as_float32((2 * np.clip(wall, -_SURE, _SURE) + np.clip(sam_wall, -_SURE, _SURE)) / 3)


def _checked_files(directory: Path) -> list[ModelFile]:
    """The files of the heads, in the order of `_FILES`, each as heads.json states it."""
    paths = [directory / name for name in _FILES]
    digests = _stated_digests(directory / _MANIFEST_FILE)
    for path, stated in zip(paths, digests, strict=True):
        found = file_digest(path)
        if found != stated:
            raise ModelError(f"{path}: expected sha256 {stated}, found {found}")
    return [ModelFile(path, digest) for path, digest in zip(paths, digests, strict=True)]


def _stated_digests(path: Path) -> list[str]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return [str(files[name]["sha256"]) for name in _FILES]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no digests of the wall heads: {error!r}") from error
