"""HTML for the lists: badges, pictures, links, tables of values. All values are escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = "–"


def badge(state: str) -> SafeString:
    """A state as a coloured word."""
    return format_html('<span class="badge badge-{}">{}</span>', state, state.replace("_", " "))


def short_id(row_id: UUID) -> str:
    """The first eight digits, enough to tell rows apart and to search by."""
    return str(row_id)[:8]


def picture(url: str, alt: str, *, link: str = "") -> SafeString:
    """A small picture, linked to a larger one if `link` is given."""
    shown = format_html('<img class="small-picture" src="{}" alt="{}" loading="lazy">', url, alt)
    return format_html('<a href="{}">{}</a>', link, shown) if link else shown


def session_link(session_id: UUID) -> SafeString:
    """The session's short id, linked to its page."""
    url = reverse("admin:sessions_app_session_change", args=[session_id])
    return format_html('<a href="{}">{}</a>', url, short_id(session_id))


def seconds(value: float | None) -> str:
    """A duration in seconds, as text."""
    return NOTHING if value is None else f"{value:.2f} s"


def values(mapping: Mapping[str, Any]) -> SafeString | str:
    """A flat mapping as a table; nested values as JSON."""
    if not mapping:
        return NOTHING
    rows = format_html_join(
        "", "<tr><th>{}</th><td>{}</td></tr>", ((k, plain(v)) for k, v in mapping.items())
    )
    return format_html('<table class="values">{}</table>', rows)


def pretty_json(value: object) -> SafeString | str:
    """A JSON value, indented."""
    if not value:
        return NOTHING
    return format_html(
        '<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False)
    )


def plain(value: object) -> str:
    """One value of a table as text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def preformatted(text: str) -> SafeString | str:
    """A text of several lines, such as a traceback."""
    return format_html('<pre class="detail">{}</pre>', text) if text else NOTHING
