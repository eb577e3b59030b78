"""Drawn rooms: photos that are always at hand, to check a variant and round its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def drawn_room() -> npt.NDArray[np.uint8]:
    """A drawn room, uint8 480 x 640 x 3: two walls, floor, window, sofa, picture; fixed noise."""
    import cv2
    import numpy as np

    room = np.zeros((480, 640, 3), np.uint8)
    shade = np.linspace(0, 30, 640)[None, :, None]
    room[:] = np.clip(np.array([206, 198, 182]) - shade, 0, 255).astype(np.uint8)

    def fill(points: list[tuple[int, int]], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(room, [np.array(points, np.int32)], colour, lineType=cv2.LINE_AA)

    fill([(400, 0), (640, 0), (640, 400), (400, 340)], (171, 166, 158))
    fill([(0, 340), (400, 340), (640, 400), (640, 480), (0, 480)], (133, 98, 66))
    fill([(60, 60), (160, 60), (160, 180), (60, 180)], (236, 244, 250))
    fill([(240, 90), (330, 90), (330, 160), (240, 160)], (60, 84, 110))
    fill([(330, 240), (560, 250), (570, 380), (330, 370)], (88, 110, 84))
    noise = np.random.default_rng(1).normal(0, 3, room.shape)
    return np.clip(room + noise, 0, 255).astype(np.uint8)


def drawn_input() -> npt.NDArray[np.float32]:
    """Another such room, 4:3, as SAM's encoder takes it: float32 1 x 3 x 1024 x 1024.

    Upside down with red and blue exchanged: weights are not rounded on the very picture that they
    are checked on.
    """
    import cv2
    import numpy as np

    from segmentation.model import encoder_input

    room = cv2.resize(drawn_room()[::-1, :, ::-1], (1024, 768), interpolation=cv2.INTER_LINEAR)
    return encoder_input(np.asarray(room, np.uint8))
