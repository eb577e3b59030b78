"""Filters of the lists that a field alone does not give."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from sessions_app.models import Generation, Session


class HasResult(admin.SimpleListFilter):
    """Sessions with, or without, a completed generation, whatever came after it."""

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
            # Whoever's last picture was made has one; the state's index leaves few rows to look at.
            unfinished = [s for s in Session.Status.values if s != Session.Status.COMPLETED]
            return queryset.filter(~Exists(done), status__in=unfinished)
        return queryset


class RecentValues(admin.SimpleListFilter):
    """Generations by one of the values that a column has among the latest of them.

    All values of a column are only to be had by reading the whole table.
    """

    LATEST = 1000

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The values, and the chosen one even where it is an old one."""
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
        """Where the values are looked for."""
        return Generation.objects.all()


class RecentBackend(RecentValues):
    """By the service that makes the picture."""

    title = "backend"
    parameter_name = "backend"


class RecentReason(RecentValues):
    """By the reason of a failure."""

    title = "error code"
    parameter_name = "error_code"

    def rows(self) -> QuerySet[Generation]:
        """Failures alone have one."""
        return Generation.objects.filter(state=Generation.State.FAILED)
