"""Clicks with undo and redo, as an immutable value.

A history is a list of operations (add a click, clear, find the wall, choose a scope) and a cursor.
Only the operations before the cursor are in effect. Undo and redo move the cursor, so a clear can
be undone too; a new operation removes those that were undone. Stored as JSON in the session's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

CLEAR: Final = "clear"
AUTO: Final = "auto"
# Which walls are meant: the one clicked on, every wall of the photo, or what the clicks suggest.
ScopeName = Literal["clicks", "this", "all"]
SCOPES: Final[tuple[str, ...]] = get_args(ScopeName)
MAX_OPERATIONS: Final = 200

Operation = tuple[float, float, int] | str
ClickTuple = tuple[float, float, int]


@dataclass(frozen=True, slots=True)
class ClickHistory:
    """Operations so far; the first `cursor` of them are in effect."""

    operations: tuple[Operation, ...] = ()
    cursor: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ClickHistory:
        """Read what `as_json` wrote; an empty mapping is an empty history.

        Raises:
            ValueError, TypeError, IndexError: the data was not written by `as_json`.
        """
        operations = tuple(
            item if isinstance(item, str) else (float(item[0]), float(item[1]), int(item[2]))
            for item in data.get("operations", [])
        )
        return cls(operations, int(data.get("cursor", len(operations))))

    def as_json(self) -> dict[str, Any]:
        """As values that JSON can hold."""
        return {
            "operations": [op if isinstance(op, str) else list(op) for op in self.operations],
            "cursor": self.cursor,
        }

    @property
    def clicks(self) -> tuple[ClickTuple, ...]:
        """The clicks in effect, oldest first."""
        return tuple(op for op in self._since(CLEAR, AUTO) if not isinstance(op, str))

    @property
    def is_auto(self) -> bool:
        """True when the wall found without a click is in effect; later clicks correct it."""
        return AUTO in self._since(CLEAR)

    @property
    def scope(self) -> str:
        """The scope chosen last, even before a clear; one of SCOPES."""
        chosen = (op for op in reversed(self.operations[: self.cursor]) if op in SCOPES)
        return str(next(chosen, SCOPES[0]))

    @property
    def has_mask(self) -> bool:
        """True when a mask can be made: from the found wall, or from an include click."""
        return self.is_auto or any(label == 1 for _, _, label in self.clicks)

    @property
    def can_undo(self) -> bool:
        """True when an operation is in effect."""
        return self.cursor > 0

    @property
    def can_redo(self) -> bool:
        """True when an operation was undone."""
        return self.cursor < len(self.operations)

    def add(self, click: ClickTuple) -> ClickHistory:
        """The history with one more click; the same click twice in a row (a double click) counts
        once.
        """
        if self.cursor and self.operations[self.cursor - 1] == click:
            return self
        return self._push(click)

    def replace(self, clicks: Sequence[ClickTuple]) -> ClickHistory:
        """The history with exactly these clicks: a clear, then an addition for each."""
        history = self.clear()
        for click in clicks:
            history = history._push(click)
        return history

    def clear(self) -> ClickHistory:
        """The history with no click in effect; can be undone."""
        return self._push(CLEAR) if self.clicks or self.is_auto else self

    def auto(self) -> ClickHistory:
        """The history with the wall found without a click, in place of all clicks."""
        return self if self.is_auto and not self.clicks else self._push(AUTO)

    def with_scope(self, scope: str) -> ClickHistory:
        """The history with another scope, one of SCOPES; the clicks stay."""
        return self if scope == self.scope else self._push(scope)

    def undo(self) -> ClickHistory:
        """The history with its last operation undone."""
        return ClickHistory(self.operations, max(0, self.cursor - 1))

    def redo(self) -> ClickHistory:
        """The history with the operation undone last in effect again."""
        return ClickHistory(self.operations, min(len(self.operations), self.cursor + 1))

    def _since(self, *marks: str) -> tuple[Operation, ...]:
        """The operations in effect after the last of `marks`."""
        in_effect = self.operations[: self.cursor]
        last = max((n for n, op in enumerate(in_effect) if op in marks), default=-1)
        return in_effect[last + 1 :]

    def _push(self, operation: Operation) -> ClickHistory:
        operations = (*self.operations[: self.cursor], operation)
        return ClickHistory(operations, len(operations))
