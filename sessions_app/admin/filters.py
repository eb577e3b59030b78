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
            return queryset.filter(~Exists(done))
        return queryset
