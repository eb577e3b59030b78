"""The built-in wallpapers and sample rooms, read from two small JSON files beside the pictures.

To add a wallpaper, a shop adds a picture and an entry to `static/designs/catalogue.json` and
restarts; sample rooms are in `static/samples/catalogue.json`. Every entry is checked when it is
read: a wrong one stops the start with a sentence that names it. Neither Django nor its settings are
needed here: paths are relative to the `static` folder.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

STATIC_DIR = Path(__file__).resolve().parent.parent / "static"
DESIGNS_FILE = "designs/catalogue.json"
SAMPLES_FILE = "samples/catalogue.json"

# A repeat below 2 cm or above 20 m is a unit mistake (centimetres or pixels typed as metres).
MIN_REPEAT_M, MAX_REPEAT_M = 0.02, 20.0

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class CatalogueError(ValueError):
    """A catalogue file or one of its entries cannot be used; `detail` says which and why."""

    code = "catalogue_invalid"
    user_message = "The built-in designs could not be read. Ask whoever runs this site to look."

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Design:
    """One built-in wallpaper: one whole repeat as a picture, and its true size.

    file, thumb: paths relative to `static/`, with forward slashes.
    width, height: of the picture, in pixels.
    repeat_width_m: what that width measures on the wall, in metres.
    drop: share of the repeat height, 0 <= drop < 1, by which each next column moves down.
    colours: a few swatches, `#rrggbb`.
    sha256: digest of the file's bytes, in hex.
    """

    slug: str
    title: str
    description: str
    file: str
    thumb: str
    width: int
    height: int
    repeat_width_m: float
    drop: float
    colours: tuple[str, ...]
    keywords: tuple[str, ...]
    sha256: str

    @property
    def repeat_height_m(self) -> float:
        """Height of one repeat on the wall, in metres."""
        return self.repeat_width_m * self.height / self.width

    @property
    def repeat_width_cm(self) -> float:
        """Width of one repeat on the wall, in centimetres, as forms show it."""
        return round(self.repeat_width_m * 100, 2)


@dataclass(frozen=True, slots=True)
class SampleRoom:
    """One room photo to try the product with.

    suggested_click: (x, y) in pixels of the photo, x right, y down, on the main wall.
    Paths, sizes and digest are as in `Design`.
    """

    slug: str
    title: str
    description: str
    file: str
    thumb: str
    width: int
    height: int
    suggested_click: tuple[int, int]
    credit: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One JSON entry, not yet checked; `label` names it in error messages.

    Every reader raises CatalogueError when the value under its key cannot be used.
    """

    values: dict[str, Any]
    label: str
    static_dir: Path

    def fail(self, why: str) -> CatalogueError:
        return CatalogueError(f"{self.label}: {why}")

    def text(self, key: str, *, limit: int = 200) -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            raise self.fail(f"'{key}' must be a text of 1 to {limit} characters")
        return value

    def number(self, key: str, low: float, high: float, *, default: float | None = None) -> float:
        value = self.values.get(key, default)
        # bool is an int in Python; `true` as a width is a mistake, not 1 metre.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(f"'{key}' must be a number")
        if not math.isfinite(value) or not low <= value <= high:
            raise self.fail(f"'{key}' is {value}, allowed is {low} to {high}")
        return float(value)

    def texts(self, key: str, pattern: re.Pattern[str] | None = None) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.fail(f"'{key}' must be a list of texts")
        for one in value:
            if pattern is not None and not pattern.fullmatch(one):
                raise self.fail(f"'{key}' has {one!r}, expected a colour such as #1f3b2d")
        return tuple(value)

    def path(self, key: str) -> Path:
        relative = Path(self.text(key))
        full = (self.static_dir / relative).resolve()
        if relative.is_absolute() or not full.is_relative_to(self.static_dir.resolve()):
            raise self.fail(f"'{key}' must be a path inside static/, not {relative}")
        if not full.is_file():
            raise self.fail(f"'{key}' names {relative}, and there is no such file in static/")
        return full

    def picture_size(self, key: str) -> tuple[int, int]:
        path = self.path(key)
        try:
            with Image.open(path) as picture:
                return picture.size
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise self.fail(f"'{key}' names {path.name}, which is not a picture") from error

    def digest(self) -> str:
        actual = hashlib.sha256(self.path("file").read_bytes()).hexdigest()
        recorded = self.values.get("sha256", actual)
        if recorded != actual:
            raise self.fail(f"the file's sha256 is {actual}, the catalogue says {recorded}")
        return actual

    def point_inside(self, key: str, size: tuple[int, int]) -> tuple[int, int]:
        value = self.values.get(key)
        whole = isinstance(value, list) and all(type(one) is int for one in value)
        if not whole or not isinstance(value, list) or len(value) != 2:
            raise self.fail(f"'{key}' must be two whole numbers, [x, y]")
        x, y = value
        if not (0 <= x < size[0] and 0 <= y < size[1]):
            raise self.fail(f"'{key}' [{x}, {y}] lies outside the {size[0]} x {size[1]} photo")
        return x, y


