"""Addresses of the JSON API, below /v1/."""

from __future__ import annotations

from django.urls import path, re_path

from sessions_app.api import views
from sessions_app.api.endpoint import unknown_address

urlpatterns = [
    path("sessions/create", views.sessions_create, name="api-create"),
    path("sessions/<uuid:session_id>", views.session_itself, name="api-session"),
    path("sessions/<uuid:session_id>/clicks", views.clicks, name="api-clicks"),
    path("sessions/<uuid:session_id>/generate", views.generate, name="api-generate"),
    path("sessions/<uuid:session_id>/cancel", views.cancel, name="api-cancel"),
    path("sessions/<uuid:session_id>/status", views.status, name="api-status"),
    path("sessions/<uuid:session_id>/result.png", views.result, name="api-result"),
    path("wallpapers", views.wallpapers, name="api-wallpapers"),
    path("openapi.json", views.openapi, name="api-openapi"),
    # Last: everything else below /v1 answers 404 in JSON, not with the site's page.
    re_path(r"^.*$", unknown_address, name="api-unknown"),
]
