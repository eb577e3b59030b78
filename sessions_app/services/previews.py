"""The low-resolution picture that the page shows at once."""

from __future__ import annotations

import json

from imaging import encode_view
from rendering import render
from rendering.version import RENDERER_VERSION
from segmentation.cache import LruCache
from sessions_app import storage
from sessions_app.errors import WrongState
from sessions_app.models import Session, Wallpaper
from sessions_app.services import masks, prefetch, wallpapers

PREVIEW_QUALITY = 85
KEPT_PREVIEWS = 16  # about 300 kB each

_previews: LruCache[tuple[str, str], bytes] = LruCache(KEPT_PREVIEWS)


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
        prefetch.cancel(session.pk)
        found = _render(session, session.wallpaper)
        _previews.put(key, found)
    return found


def _render(session: Session, wallpaper: Wallpaper) -> bytes:
    wall = prefetch.prepared_wall(session)
    rendered = render(
        wall.photo,
        wall.mask,
        wallpapers.wallpaper_pixels(wallpaper),
        wall.plane,
        wallpapers.current_placement(session),
        brightness=wallpapers.brightness(session),
        keep_shadows=wallpapers.keep_shadows(session),
        analysis=wall.analysis,
    )
    return encode_view(rendered.picture, quality=PREVIEW_QUALITY)
