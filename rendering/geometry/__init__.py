"""Where the wall is in space: lines, vanishing points, lens, plane, scale."""
