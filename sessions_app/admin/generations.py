"""Generations in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sessions_app.admin import markup
from sessions_app.admin.actions import cancel_each, queue_each
from sessions_app.admin.filters import RecentBackend, RecentReason
from sessions_app.admin.pictures import generation_url, wallpaper_url
from sessions_app.admin.read_only import ReadOnlyAdmin
from sessions_app.models import Generation

GROUPS: dict[str, tuple[str, ...]] = {
    "Generation": ("id", "session_page", "number", "state_badge", "result", "result_digest"),
    "Course": (
        "queued_at",
        "started_at",
        "finished_at",
        "duration",
        "run",
        "stage",
        "progress",
        "lease_until",
        "timings_table",
    ),
    "Replay": ("untouched_outside", "replayed_at", "replayed_same"),
    "Failure": ("error_code", "error_message", "error_text", "attempt_returned"),
    "Inputs": (
        "backend",
        "request_key",
        "mask",
        "mask_digest",
        "wallpaper_picture",
        "placement_table",
        "clicks_json",
        "plane_json",
        "versions_table",
    ),
}


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Every generation with its inputs, its progress and its outcome."""

    id_fields = ("session__id", "id")
    list_display = (
        "result",
        "name",
        "state_badge",
        "backend",
        "wallpaper_title",
        "queued_at",
        "duration",
        "run",
        "error_code",
        "untouched_outside",
        "replayed_same",
    )
    list_display_links = ("name",)
    list_filter = (
        "state",
        RecentBackend,
        RecentReason,
        "untouched_outside",
        "replayed_same",
        "replayed_at",
        "queued_at",
    )
    actions = ("queue_again", "cancel")
    fieldsets = tuple((title, {"fields": fields}) for title, fields in GROUPS.items())
    readonly_fields = tuple(field for fields in GROUPS.values() for field in fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        """Generations, with the wallpapers of those shown.

        In a second query: with a join, SQLite reads and sorts all wallpapers.
        """
        rows: QuerySet[Generation] = super().get_queryset(request)
        return rows.prefetch_related("wallpaper")

    @admin.display(description="result")
    def result(self, row: Generation) -> SafeString | str:
        """The result, small, linked to the full picture."""
        view = generation_url(row, "result-view")
        if not view:
            return markup.NOTHING
        return markup.picture(view, f"Result {row.number}", link=generation_url(row, "result"))

    @admin.display(description="generation", ordering="session_id")
    def name(self, row: Generation) -> str:
        """The session's short id and the generation's number."""
        return f"{markup.short_id(row.session_id)} #{row.number}"

    @admin.display(description="session")
    def session_page(self, row: Generation) -> SafeString:
        """A link to the session."""
        return markup.session_link(row.session_id)

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: Generation) -> SafeString:
        """The state as a badge."""
        return markup.badge(row.state)

    @admin.display(description="worked")
    def duration(self, row: Generation) -> str:
        """Seconds from the start of the work to its end."""
        return markup.seconds(row.seconds)

    @admin.display(description="wallpaper")
    def wallpaper_title(self, row: Generation) -> str:
        """The wallpaper's title."""
        return row.wallpaper.title

    @admin.display(description="mask")
    def mask(self, row: Generation) -> SafeString | str:
        """The mask it was made with."""
        url = generation_url(row, "mask")
        return markup.picture(url, "Mask", link=url) if url else markup.NOTHING

    @admin.display(description="wallpaper")
    def wallpaper_picture(self, row: Generation) -> SafeString | str:
        """The wallpaper it was made with."""
        url = wallpaper_url(row.wallpaper)
        return markup.picture(url, row.wallpaper.title) if url else row.wallpaper.title

    @admin.display(description="timings")
    def timings_table(self, row: Generation) -> SafeString | str:
        """Seconds of each stage."""
        return markup.values(row.timings)

    @admin.display(description="placement")
    def placement_table(self, row: Generation) -> SafeString | str:
        """The placement of the wallpaper."""
        return markup.values(row.placement)

    @admin.display(description="versions")
    def versions_table(self, row: Generation) -> SafeString | str:
        """The versions that made it."""
        return markup.values(row.versions)

    @admin.display(description="clicks")
    def clicks_json(self, row: Generation) -> SafeString | str:
        """The clicks that the mask was made from."""
        return markup.pretty_json(row.clicks)

    @admin.display(description="plane")
    def plane_json(self, row: Generation) -> SafeString | str:
        """The wall's plane."""
        return markup.pretty_json(row.plane)

    @admin.display(description="error detail")
    def error_text(self, row: Generation) -> SafeString | str:
        """The details of the failure, as in the log."""
        return markup.preformatted(row.error_detail)

    @admin.action(description="Queue again", permissions=["queue"])
    def queue_again(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        """A new generation with the same inputs, for each that has ended."""
        queue_each(self, request, queryset.order_by("queued_at"))

    @admin.action(description="Cancel: stop what waits or runs", permissions=["queue"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        """Cancel those in progress; their attempts are given back."""
        cancel_each(self, request, queryset.order_by("queued_at"))
