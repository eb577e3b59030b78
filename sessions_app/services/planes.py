"""The plane of the marked wall: given as a true rectangle, or estimated once for each mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import UUID

from imaging.types import Mask, Pixels
from rendering import WallPlane, estimate_plane, plane_from_quad
from segmentation.cache import LruCache
from sessions_app.error_translation import translated
from sessions_app.errors import NotFound
from sessions_app.models import Session
from sessions_app.services import masks

FILM_DIAGONAL_MM = math.hypot(36, 24)
KEPT_PLANES = 64

PlaneKey = tuple[UUID, str, tuple[int, int]]
_planes: LruCache[PlaneKey, WallPlane] = LruCache(KEPT_PLANES)


def use_quad(
    *, session_id: UUID, corners: Sequence[Sequence[float]], size_m: Sequence[float]
) -> Session:
    """Fix the plane by a true rectangle on the wall: TL, TR, BR, BL in photo pixels, size in
    metres.

    Raises:
        BadRequest: the corners are no rectangle seen in perspective.
    """
    with translated():
        plane = plane_from_quad(corners, size_m)
    quad = {"corners": plane.quad.tolist(), "size_m": list(plane.size_m)}
    if not Session.objects.filter(pk=session_id).update(quad=quad):
        raise NotFound("This room is not here any more.")
    return Session.objects.get(pk=session_id)


def plane_on(session: Session, photo: Pixels, mask: Mask) -> WallPlane:
    """The marked wall's plane in pixels of `photo`, which may be smaller than the session's.

    Args:
        photo: uint8 H x W x 3 RGB.
        mask: the marked wall at the same size, uint8 H x W.

    Raises:
        WrongState: the mask is empty.
    """
    if session.quad:
        given = plane_from_quad(session.quad["corners"], session.quad["size_m"])
        return given.scaled(photo.shape[1] / session.width)
    key: PlaneKey = (session.pk, masks.version(session), photo.shape[:2])
    return _planes.get_or_make(key, lambda: _estimate(session, photo, mask))


def _estimate(session: Session, photo: Pixels, mask: Mask) -> WallPlane:
    height, width = photo.shape[:2]
    focal = focal_px(session.focal_35mm, width=width, height=height)
    with translated():
        return estimate_plane(photo, mask, focal_px=focal)


def focal_px(focal_35mm: float | None, *, width: int, height: int) -> float | None:
    """The focal length in pixels of a picture of that size; None when the file did not say.

    35 mm equivalents go by the diagonal of the film frame (CIPA DCG-001).
    """
    if focal_35mm is None:
        return None
    return focal_35mm / FILM_DIAGONAL_MM * math.hypot(width, height)
