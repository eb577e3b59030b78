"""Addresses of the JSON API, below /v1/: those of the views, each named there."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from sessions_app.api import views  # noqa: F401 - its views enter themselves into the API
from sessions_app.api.endpoint import addresses, api, unknown_address

urlpatterns = [
    *(
        address
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name != "api-root"
        for address in addresses(pattern)
    ),
    # Last: everything else below /v1 answers 404 in JSON, not with the site's page.
    re_path(r"^.*$", unknown_address, name="api-unknown"),
]
