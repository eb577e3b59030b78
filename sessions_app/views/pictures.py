"""Pictures of a room, from the store to their owner's browser and to nobody else's cache."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.core.files.base import File
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from imaging import STORED_CONTENT_TYPE, VIEW_CONTENT_TYPE
from sessions_app import storage
from sessions_app.errors import NotFound
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services import previews, wallpapers
from sessions_app.storage import keys
from sessions_app.views.decorators import visitor_view, with_session

# What these addresses show never changes: results and the photo's views are never overwritten,
# previews carry a version.
FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"


@visitor_view("GET")
@with_session
def photo_view(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The photo as the page shows it."""
    tag = f"{session.photo_digest}-view"
    return _picture(request, lambda: storage.read(keys.photo_view(session.pk)), tag=tag)


@visitor_view("GET")
@with_session
def thumbnail(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The photo as lists show it."""
    tag = f"{session.photo_digest}-thumb"
    return _picture(request, lambda: storage.read(keys.thumbnail(session.pk)), tag=tag)


@visitor_view("GET")
@with_session
def preview(request: HttpRequest, session: Session) -> HttpResponseBase:
    """The wallpaper on the wall, at screen size, as the room stands now."""
    version = previews.preview_version(session)
    named = version is not None and request.GET.get("v") == version
    return _picture(
        request,
        lambda: previews.render_preview(session),
        tag=version or "none",
        cache=FOR_EVER if named else ASK_AGAIN,
    )


@visitor_view("GET")
@with_session
def wallpaper_picture(
    request: HttpRequest, session: Session, wallpaper_id: UUID
) -> HttpResponseBase:
    """A wallpaper the visitor brought, small."""
    wallpaper = (
        session.wallpapers.exclude(source=Wallpaper.Source.DESIGN).filter(pk=wallpaper_id).first()
    )
    if wallpaper is None:
        raise NotFound("This wallpaper is not here any more.")
    return _picture(request, lambda: wallpapers.thumbnail_bytes(wallpaper), tag=wallpaper.digest)


@visitor_view("GET")
@with_session
def result_view(request: HttpRequest, session: Session, number: int) -> HttpResponseBase:
    """A finished picture at screen size."""
    found = _completed(session, number)
    tag = f"{found.result_digest}-view"
    return _picture(request, lambda: storage.read(found.result_view_key), tag=tag)


@visitor_view("GET")
@with_session
def download(request: HttpRequest, session: Session, number: int) -> HttpResponseBase:
    """A finished picture at full resolution, without loss."""
    found = _completed(session, number)
    # Streamed: 50 megapixels without loss are about 100 MB.
    response = _picture(
        request,
        lambda: storage.open_object(found.result_key),
        tag=found.result_digest,
        content_type=STORED_CONTENT_TYPE,
    )
    response.headers["Content-Disposition"] = f'attachment; filename="wallpaper-{number}.png"'
    return response


def _completed(session: Session, number: int) -> Generation:
    found = session.generations.filter(number=number, state=Generation.State.COMPLETED).first()
    if found is None:
        raise NotFound("There is no such picture in this room.")
    return found


def _picture(
    request: HttpRequest,
    read: Callable[[], bytes | File[bytes]],
    *,
    tag: str,
    content_type: str = VIEW_CONTENT_TYPE,
    cache: str = FOR_EVER,
) -> HttpResponseBase:
    """The picture, or 304 when the browser has it; it is read only when it is sent."""
    etag = quote_etag(tag)
    known = get_conditional_response(request, etag=etag)
    response = known or _sent(read(), content_type)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _sent(content: bytes | File[bytes], content_type: str) -> HttpResponseBase:
    if isinstance(content, bytes):
        return HttpResponse(content, content_type=content_type)
    return FileResponse(content, content_type=content_type)
