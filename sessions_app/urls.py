"""Addresses of the pages. Every address below /s/ is a visitor's own room."""

from __future__ import annotations

from django.urls import include, path

from sessions_app.views import clicks, generation, home, papers, pictures, room

room_patterns = [
    path("", room.session, name="session"),
    path("delete/", room.session_delete, name="session-delete"),
    path("clicks/", clicks.click, name="click"),
    path("clicks/undo/", clicks.click_undo, name="click-undo"),
    path("clicks/redo/", clicks.click_redo, name="click-redo"),
    path("clicks/clear/", clicks.click_clear, name="click-clear"),
    path("scope/", clicks.scope, name="scope"),
    path("find-wall/", clicks.find_wall, name="find-wall"),
    path("wallpaper/design/", papers.wallpaper_design, name="wallpaper-design"),
    path("wallpaper/upload/", papers.wallpaper_upload, name="wallpaper-upload"),
    path("wallpaper/link/", papers.wallpaper_link, name="wallpaper-link"),
    path("placement/", papers.placement, name="placement"),
    path("generate/", generation.generate, name="generate"),
    path("cancel/", generation.cancel, name="cancel"),
    path("status/", generation.status, name="status"),
    path("photo.jpg", pictures.photo_view, name="photo-view"),
    path("thumbnail.jpg", pictures.thumbnail, name="thumbnail"),
    path("preview.jpg", pictures.preview, name="preview"),
    path(
        "wallpapers/<uuid:wallpaper_id>.jpg", pictures.wallpaper_picture, name="wallpaper-picture"
    ),
    path("results/<int:number>.jpg", pictures.result_view, name="result-view"),
    path("results/<int:number>.png", pictures.download, name="download"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("upload/", home.upload, name="upload"),
    path("samples/<slug:slug>/", home.sample, name="sample"),
    path("s/<uuid:session_id>/", include(room_patterns)),
]
