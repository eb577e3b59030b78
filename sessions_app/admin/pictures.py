"""Stored pictures for staff: served by the admin, behind its permission check."""

from __future__ import annotations

from uuid import UUID

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse

from sessions_app import storage
from sessions_app.catalogue import design
from sessions_app.errors import AppError
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services.wallpapers import thumbnail_bytes
from sessions_app.storage import keys

JPEG, PNG = "image/jpeg", "image/png"
NAME = "admin-session-picture"


def picture_urls(model_admin: ModelAdmin[Session]) -> list[URLPattern]:
    """URLs of a session's pictures, below that of the session list.

    `admin_view` sends anonymous users to the login; staff who may not view sessions get 403.
    """

    def serve(request: HttpRequest, session_id: UUID, kind: str, which: str = "") -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        return _serve(session_id, kind, which)

    view = model_admin.admin_site.admin_view(serve)
    return [
        path("<uuid:session_id>/pictures/<slug:kind>/", view, name=NAME),
        path("<uuid:session_id>/pictures/<slug:kind>/<slug:which>/", view, name=NAME),
    ]


def photo_url(session_id: UUID, kind: str = "photo") -> str:
    """URL of the photo (`photo`) or its thumbnail (`thumbnail`)."""
    return reverse(f"admin:{NAME}", args=[session_id, kind])


def generation_url(generation: Generation, kind: str) -> str:
    """URL of a generation's `result-view`, `result` or `mask`; empty when there is none."""
    key = {
        "result-view": generation.result_view_key,
        "result": generation.result_key,
        "mask": generation.mask_key,
    }[kind]
    return (
        reverse(f"admin:{NAME}", args=[generation.session_id, kind, generation.number])
        if key
        else ""
    )


def wallpaper_url(wallpaper: Wallpaper) -> str:
    """URL of a wallpaper's thumbnail; empty for a design that is no longer in the gallery."""
    if wallpaper.source == Wallpaper.Source.DESIGN:
        found = design(wallpaper.design)
        return static(found.thumb) if found else ""
    return reverse(f"admin:{NAME}", args=[wallpaper.session_id, "wallpaper", wallpaper.pk])


def _serve(session_id: UUID, kind: str, which: str) -> HttpResponse:
    try:
        data, content_type = _picture(session_id, kind, which)
    except AppError as error:
        return HttpResponse(error.user_message, status=error.status, content_type="text/plain")
    # Stored objects never change, but a purge deletes them: browsers may keep them for five
    # minutes.
    return HttpResponse(
        data, content_type=content_type, headers={"Cache-Control": "private, max-age=300"}
    )


def _picture(session_id: UUID, kind: str, which: str) -> tuple[bytes, str]:
    """Bytes and type of one picture.

    Raises:
        Http404: there is no such kind, generation or wallpaper.
        AppError: the store does not have it, or does not answer.
    """
    if not which and kind == "photo":
        return storage.read(keys.photo_view(session_id)), JPEG
    if not which and kind == "thumbnail":
        return storage.read(keys.thumbnail(session_id)), JPEG
    if kind == "wallpaper":
        return thumbnail_bytes(_wallpaper(session_id, which)), JPEG
    if kind in ("result-view", "result", "mask") and which.isascii() and which.isdecimal():
        return _generation_picture(session_id, kind, int(which[:9]))
    raise Http404


def _wallpaper(session_id: UUID, which: str) -> Wallpaper:
    try:
        found = (
            Wallpaper.objects.filter(pk=UUID(which), session_id=session_id).exclude(key="").first()
        )
    except ValueError as error:
        raise Http404 from error
    if found is None:
        raise Http404
    return found


def _generation_picture(session_id: UUID, kind: str, number: int) -> tuple[bytes, str]:
    generation = Generation.objects.filter(session_id=session_id, number=number).first()
    if generation is None:
        raise Http404
    key, content_type = {
        "result-view": (generation.result_view_key, JPEG),
        "result": (generation.result_key, PNG),
        "mask": (generation.mask_key, PNG),
    }[kind]
    if not key:
        raise Http404
    return storage.read(key), content_type
