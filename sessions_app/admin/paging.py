"""Pages of lists that may have a hundred thousand rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet

if TYPE_CHECKING:
    _Base = Paginator[Any]
else:
    _Base = Paginator

# Two hundred pages; a session further back is found by its id, its date or its state.
COUNTED: Final = 10_000


class BoundedPaginator(_Base):
    """Counts at most COUNTED rows: counting all of a large table costs more than showing a page of
    it.
    """

    @cached_property
    def count(self) -> int:
        """How many rows there are to page through, at most COUNTED."""
        return min(self._seen, COUNTED)

    @property
    def has_uncounted(self) -> bool:
        """True when there are more rows than were counted."""
        return self._seen > COUNTED

    @cached_property
    def _seen(self) -> int:
        # Only the keys, so that the list's annotations are not computed for every row counted.
        rows = cast("QuerySet[Model]", self.object_list)
        return rows.order_by().values("pk")[: COUNTED + 1].count()
