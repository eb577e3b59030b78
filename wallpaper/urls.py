"""Every URL of the product."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from jobs import webhooks
from wallpaper import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/", include("sessions_app.api.urls")),
    re_path(
        r"^hooks/replicate/(?P<digest>[0-9a-f]{64})$", webhooks.replicate, name="replicate-hook"
    ),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("", include("sessions_app.urls")),
]

handler400 = "sessions_app.views.errors.bad_request"
handler404 = "sessions_app.views.errors.not_found"
handler500 = "sessions_app.views.errors.server_error"
