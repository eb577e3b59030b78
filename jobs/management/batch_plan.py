"""What `manage.py generate_batch` has to make: photos with their walls, wallpapers with their placement, names of outputs.

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
    """The batch cannot be planned, or one of its files cannot be used; `str` is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo, and what says where its wall is: a mask, else clicks, else nothing (the wall is found)."""

    path: Path
    name: str
    mask: Path | None
    clicks: Path | None


@dataclass(frozen=True, slots=True)
class Paper:
    """A wallpaper: `source` is a file's path, a link or a built-in design's name; `placement` in the service's terms.

    fault: why it cannot be used; then it fails for every photo and stops nothing else.
    """

    source: str
    name: str
    placement: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture to be made."""

    photo: Photo
    paper: Paper
    out: Path


def find_photos(folder: Path) -> list[Photo]:
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
        Photo(path, name, _beside(path, MASK_ENDING), _beside(path, CLICKS_ENDING))
        for path, name in zip(paths, names, strict=True)
    ]


def _beside(photo: Path, ending: str) -> Path | None:
    path = photo.with_name(photo.stem + ending)
    return path if path.is_file() else None


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A name for each: its stem, or its whole name where two differ only in their ending."""
    stems = [path.stem for path in paths]
    return [path.stem if stems.count(path.stem) == 1 else path.name for path in paths]


def find_papers(given: Path) -> list[Paper]:
    """The wallpapers of a folder, or of a CSV file with the columns wallpaper and any of `PLACEMENT_COLUMNS`.

    Raises:
        BatchError: neither, nothing in it, or a CSV with other columns.
    """
    if given.is_dir():
        paths = sorted(
            path
            for path in given.iterdir()
            if path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith(".")
        )
        papers = [
            Paper(str(path), name, {})
            for path, name in zip(paths, distinct_names(paths), strict=True)
        ]
    elif given.is_file():
        papers = _papers_of_csv(given)
    else:
        raise BatchError(f"There is no folder and no CSV file {given}.")
    if not papers:
        raise BatchError(f"There is no wallpaper in {given}.")
    return papers


def _papers_of_csv(path: Path) -> list[Paper]:
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
    names = _numbered(_name_of(row[WALLPAPER].strip()) for row in rows)
    return [_paper(row, name, path.parent) for row, name in zip(rows, names, strict=True)]


def _paper(row: dict[str, str], name: str, folder: Path) -> Paper:
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
            return Paper(source, name, {}, fault=f"{column} is not a number: {text!r}")
    return Paper(source, name, placement)


def _name_of(source: str) -> str:
    """A file name's part for a path, a link or a design."""
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


def plan(photos: Sequence[Photo], papers: Sequence[Paper], out: Path) -> list[list[Item]]:
    """The pictures, by photo; named `<photo>__<wallpaper>.png`."""
    return [
        [Item(photo, paper, out / f"{photo.name}__{paper.name}.png") for paper in papers]
        for photo in photos
    ]


def read_clicks(path: Path) -> list[ClickTuple]:
    """The clicks of `{"points": [[x, y, label], ...]}`, in pixels of the upright photo.

    Raises:
        BatchError: anything else is in the file.
    """
    try:
        points = json.loads(path.read_text(encoding="utf-8"))["points"]
        return [(float(x), float(y), int(label)) for x, y, label in points]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BatchError(
            f'{path.name} must hold {{"points": [[x, y, label], ...]}}: {error!r}'
        ) from error


def in_lanes(by_photo: Sequence[Sequence[Item]], *, lanes: int, most: int) -> list[list[Item]]:
    """Strands of pictures of one photo each, at most `most` long, and short enough to keep all lanes busy."""
    pieces = max(1, -(-lanes // max(1, len(by_photo))))
    strands: list[list[Item]] = []
    for items in by_photo:
        length = min(most, max(1, -(-len(items) // pieces)))
        strands += [list(items[at : at + length]) for at in range(0, len(items), length)]
    return strands
