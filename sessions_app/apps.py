"""The visitor-facing app."""

from __future__ import annotations

from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    """Named as in the design; `sessions` alone is Django's own."""

    name = "sessions_app"
    verbose_name = "Wallpaper visualizer"
    default_auto_field = "django.db.models.BigAutoField"
