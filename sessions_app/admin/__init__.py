"""Django admin: inspect sessions, wallpapers and generations, queue again, cancel and purge.

The rows record what happened, so nothing here can be edited. The actions call the services, which
keep rows and stored pictures consistent.
"""

from __future__ import annotations

from django.contrib import admin

from sessions_app.admin.generations import GenerationAdmin
from sessions_app.admin.sessions import SessionAdmin
from sessions_app.admin.wallpapers import WallpaperAdmin

__all__ = ["GenerationAdmin", "SessionAdmin", "WallpaperAdmin"]

admin.site.site_header = "Wallpaper visualizer"
admin.site.site_title = "Wallpaper visualizer"
admin.site.index_title = "Sessions and generations"
