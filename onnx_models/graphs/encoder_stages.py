"""The stages of MobileSAM's encoder that look through windows, and the strips they are cut into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEAD: Final = 32  # width of an attention head


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of attention in windows. side: of its map. strips: of attention and of perceptrons."""

    index: int
    blocks: int
    width: int
    window: int
    side: int
    strips: tuple[int, int]

    @property
    def heads(self) -> int:
        return self.width // HEAD

    @property
    def padded(self) -> int:
        """Side of the map in whole windows."""
        return -(-self.side // self.window) * self.window


# Strips: fewer leave the caches, more cost two threads an appointment each.
STAGES: Final = (
    Stage(1, 2, 128, 7, 128, (6, 12)),
    Stage(2, 6, 160, 14, 64, (5, 6)),
    Stage(3, 2, 320, 7, 64, (5, 6)),
)
