"""Wallpapers in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from sessions_app.admin import markup
from sessions_app.admin.pictures import wallpaper_url
from sessions_app.admin.read_only import ReadOnlyAdmin
from sessions_app.models import Wallpaper


@admin.register(Wallpaper)
class WallpaperAdmin(ReadOnlyAdmin):
    """The wallpapers that visitors chose: built-in designs, uploads and links."""

    id_fields = ("session__id", "id")
    list_display = (
        "picture",
        "title",
        "source",
        "size",
        "repeat_width_m",
        "session_page",
        "created_at",
    )
    list_display_links = ("title",)
    list_select_related = ("session",)
    list_filter = ("source", "created_at")
    actions = ()
    fields = (
        "id",
        "session_page",
        "picture",
        "title",
        "source",
        "design",
        "link",
        "size",
        "repeat_width_m",
        "digest",
        "key",
        "created_at",
    )
    readonly_fields = fields

    @admin.display(description="picture")
    def picture(self, wallpaper: Wallpaper) -> SafeString | str:
        """The wallpaper, small."""
        url = wallpaper_url(wallpaper)
        return markup.picture(url, wallpaper.title) if url else markup.NOTHING

    @admin.display(description="size")
    def size(self, wallpaper: Wallpaper) -> str:
        """Width and height of the picture, pixels."""
        return f"{wallpaper.width} × {wallpaper.height}"

    @admin.display(description="session")
    def session_page(self, wallpaper: Wallpaper) -> SafeString:
        """A link to the session."""
        return markup.session_link(wallpaper.session_id)
