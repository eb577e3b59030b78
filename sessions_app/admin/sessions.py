"""Sessions in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString

from sessions_app.admin import markup
from sessions_app.admin.actions import MOST_AT_ONCE, purge_each, queue_each
from sessions_app.admin.filters import HasResult
from sessions_app.admin.pictures import photo_url, picture_urls
from sessions_app.admin.read_only import ReadOnlyAdmin
from sessions_app.admin.session_detail import session_detail
from sessions_app.log_digests import log_digest
from sessions_app.models import Generation, Session


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Find a session, see everything about it, queue it again, purge it."""

    list_display = (
        "thumbnail",
        "short_id",
        "state",
        "source",
        "size",
        "clicks",
        "wallpaper_title",
        "generations_count",
        "attempts_left",
        "created_at",
    )
    list_display_links = ("thumbnail", "short_id")
    list_select_related = ("wallpaper",)
    list_filter = ("status", "source", HasResult, "created_at")
    actions = ("queue_again", "purge")
    change_form_template = "admin/sessions_app/session/change_form.html"
    fields = (
        "id",
        "in_the_log",
        "state",
        "source",
        "created_at",
        "expires_at",
        "attempts_left",
        "size",
        "photo_format",
        "focal_35mm",
        "photo_digest",
        "photo_key",
        "uploaded_mask_key",
        "revision",
        "placement_table",
    )
    readonly_fields = fields

    @admin.display(description="In the log")
    def in_the_log(self, session: Session) -> str:
        """The digest that stands for the id in logs."""
        return log_digest(session.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Sessions with the counts that the list shows, in one query."""
        rows: QuerySet[Session] = super().get_queryset(request)
        # A subquery is evaluated for the rows shown; a join would group the whole table before the
        # first page.
        own = Generation.objects.filter(session=OuterRef("pk")).order_by().values("session")
        return rows.annotate(
            generations_total=Coalesce(Subquery(own.annotate(total=Count("pk")).values("total")), 0)
        )

    def get_urls(self) -> list[URLPattern]:
        """The usual pages, and the pictures."""
        return [*picture_urls(self), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The read-only page, with photo, clicks and generations."""
        session = self.get_object(request, unquote(object_id)) if request.method == "GET" else None
        context: dict[str, Any] = {**(extra_context or {})}
        # Without the permission to view, the base class answers 403, and nothing is computed.
        if session is not None and self.has_view_permission(request, session):
            context |= {
                "detail": session_detail(session),
                "title": f"Session {markup.short_id(session.pk)}",
                "subtitle": None,
                "may_queue": self.has_queue_permission(request),
                "may_purge": self.has_purge_permission(request),
            }
        return super().change_view(request, object_id, form_url, context)

    # --- columns and fields ---------------------------------------------------------------------

    @admin.display(description="photo")
    def thumbnail(self, session: Session) -> SafeString:
        """The photo, small."""
        return markup.picture(photo_url(session.pk, "thumbnail"), "")

    @admin.display(description="id", ordering="id")
    def short_id(self, session: Session) -> str:
        """The beginning of the id."""
        return markup.short_id(session.pk)

    @admin.display(description="status", ordering="status")
    def state(self, session: Session) -> SafeString:
        """The status as a badge."""
        return markup.badge(session.status)

    @admin.display(description="size")
    def size(self, session: Session) -> str:
        """Width and height of the photo, pixels."""
        return f"{session.width} × {session.height}"

    @admin.display(description="clicks")
    def clicks(self, session: Session) -> str:
        """How many clicks mark the wall, or what marks it instead."""
        if session.uploaded_mask_key:
            return "mask"
        return "found" if session.history.is_auto else str(len(session.history.clicks))

    @admin.display(description="wallpaper")
    def wallpaper_title(self, session: Session) -> str:
        """The wallpaper chosen last."""
        return session.wallpaper.title if session.wallpaper else markup.NOTHING

    @admin.display(description="generations")
    def generations_count(self, session: Session) -> int:
        """How many generations the session has."""
        return int(getattr(session, "generations_total", 0))

    @admin.display(description="placement")
    def placement_table(self, session: Session) -> SafeString | str:
        """How the wallpaper lies on the wall."""
        return markup.values(session.placement)

    # --- actions --------------------------------------------------------------------------------

    @admin.action(description="Queue the latest generation again", permissions=["queue"])
    def queue_again(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """A new generation with the inputs of each session's latest one."""
        latest = queryset.order_by().annotate(last=Max("generations__number"))
        numbers = {session.pk: session.last for session in latest}
        rows = Generation.objects.filter(session__in=list(numbers)).order_by("queued_at")
        chosen = [row for row in rows if row.number == numbers[row.session_id]]
        without = len(numbers) - len(chosen)
        if without:
            text = f"{without} session(s) have no generation to queue again."
            self.message_user(request, text, messages.WARNING)
        queue_each(self, request, chosen)

    @admin.action(description="Purge: delete with all pictures", permissions=["purge"])
    def purge(self, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
        """Ask for confirmation, then delete objects and rows."""
        chosen = list(queryset.select_related("wallpaper")[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            text = (
                f"Choose at most {MOST_AT_ONCE} sessions at once; "
                "`manage.py purge` deletes all expired ones."
            )
            self.message_user(request, text, messages.ERROR)
            return None
        if request.POST.get("confirmed") == "yes":
            purge_each(self, request, chosen)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Purge sessions",
            "opts": self.opts,
            "chosen": chosen,
            "active": [s for s in chosen if s.status in Generation.ACTIVE],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        return TemplateResponse(
            request, "admin/sessions_app/session/purge_confirmation.html", context
        )
