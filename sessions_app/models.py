"""A visitor's session, the wallpapers chosen in it, and its generations.

The rows are the only record of state: every change of it is one conditional UPDATE in
`sessions_app.services`. Invariants are constraints of the database wherever it can express them.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from sessions_app.click_history import ClickHistory
from sessions_app.log_digests import log_digest


def default_attempts() -> int:
    """How many generations a new session may ask for."""
    return int(settings.ATTEMPTS_PER_SESSION)


class Session(models.Model):
    """One photo of a room and everything done with it. Its id is random and part of its URLs."""

    class Status(models.TextChoices):
        """The session's status, as the page and the API show it."""

        NEW = "new"
        EMBEDDING_COMPLETED = "embedding_completed"
        QUEUED = "queued"
        GENERATING = "generating"
        COMPLETED = "completed"
        FAILED = "failed"

    class Source(models.TextChoices):
        """Where the session was made, which decides who may see it."""

        WEB = "web"
        API = "api"
        COMMAND = "command"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=10, choices=Source, default=Source.WEB)
    visitor = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.NEW)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    expires_at = models.DateTimeField(db_index=True)

    photo_key = models.CharField(max_length=200)
    photo_digest = models.CharField(max_length=64)
    photo_format = models.CharField(max_length=10)
    focal_35mm = models.FloatField(null=True, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    click_history = models.JSONField(default=dict, blank=True)
    revision = models.PositiveIntegerField(default=0)
    uploaded_mask_key = models.CharField(max_length=200, blank=True)
    # A real rectangle on the wall, if one was given: {"corners": 4 x [x, y] in pixels, "size_m":
    # [width, height]}.
    quad = models.JSONField(default=dict, blank=True)
    wallpaper = models.ForeignKey(
        "Wallpaper", null=True, blank=True, on_delete=models.SET_NULL, related_name="chosen_by"
    )
    placement = models.JSONField(default=dict, blank=True)
    attempts_left = models.IntegerField(default=default_attempts)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(attempts_left__gte=0), name="session_attempts_left_are_never_negative"
            ),
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0), name="session_photo_has_a_size"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=(
                        "new",
                        "embedding_completed",
                        "queued",
                        "generating",
                        "completed",
                        "failed",
                    )
                ),
                name="session_status_is_known",
            ),
        )
        # For the admin's filters, in the order its lists show: a page is read from the index
        # without sorting all rows.
        indexes = (
            models.Index(F("status"), F("created_at"), name="session_status_newest"),
            models.Index(F("source"), F("created_at"), name="session_source_newest"),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def history(self) -> ClickHistory:
        """The clicks, with undo and redo."""
        return ClickHistory.from_json(self.click_history)

    @property
    def has_mask(self) -> bool:
        """True when a wall is marked: by clicks, by finding it, or by an uploaded mask."""
        return bool(self.uploaded_mask_key) or self.history.has_mask


class Wallpaper(models.Model):
    """A wallpaper chosen in a session: a built-in design, an upload, or one fetched from a link."""

    class Source(models.TextChoices):
        """Where the picture came from."""

        DESIGN = "design"
        UPLOAD = "upload"
        LINK = "link"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="wallpapers")
    source = models.CharField(max_length=10, choices=Source)
    design = models.CharField(max_length=60, blank=True)
    link = models.TextField(blank=True)
    title = models.CharField(max_length=120)
    key = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    repeat_width_m = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("session", "source", "digest"),
                name="wallpaper_is_kept_once_in_a_session",
            ),
            models.CheckConstraint(
                condition=Q(source="design", key="") | (~Q(source="design") & ~Q(key="")),
                name="wallpaper_has_a_file_unless_it_is_a_design",
            ),
            models.CheckConstraint(
                condition=Q(repeat_width_m__gt=0), name="wallpaper_repeat_is_positive"
            ),
        )
        indexes = (models.Index(F("source"), F("created_at"), name="wallpaper_source_newest"),)

    def __str__(self) -> str:
        return self.title


class Generation(models.Model):
    """One picture asked for: all its inputs, its progress and its result. Never edited by hand."""

    class State(models.TextChoices):
        """The generation's state."""

        QUEUED = "queued"
        GENERATING = "generating"
        COMPLETED = "completed"
        FAILED = "failed"

    ACTIVE = (State.QUEUED, State.GENERATING)
    # The `error_code` of a generation that was canceled.
    CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    request_key = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    backend = models.CharField(max_length=40)

    clicks = models.JSONField(default=list)
    mask_key = models.CharField(max_length=200)
    mask_digest = models.CharField(max_length=64)
    wallpaper = models.ForeignKey(Wallpaper, on_delete=models.RESTRICT, related_name="generations")
    placement = models.JSONField(default=dict)
    plane = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)

    run = models.PositiveIntegerField(default=1)
    stage = models.CharField(max_length=40, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    timings = models.JSONField(default=dict, blank=True)

    result_key = models.CharField(max_length=200, blank=True)
    result_view_key = models.CharField(max_length=200, blank=True)
    result_digest = models.CharField(max_length=64, blank=True)
    # Checked before storing, and on the stored picture by every replay.
    untouched_outside = models.BooleanField(null=True, blank=True)
    # The last `manage.py replay`: when, and whether it made the same bytes again.
    replayed_at = models.DateTimeField(null=True, blank=True)
    replayed_same = models.BooleanField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)
    took_attempt = models.BooleanField(default=True)
    attempt_returned = models.BooleanField(default=False)

    class Meta:
        ordering = ("-queued_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("session", "number"), name="generation_numbers_are_unique_in_a_session"
            ),
            models.UniqueConstraint(
                fields=("session", "request_key"), name="generation_answers_one_request"
            ),
            models.UniqueConstraint(
                fields=("session",),
                condition=Q(state__in=("queued", "generating")),
                name="session_has_one_generation_in_progress",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "generating", "completed", "failed")),
                name="generation_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="completed", result_key__gt="") | ~Q(state="completed"),
                name="completed_generation_has_a_result",
            ),
            models.CheckConstraint(
                condition=Q(state="failed", error_code__gt="") | ~Q(state="failed"),
                name="failed_generation_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(progress__lte=100), name="generation_progress_is_a_percentage"
            ),
        )
        indexes = (
            models.Index(F("state"), F("lease_until"), name="generation_state_lease"),
            models.Index(F("state"), F("queued_at"), name="generation_state_newest"),
            models.Index(F("backend"), F("queued_at"), name="generation_backend_newest"),
            models.Index(F("error_code"), F("queued_at"), name="generation_error_newest"),
        )

    def __str__(self) -> str:
        return f"{self.session_id} #{self.number}"

    @property
    def is_active(self) -> bool:
        """True while it is queued or generating."""
        return self.state in self.ACTIVE

    @property
    def is_canceled(self) -> bool:
        """True when it was canceled."""
        return self.state == self.State.FAILED and self.error_code == self.CANCELED

    @property
    def seconds(self) -> float | None:
        """Time from the start of the work to its end, in seconds; None before it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def as_log(self) -> dict[str, Any]:
        """What names it in a log line: its session's digest, and numbers."""
        return {
            "session": log_digest(self.session_id),
            "generation": self.number,
            "run": self.run,
        }