_SHARED_KEYS = frozenset({"slug", "title", "description", "file", "thumb", "sha256"})
_DESIGN_KEYS = _SHARED_KEYS | {"repeat_width_m", "drop", "colours", "keywords"}
_SAMPLE_KEYS = _SHARED_KEYS | {"suggested_click", "credit"}


def _read_entries(path: Path, key: str) -> list[Any]:
    """The list under `key` in a catalogue file.

    Raises:
        CatalogueError: the file cannot be read, or holds no such list.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CatalogueError(f"{path}: is not valid JSON ({error})") from error
    if not isinstance(data, dict) or not isinstance(data.get(key), list):
        raise CatalogueError(f"{path}: must be an object with a list called '{key}'")
    entries: list[Any] = data[key]
    return entries


def _entries(static_dir: Path, catalogue: str, key: str, keys: frozenset[str]) -> list[_Entry]:
    """The entries of one catalogue, each an object with known keys and a well-formed slug used only
    once.

    Raises:
        CatalogueError: an entry is not.
    """
    checked: list[_Entry] = []
    seen: set[str] = set()
    for position, values in enumerate(_read_entries(static_dir / catalogue, key), start=1):
        label = f"{catalogue}, entry {position}"
        if not isinstance(values, dict):
            raise CatalogueError(f"{label}: must be an object")
        slug = values.get("slug")
        if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
            raise CatalogueError(f"{label}: 'slug' must be lower-case words joined by hyphens")
        entry = _Entry(values, f"{catalogue}, entry '{slug}'", static_dir)
        if slug in seen:
            raise entry.fail("the slug is used twice")
        # An unknown key is nearly always a misspelt known one, which would silently do nothing.
        if unknown := sorted(set(values) - keys):
            raise entry.fail(f"unknown key '{unknown[0]}'; known are {', '.join(sorted(keys))}")
        seen.add(slug)
        checked.append(entry)
    return checked


def _design(entry: _Entry) -> Design:
    width, height = entry.picture_size("file")
    entry.picture_size("thumb")
    drop = entry.number("drop", 0.0, 1.0, default=0.0)
    if drop == 1.0:
        raise entry.fail("'drop' must be less than 1; a whole repeat is no drop, write 0")
    return Design(
        slug=entry.text("slug"),
        title=entry.text("title", limit=40),
        description=entry.text("description"),
        file=entry.text("file"),
        thumb=entry.text("thumb"),
        width=width,
        height=height,
        repeat_width_m=entry.number("repeat_width_m", MIN_REPEAT_M, MAX_REPEAT_M),
        drop=drop,
        colours=entry.texts("colours", _COLOUR),
        keywords=entry.texts("keywords"),
        sha256=entry.digest(),
    )


def _sample(entry: _Entry) -> SampleRoom:
    size = entry.picture_size("file")
    entry.picture_size("thumb")
    return SampleRoom(
        slug=entry.text("slug"),
        title=entry.text("title", limit=40),
        description=entry.text("description"),
        file=entry.text("file"),
        thumb=entry.text("thumb"),
        width=size[0],
        height=size[1],
        suggested_click=entry.point_inside("suggested_click", size),
        credit=entry.text("credit"),
        sha256=entry.digest(),
    )


def load_designs(static_dir: Path = STATIC_DIR) -> tuple[Design, ...]:
    """Read and check the wallpapers of one static folder, in the file's order.

    Raises:
        CatalogueError: naming the entry and what is wrong with it.
    """
    return tuple(map(_design, _entries(static_dir, DESIGNS_FILE, "designs", _DESIGN_KEYS)))


def load_sample_rooms(static_dir: Path = STATIC_DIR) -> tuple[SampleRoom, ...]:
    """Read and check the sample rooms of one static folder, in the file's order.

    Raises:
        CatalogueError: naming the entry and what is wrong with it.
    """
    return tuple(map(_sample, _entries(static_dir, SAMPLES_FILE, "samples", _SAMPLE_KEYS)))


@lru_cache(maxsize=1)
def designs() -> tuple[Design, ...]:
    """The built-in wallpapers, read once per process.

    Raises:
        CatalogueError: a file or an entry cannot be used.
    """
    return load_designs()


def design(slug: str) -> Design | None:
    """The built-in wallpaper with that slug, or None.

    Raises:
        CatalogueError: a file or an entry cannot be used.
    """
    return next((one for one in designs() if one.slug == slug), None)


@lru_cache(maxsize=1)
def sample_rooms() -> tuple[SampleRoom, ...]:
    """The sample rooms, read once per process.

    Raises:
        CatalogueError: a file or an entry cannot be used.
    """
    return load_sample_rooms()


def sample_room(slug: str) -> SampleRoom | None:
    """The sample room with that slug, or None.

    Raises:
        CatalogueError: a file or an entry cannot be used.
    """
    return next((one for one in sample_rooms() if one.slug == slug), None)


def static_path(item: Design | SampleRoom) -> Path:
    """The file of the full-size picture of a built-in design or sample room."""
    return STATIC_DIR / item.file
