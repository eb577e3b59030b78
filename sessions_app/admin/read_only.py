"""What the three lists share: nothing can be added, edited or deleted, and rows are searched by a
session's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from sessions_app.admin.paging import BoundedPaginator
from sessions_app.log_digests import DIGITS, log_digest

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin

HEX_DIGITS = frozenset("0123456789abcdef")


class ReadOnlyAdmin(_Base):
    """A read-only admin, searched by ids: whole or their beginning, with or without dashes, or as
    they stand in the log.
    """

    id_fields: tuple[str, ...] = ("id",)
    search_fields = ("id",)
    search_help_text = "A session's id, how it begins, or its digest from the log"
    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50

    class Media:
        """Styles in a file: the Content-Security-Policy forbids inline ones."""

        css = {"all": ["admin_extra/admin.css"]}  # noqa: RUF012 - Django reads this attribute

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Never: only visitors make rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: an edited row would record what did not happen."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never here: the purge deletes rows together with their pictures."""
        return False

    def has_queue_permission(self, request: HttpRequest) -> bool:
        """Queueing again and canceling need the permission to change generations."""
        return request.user.has_perm("sessions_app.change_generation")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        """Purging needs the permission to delete sessions."""
        return request.user.has_perm("sessions_app.delete_session")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows whose own or whose session's id one of the words begins or stands for."""
        words = search_term.split()
        if not words:
            return queryset, False
        wanted = Q(pk__in=())
        for word in words:
            ids = id_range(word)
            if ids is not None:
                for field in self.id_fields:
                    wanted |= Q(**{f"{field}__range": ids})
                    wanted |= Q(**{f"{field}__in": ids_in_log(queryset, field, word)})
        return queryset.filter(wanted), False


def ids_in_log(rows: QuerySet[Any], field: str, word: str) -> list[UUID]:
    """Ids of `rows` that stand in the log as `word`; none, without a query, when it is no digest.

    All ids are gone through: a digest is for logs, and no column is kept for it.
    """
    if len(word) != DIGITS:
        return []
    ids = rows.order_by().prefetch_related(None).values_list(field, flat=True).distinct().iterator()
    return [one for one in ids if log_digest(one) == word.lower()]


def id_range(word: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin with `word`; None when no id does.

    A range, because it uses the primary key's index, and because it means the same on PostgreSQL (a
    native type) and on SQLite (32 digits of text): both order ids by their digits.

    >>> id_range("0f-")
    (UUID('0f000000-0000-0000-0000-000000000000'), UUID('0fffffff-ffff-ffff-ffff-ffffffffffff'))
    >>> id_range("room") is None
    True
    """
    digits = word.replace("-", "").lower()
    if not digits or len(digits) > 32 or not HEX_DIGITS.issuperset(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
