"""Draws the built-in wallpapers, and prepares any other picture for the catalogue.

    .venv/bin/python -m tools.draw_designs                     all of them, into static/designs
    .venv/bin/python -m tools.draw_designs ticking limewash    only these
    .venv/bin/python -m tools.draw_designs --adopt FILE SLUG   your own picture: file and thumbnail

Each design is drawn from a fixed seed, so drawing again gives the same pixels. The digest and the
swatches of the catalogue's entry of the same slug are brought up to date; a new one is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.artwork import botanical, geometric, ornament

Picture = NDArray[np.uint8]

OUT = Path(__file__).resolve().parent.parent / "static" / "designs"

RECIPES: dict[str, Callable[[np.random.Generator], Picture]] = {
    "deco-fans": geometric.deco_fans,
    "thicket": botanical.thicket,
    "blossom-branch": botanical.blossom_branch,
    "moody-floral": botanical.moody_floral,
    "ogee-damask": ornament.ogee_damask,
    "terrazzo": ornament.terrazzo,
    "folk-garden": ornament.folk_garden,
    "herringbone": geometric.herringbone,
    "limewash": geometric.limewash,
    "ticking": geometric.ticking,
    "plaid": geometric.plaid,
}

THUMB_SIDE = 256
THUMB_BYTES = 24_000
# Above this a design's JPEG quality steps down from 90, but never below 86, where the first
# differences from the drawing begin to show at 100 % on fine lines.
TARGET_BYTES = 300_000
QUALITIES = (90, 88, 86)


def draw(slug: str) -> Picture:
    """One design at full size, uint8 RGB H x W x 3: always the same pixels for the same slug.

    Raises:
        KeyError: the slug has no recipe.
    """
    recipe = RECIPES[slug]
    return recipe(np.random.default_rng(zlib.crc32(recipe.__name__.encode())))


def encode(picture: Image.Image) -> tuple[bytes, str]:
    """The smaller of PNG and JPEG (4:4:4), with its suffix.

    A JPEG is only considered when both sides are multiples of its 8-pixel blocks: otherwise the
    blocks at the far edges are padded with invented pixels and the seam begins to show.
    """
    png = io.BytesIO()
    picture.save(png, "PNG", optimize=True)
    best, suffix = png.getvalue(), ".png"
    if picture.width % 8 or picture.height % 8:
        return best, suffix
    for quality in QUALITIES:
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
        if jpeg.tell() < len(best):
            best, suffix = jpeg.getvalue(), ".jpg"
        if len(best) <= TARGET_BYTES:
            break
    return best, suffix


def thumbnail(picture: Image.Image) -> bytes:
    """A square WebP of the design, tiled to a square first, so that no motif is cut oddly."""
    pixels = np.asarray(picture)
    side = max(picture.size)
    square = np.take(pixels, np.arange(side) % pixels.shape[0], axis=0)
    square = np.take(square, np.arange(side) % pixels.shape[1], axis=1)
    small = Image.fromarray(square).resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    for quality in (82, 74, 66, 58):
        webp = io.BytesIO()
        small.save(webp, "WEBP", quality=quality, method=6)
        if webp.tell() <= THUMB_BYTES:
            break
    return webp.getvalue()


def swatches(picture: Image.Image, count: int = 4) -> list[str]:
    """The design's main colours as `#rrggbb`, most frequent first (median cut)."""
    small = picture.resize((128, 128), Image.Resampling.BOX)
    cut = small.quantize(count, method=Image.Quantize.MEDIANCUT)
    palette = cut.getpalette() or []
    frequent = sorted(cut.getcolors() or [], reverse=True)
    indices = [int(index) for _, index in frequent if isinstance(index, int)]
    return ["#" + bytes(palette[3 * i : 3 * i + 3]).hex() for i in indices]


def store(slug: str, picture: Image.Image, out: Path) -> dict[str, Any]:
    """Write the design's file and thumbnail; returns what its catalogue entry must say."""
    data, suffix = encode(picture)
    for stale in (".png", ".jpg"):
        (out / f"{slug}{stale}").unlink(missing_ok=True)
    (out / "thumbs").mkdir(parents=True, exist_ok=True)
    (out / f"{slug}{suffix}").write_bytes(data)
    (out / "thumbs" / f"{slug}.webp").write_bytes(thumbnail(picture))
    return {
        "file": f"designs/{slug}{suffix}",
        "thumb": f"designs/thumbs/{slug}.webp",
        "colours": swatches(picture),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def record(slug: str, facts: dict[str, Any], catalogue: Path) -> None:
    """Bring the catalogue's entry up to date, or print one to complete and paste."""
    data = json.loads(catalogue.read_text(encoding="utf-8")) if catalogue.is_file() else {}
    entry = next((one for one in data.get("designs", []) if one.get("slug") == slug), None)
    if entry is None:
        new = {"slug": slug, "title": "", "description": "", "repeat_width_m": 0.5, **facts}
        print(f"Fill in and add to {catalogue}:\n{json.dumps(new, indent=2)}")
        return
    entry.update(facts)
    text = json.dumps(data, indent=2, ensure_ascii=False)
    catalogue.write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="designs to draw (default: all)")
    parser.add_argument("--adopt", nargs=2, metavar=("FILE", "SLUG"), help="take in a picture")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the designs")
    options = parser.parse_args(arguments)
    if unknown := set(options.slugs) - set(RECIPES):
        parser.error(f"no such design: {', '.join(sorted(unknown))}; known: {', '.join(RECIPES)}")
    # One thread gives the same sums everywhere; drawing is rare enough not to need more.
    cv2.setNumThreads(1)
    if options.adopt:
        source, slug = options.adopt
        with Image.open(source) as picture:
            record(
                slug,
                store(slug, picture.convert("RGB"), options.out),
                options.out / "catalogue.json",
            )
        return 0
    for slug in options.slugs or RECIPES:
        facts = store(slug, Image.fromarray(draw(slug)), options.out)
        record(slug, facts, options.out / "catalogue.json")
        print(f"{slug}: {facts['file']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
