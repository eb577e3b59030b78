"""What `manage.py generate_batch` is to make: photos with their walls, wallpapers with their
placement, output files.

Reads folders and one CSV file, opens no picture and writes nothing.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

PICTURE_ENDINGS: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".jfif"}
)
MASK_ENDING: Final = ".mask.png"
CLICKS_ENDING: Final = ".clicks.json"
WALLPAPER: Final = "wallpaper"
PLACEMENT_COLUMNS: Final = ("repeat_width_m", "drop", "rotation_deg", "mode")

ClickTuple = tuple[float, float, int]


class BatchError(Exception):
    """The batch cannot be planned, or one of its files cannot be used; `str` is a sentence for the
    user.
    """


@dataclass(frozen=True, slots=True)
class BatchPhoto:
    """A photo, and the file that marks its wall: a mask, else clicks, else none (the wall is
    found).
    """

    path: Path
    name: str
    mask: Path | None
    clicks: Path | None


@dataclass(frozen=True, slots=True)
class BatchWallpaper:
    """A wallpaper: `source` is a file's path, a link or a built-in design's name; `placement` as
    the service takes it.

    error: why it cannot be used; then its pictures fail, and no others.
    """

    source: str
    name: str
    placement: dict[str, Any]
    error: str = ""


@dataclass(frozen=True, slots=True)
class BatchPicture:
    """One picture to be made."""

    photo: BatchPhoto
    wallpaper: BatchWallpaper
    out: Path


def find_photos(folder: Path) -> list[BatchPhoto]:
    """The photos of a folder by name, masks left out.

    Raises:
        BatchError: no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise BatchError(f"There is no folder {folder}.")
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_ENDINGS
        and not path.name.lower().endswith(MASK_ENDING)
        and not path.name.startswith(".")
        and path.is_file()
    )
    if not paths:
        raise BatchError(f"There is no photo in {folder}.")
    names = distinct_names(paths)
    return [
        BatchPhoto(path, name, _file_beside(path, MASK_ENDING), _file_beside(path, CLICKS_ENDING))
        for path, name in zip(paths, names, strict=True)
    ]


def _file_beside(photo: Path, ending: str) -> Path | None:
    path = photo.with_name(photo.stem + ending)
    return path if path.is_file() else None


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A name for each: its stem, or its whole name where two differ only in their ending."""
    stems = [path.stem for path in paths]
    return [path.stem if stems.count(path.stem) == 1 else path.name for path in paths]


def find_wallpapers(given: Path) -> list[BatchWallpaper]:
    """The wallpapers of a folder, or of a CSV file with the columns wallpaper and any of
    `PLACEMENT_COLUMNS`.

    Raises:
        BatchError: there is no such folder or file, nothing is in it, or the CSV has other columns.
    """
    if given.is_dir():
        paths = sorted(
            path
            for path in given.iterdir()
            if path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith(".")
        )
        wallpapers = [
            BatchWallpaper(str(path), name, {})
            for path, name in zip(paths, distinct_names(paths), strict=True)
        ]
    elif given.is_file():
        wallpapers = _wallpapers_of_csv(given)
    else:
        raise BatchError(f"There is no folder and no CSV file {given}.")
    if not wallpapers:
        raise BatchError(f"There is no wallpaper in {given}.")
    return wallpapers


def _wallpapers_of_csv(path: Path) -> list[BatchWallpaper]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    header = text.partition("\n")[0]
    table = csv.DictReader(
        text.splitlines(), delimiter=";" if ";" in header and "," not in header else ","
    )
    columns = [name.strip().lower() for name in table.fieldnames or []]
    unknown = sorted(set(columns) - {WALLPAPER, *PLACEMENT_COLUMNS})
    if WALLPAPER not in columns or unknown:
        raise BatchError(
            f"{path} must have the column wallpaper and may have {', '.join(PLACEMENT_COLUMNS)}"
            + (f", not {', '.join(unknown)}." if unknown else ".")
        )
    table.fieldnames = columns
    rows = [row for row in table if (row[WALLPAPER] or "").strip()]
    names = _numbered(_file_name_part(row[WALLPAPER].strip()) for row in rows)
    return [_wallpaper(row, name, path.parent) for row, name in zip(rows, names, strict=True)]


def _wallpaper(row: dict[str, str], name: str, folder: Path) -> BatchWallpaper:
    given = row[WALLPAPER].strip()
    path = folder / given
    source = str(path) if "://" not in given and path.is_file() else given
    placement: dict[str, Any] = {}
    for column in PLACEMENT_COLUMNS:
        text = (row.get(column) or "").strip()
        if not text:
            continue
        if column == "mode":
            placement[column] = text
            continue
        try:
            placement[column] = 0.5 if (column, text) == ("drop", "half") else float(text)
        except ValueError:
            return BatchWallpaper(source, name, {}, error=f"{column} is not a number: {text!r}")
    return BatchWallpaper(source, name, placement)


def _file_name_part(source: str) -> str:
    """The part of the output's file name for a path, a link or a design."""
    last = urlsplit(source).path if "://" in source else source.replace("\\", "/")
    stem = Path(last).stem or "wallpaper"
    return re.sub(r"[^\w.-]+", "-", stem)


def _numbered(names: Iterable[str]) -> list[str]:
    """Names made distinct in order: roses, roses-2, roses-3.

    >>> _numbered(["a", "a-2", "a"])
    ['a', 'a-2', 'a-3']
    """
    taken: set[str] = set()
    distinct = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        distinct.append(candidate)
    return distinct


def plan_pictures(
    photos: Sequence[BatchPhoto], wallpapers: Sequence[BatchWallpaper], out: Path
) -> list[list[BatchPicture]]:
    """The pictures, grouped by photo; named `<photo>__<wallpaper>.png`."""
    return [
        [
            BatchPicture(photo, wallpaper, out / f"{photo.name}__{wallpaper.name}.png")
            for wallpaper in wallpapers
        ]
        for photo in photos
    ]


def read_clicks(path: Path) -> list[ClickTuple]:
    """The clicks of `{"points": [[x, y, label], ...]}`, in pixels of the upright photo.

    Raises:
        BatchError: the file holds anything else.
    """
    try:
        points = json.loads(path.read_text(encoding="utf-8"))["points"]
        return [(float(x), float(y), int(label)) for x, y, label in points]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BatchError(
            f'{path.name} must hold {{"points": [[x, y, label], ...]}}: {error!r}'
        ) from error


def split_by_photo(
    by_photo: Sequence[Sequence[BatchPicture]], *, concurrency: int, longest: int
) -> list[list[BatchPicture]]:
    """Batches of one photo each, of at most `longest` pictures, and enough of them for
    `concurrency` at a time.
    """
    batches_per_photo = max(1, -(-concurrency // max(1, len(by_photo))))
    batches: list[list[BatchPicture]] = []
    for pictures in by_photo:
        length = min(longest, max(1, -(-len(pictures) // batches_per_photo)))
        batches += [
            list(pictures[start : start + length]) for start in range(0, len(pictures), length)
        ]
    return batches
