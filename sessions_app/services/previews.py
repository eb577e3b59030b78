"""The low-resolution picture that the page shows at once."""

from __future__ import annotations

import json

from django.conf import settings

from rendering import NothingSelectedError, Scene, WallPlane, prepare, render
from rendering.version import RENDERER_VERSION
from sessions_app import storage
from sessions_app.errors import WrongState
from sessions_app.image_types import Mask, Pixels
from sessions_app.intake import encode_view
from sessions_app.models import Session, Wallpaper
from sessions_app.recently_used import RecentlyUsed
from sessions_app.services import masks, planes, wallpapers

PREVIEW_QUALITY = 85
KEPT_PREVIEWS = 16  # about 300 kB each
KEPT_SCENES = 6  # at most 20 MB each: 640 x 640 pixels of light and edge colours, and the grain

_previews: RecentlyUsed[tuple[str, str], bytes] = RecentlyUsed(KEPT_PREVIEWS)
_scenes: RecentlyUsed[tuple[str, str], Scene] = RecentlyUsed(KEPT_SCENES)


def preview_version(session: Session) -> str | None:
    """A short text that names the preview's content; None while mask or wallpaper are missing."""
    if not session.has_mask or session.wallpaper is None:
        return None
    content = json.dumps(
        [
            RENDERER_VERSION,
            session.photo_digest,
            masks.version(session),
            session.wallpaper.digest,
            session.placement,
            session.quad,
        ],
        sort_keys=True,
    )
    return storage.digest_of(content.encode())[:20]


def render_preview(session: Session) -> bytes:
    """The preview as JPEG bytes, at most `PREVIEW_MAX_SIDE_PX` on its long side.

    Raises:
        WrongState: mask or wallpaper are missing, or the mask is empty.
        AppError: the model or the store are away.
    """
    version = preview_version(session)
    if version is None or session.wallpaper is None:
        raise WrongState("Click the wall and choose a wallpaper first.", code="no_preview")
    key = (str(session.pk), version)
    found = _previews.get(key)
    if found is None:
        found = _render(session, session.wallpaper)
        _previews.put(key, found)
    return found


def _scene(session: Session, photo: Pixels, mask: Mask, plane: WallPlane) -> Scene:
    """What the photo tells about the marked wall: read once, however many wallpapers are tried on it.

    Raises:
        NothingSelectedError: the mask is empty.
    """
    content = json.dumps([session.photo_digest, masks.version(session), session.quad, photo.shape])
    key = (str(session.pk), content)
    found = _scenes.get(key)
    if found is None:
        found = prepare(photo, mask, plane)
        _scenes.put(key, found)
    return found


def _render(session: Session, wallpaper: Wallpaper) -> bytes:
    photo = masks.view_pixels(session, max_side=settings.PREVIEW_MAX_SIDE_PX)
    mask = masks.pixels(session, size=(photo.shape[1], photo.shape[0]))
    try:
        plane = planes.plane_on(session, photo, mask)
        rendered = render(
            photo,
            mask,
            wallpapers.wallpaper_pixels(wallpaper),
            plane,
            wallpapers.current_placement(session),
            brightness=wallpapers.brightness(session),
            keep_shadows=wallpapers.keep_shadows(session),
            scene=_scene(session, photo, mask, plane),
        )
    except NothingSelectedError as error:
        raise WrongState(error.user_message, code=error.code) from error
    return encode_view(rendered.picture, quality=PREVIEW_QUALITY)
