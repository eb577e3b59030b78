"""The networks that know what a wall is, beside SAM.

- the wall network reads the photo: where walls are, which of their pixels share a plane;
- the head on SAM's embedding (`sam_wall`) gives a second opinion;
- the click network weighs both against the clicks, each decoded alone by SAM -> the wall meant.

All trained on our own rendered rooms alone (`training/`). Optional: without the files the model is
plain SAM.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from segmentation.click_maps import MAPS, ClickEvidence, Scope, click_maps, plane_affinity
from segmentation.contract import HeadCheck
from segmentation.errors import ModelError
from segmentation.geometry import MASK_SIDE, FloatArray
from segmentation.runtime import LazySession, as_float32, file_digest
from segmentation.sam_wall import SamWallHead
from segmentation.scene import (
    FEATURE_CHANNELS,
    SCENE_SHAPE,
    SCENE_SIDE,
    enlarge,
    features_of,
    on_scene_grid,
    planes_of,
    scene_input,
    wall_of,
)
from segmentation.values import DecodedClick, Embedding

HEADS_DIRECTORY: Final = Path(__file__).resolve().parent.parent / "onnx_models" / "heads"

_MANIFEST_FILE: Final = "heads.json"
_SURE: Final = 9.0  # logits beyond it count no more against the other network
_FILES: Final = ("wall_net.onnx", "click_net.onnx", "wall_head.onnx", "embedding_stats.npz")


class WallHeads:
    """The networks in one folder."""

    def __init__(self, directory: Path, *, encoder_threads: int, threads: int) -> None:
        """Raises ModelError when a file is missing or is not the one that heads.json states.

        encoder_threads: for the network that runs once a photo; threads: for those of each click.
        """
        paths = [directory / name for name in _FILES]
        digests = _stated_digests(directory / _MANIFEST_FILE)
        for path, stated in zip(paths, digests, strict=True):
            found = file_digest(path)
            if found != stated:
                raise ModelError(f"{path}: expected sha256 {stated}, found {found}")
        self.digest = hashlib.sha256(" ".join(digests).encode()).hexdigest()
        self._wall_net = LazySession(
            paths[0],
            sha256=digests[0],
            threads=encoder_threads,
            check=HeadCheck(
                {"photo": (1, 3, None, None)}, {"scene": (1, SCENE_SHAPE[0], None, None)}
            ),
        )
        self._click_net = LazySession(
            paths[1],
            sha256=digests[1],
            threads=threads,
            check=HeadCheck(
                {
                    "maps": (1, MAPS, MASK_SIDE, MASK_SIDE),
                    "features": (1, FEATURE_CHANNELS, SCENE_SIDE, SCENE_SIDE),
                },
                {"logit": (1, 1, MASK_SIDE, MASK_SIDE)},
            ),
        )
        self._sam_wall = SamWallHead(paths[2], paths[3], sha256=digests[2], threads=threads)

    def warm_up(self) -> None:
        """Load every graph now. Raises ModelError."""
        _ = self._wall_net.signature, self._click_net.signature
        self._sam_wall.warm_up()

    def scene(self, photo: npt.NDArray[np.uint8]) -> FloatArray:
        """What the wall network sees in a photo, uint8 H x W x 3 RGB: float32 33 x 128 x 128."""
        picture, extent = scene_input(photo)
        [found] = self._wall_net.run(["scene"], {"photo": picture})
        return on_scene_grid(found[0], extent)

    def walls(self, embedding: Embedding) -> FloatArray:
        """All walls without a click, logits float32 256 x 256: the mean of two networks.

        The one on the photo and the one on SAM's features err in different places: on 26 real photos
        IoU 0.58 and 0.55 alone, 0.61 together.
        """
        photo, sam = wall_of(embedding.scene), self._sam_wall.view(embedding).logit
        return as_float32((np.clip(photo, -_SURE, _SURE) + np.clip(sam, -_SURE, _SURE)) / 2)

    def fuse(
        self, embedding: Embedding, clicks: Sequence[DecodedClick], scope: Scope = Scope.UNSAID
    ) -> FloatArray:
        """The click network's wall logit, float32 256 x 256, for any number of clicks."""
        scene = embedding.scene
        maps = click_maps(
            wall_of(scene),
            self._sam_wall.view(embedding).logit,
            embedding.thumbnail,
            [self._evidence(embedding, click) for click in clicks],
            scope,
        )
        [logit] = self._click_net.run(
            ["logit"], {"maps": maps[None], "features": features_of(scene)[None]}
        )
        return as_float32(logit[0, 0])

    def _evidence(self, embedding: Embedding, click: DecodedClick) -> ClickEvidence:
        return ClickEvidence(
            click.label,
            click.x,
            click.y,
            plane_affinity(planes_of(embedding.scene), click.x, click.y),
            enlarge(self._sam_wall.similarity(embedding, click.x, click.y)),
            click.candidates[1:].astype(np.float32),
        )


def _stated_digests(path: Path) -> list[str]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return [str(files[name]["sha256"]) for name in _FILES]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no digests of the wall heads: {error!r}") from error
