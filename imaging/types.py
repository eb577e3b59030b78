"""Array types of pictures and masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]  # H x W x 3, RGB, 0..255
Mask = npt.NDArray[np.uint8]  # H x W, coverage of the wall, 0..255
