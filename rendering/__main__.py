"""`python -m rendering`: one picture from the command line, without the web product."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from rendering import (
    MODES,
    Placement,
    RenderingError,
    encode_jpeg,
    encode_png,
    estimate_plane,
    plane_from_quad,
    render,
)
from rendering.arrays import U8, u8
from rendering.placement import ROLL_M


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 on success, 1 for a mistake that one line on stderr explains."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except RenderingError as error:
        print(error.user_message, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rendering", description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--mask", type=Path, required=True, help="grey picture, 255 = wall")
    parser.add_argument("--wallpaper", type=Path, required=True)
    parser.add_argument("--quad", help='"x,y x,y x,y x,y": TL, TR, BR, BL pixels')
    parser.add_argument("--quad-size", help="WxH metres of that rectangle")
    parser.add_argument("--repeat-width", type=float, default=0.53, help="metres, default 0.53")
    parser.add_argument("--origin", default="0,0", help="X,Y metres from the quad's TL")
    parser.add_argument("--rotate", type=float, default=0.0, help="degrees, clockwise")
    parser.add_argument("--drop", default="0", help="half, or a fraction of the repeat's height")
    parser.add_argument("--mirror", action="store_true")
    parser.add_argument("--mode", choices=MODES, default="tile")
    parser.add_argument("--seams", action="store_true", help="show the joints between strips")
    parser.add_argument("--strip-width", type=float, default=ROLL_M, help="metres, default 0.53")
    parser.add_argument("--brightness", type=float, default=0.0, help="stops")
    parser.add_argument("--keep-shadows", type=float, default=1.0)
    parser.add_argument("--out", type=Path, required=True, help="PNG or JPEG")
    return parser


def _run(options: argparse.Namespace) -> None:
    photo = _read(options.photo)
    mask = u8(cv2.cvtColor(_read(options.mask), cv2.COLOR_RGB2GRAY))
    if options.quad:
        quad = [_numbers(corner, ",") for corner in options.quad.split()]
        if not options.quad_size or len(quad) != 4:
            raise RenderingError("Give --quad as four corners, and --quad-size as WxH metres.")
        plane = plane_from_quad(quad, _numbers(options.quad_size.lower(), "x"))
    else:
        plane = estimate_plane(photo, mask)
    x, y = _numbers(options.origin, ",")
    placement = Placement(
        repeat_width_m=options.repeat_width,
        origin_m=(x, y),
        rotation_deg=options.rotate,
        drop=0.5 if options.drop == "half" else _number(options.drop),
        mirror=options.mirror,
        mode=options.mode,
        seams=options.seams,
        strip_width_m=options.strip_width,
    )
    done = render(
        photo,
        mask,
        _read(options.wallpaper),
        plane,
        placement,
        brightness=options.brightness,
        keep_shadows=options.keep_shadows,
    )
    jpeg = options.out.suffix.lower() in {".jpg", ".jpeg"}
    options.out.write_bytes(encode_jpeg(done.picture) if jpeg else encode_png(done.picture))


def _read(path: Path) -> U8:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise RenderingError(f"Cannot read {path}: {error.strerror}.") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise RenderingError(f"{path} is not a picture OpenCV can read.")
    return u8(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise RenderingError(f"{text!r} is not a number.") from error


def _numbers(text: str, separator: str) -> tuple[float, float]:
    parts = text.split(separator)
    if len(parts) != 2:
        raise RenderingError(f"{text!r} should be two numbers with {separator!r} between them.")
    return _number(parts[0]), _number(parts[1])


if __name__ == "__main__":
    sys.exit(main())
