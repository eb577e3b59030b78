"""Filters of the lists that need more than a field's name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from sessions_app.models import Generation, Session


class HasResult(admin.SimpleListFilter):
    """Sessions with, or without, a completed generation, even if a later one failed."""

    title = "result"
    parameter_name = "has_result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("yes", "Has a result"), ("no", "Has none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        """The sessions of the choice."""
        done = Generation.objects.filter(session=OuterRef("pk"), state=Generation.State.COMPLETED)
        if self.value() == "yes":
            return queryset.filter(Exists(done))
        if self.value() == "no":
            # A completed session has one, so only other statuses are searched: an index leaves few
            # rows.
            unfinished = [s for s in Session.Status.values if s != Session.Status.COMPLETED]
            return queryset.filter(~Exists(done), status__in=unfinished)
        return queryset


class RecentValues(admin.SimpleListFilter):
    """Generations by a value that their column has among the latest rows.

    Offering every value would mean reading the whole table.
    """

    LATEST = 1000

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The recent values, and the chosen one even if it is older."""
        latest = self.rows().order_by("-queued_at")[: self.LATEST]
        values = set(latest.values_list(self.parameter_name or "", flat=True))
        if self.value():
            values.add(self.value())
        return [(value, value) for value in sorted(values)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Generation]
    ) -> QuerySet[Generation]:
        """The generations of the choice."""
        return (
            queryset.filter(**{self.parameter_name or "": self.value()})
            if self.value()
            else queryset
        )

    def rows(self) -> QuerySet[Generation]:
        """The rows whose values are offered."""
        return Generation.objects.all()


class RecentBackend(RecentValues):
    """By the service that makes the picture."""

    title = "backend"
    parameter_name = "backend"


class RecentReason(RecentValues):
    """By the error code of a failure."""

    title = "error code"
    parameter_name = "error_code"

    def rows(self) -> QuerySet[Generation]:
        """Only failed generations have an error code."""
        return Generation.objects.filter(state=Generation.State.FAILED)
