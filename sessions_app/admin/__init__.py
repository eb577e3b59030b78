"""Django admin: looking into sessions, wallpapers and generations, and the two actions on them.

The rows are a record of what happened, so nothing here can be edited. What can be done (queue again, purge) goes
through the services, which keep rows and stored pictures in step.
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
