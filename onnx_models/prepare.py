"""From nothing to a folder that `segmentation` can load: fetch, build, describe.

The folder ends with `model.json`, written last: it names the encoder and decoder in use with their
digests. The user's own export is configured by giving SAM_MODEL_DIR a `model.json` of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onnx_models.errors import ModelFetchError, VariantError
from onnx_models.fetching.weights import Fetched, fetch_weights
from onnx_models.files import digest_of, locked, read_json, write_json
from onnx_models.manifest import Manifest, load_manifest
from onnx_models.variants import PREFERRED, VARIANTS, Built, Variant, ensure_variant

DESCRIPTION_FILE: Final = "model.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What `ensure_models` found or did; `as_json` is what `--json` prints."""

    directory: Path
    model: str
    files: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain values only."""
        return {
            "directory": str(self.directory),
            "model": self.model,
            "files": list(self.files),
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 3),
        }


def model_directory(own_directory: Path | None, home: Path) -> Path:
    """The folder to load the model from.

    own_directory: SAM_MODEL_DIR or None; counts when it holds a `model.json`, which makes it a
    model of its own. Otherwise the files live in `models` under home (WALLPAPER_HOME), where
    `ensure_models` puts them.
    """
    ours = home / "models"
    if own_directory is None or own_directory.resolve() == ours.resolve():
        return ours
    return own_directory if (own_directory / DESCRIPTION_FILE).is_file() else ours


def ensure_models(
    *,
    own_directory: Path | None,
    home: Path,
    say: Callable[[str], None],
    manifest: Manifest | None = None,
    extra_variants: tuple[Variant, ...] = (),
) -> Report:
    """Make the model folder complete; quick when it already is.

    say: takes one line about what is being done. extra_variants: built too, without becoming the
    ones in use (the benchmarks compare them).

    Raises:
        ModelFetchError: the weights could not be had or written.
    """
    started = time.monotonic()
    directory = model_directory(own_directory, home)
    if directory != home / "models":
        return _own_model(directory, started)
    manifest = manifest or load_manifest()
    try:
        report = _our_model(directory, own_directory, manifest, say, extra_variants, started)
    except OSError as error:
        raise ModelFetchError(
            f"The model files in {directory} cannot be read or written "
            f"({error.strerror or error}); make room there, or set WALLPAPER_HOME to another place."
        ) from error
    for warning in report.warnings:
        say(f"Warning: {warning}")
    return report


def _our_model(
    directory: Path,
    own_directory: Path | None,
    manifest: Manifest,
    say: Callable[[str], None],
    extra_variants: tuple[Variant, ...],
    started: float,
) -> Report:
    """Fetch, build and describe under the folder's lock."""
    warnings: list[str] = []
    with locked(directory, say):
        fetched = fetch_weights(manifest, directory, own_directory=own_directory, say=say)
        reports = {item.entry.file: _file_report(item) for item in fetched}
        content: dict[str, Any] = {"name": manifest.name, "heads": True}
        for role, item in zip(("encoder", "decoder"), fetched, strict=True):
            content[role] = {"file": item.entry.file, "sha256": item.entry.sha256}
        for choice in (*PREFERRED, *((variant,) for variant in extra_variants)):
            for variant in choice:
                try:
                    built = ensure_variant(variant, directory, manifest, say)
                except VariantError as error:
                    warnings.append(f"{variant.file}: {error}; another is used instead.")
                    continue
                reports[variant.file] = _variant_report(variant, built)
                if choice in PREFERRED:
                    content[variant.role] = {"file": variant.file, "sha256": built.sha256}
                break
        write_json(directory / DESCRIPTION_FILE, content)
    return Report(
        directory,
        manifest.name,
        tuple(reports.values()),
        tuple(warnings),
        time.monotonic() - started,
    )


def _variant_report(variant: Variant, built: Built) -> dict[str, Any]:
    return {"file": variant.file, "sha256": built.sha256, "origin": built.origin}


def _file_report(item: Fetched) -> dict[str, Any]:
    return {
        "file": item.entry.file,
        "sha256": item.entry.sha256,
        "licence": item.entry.licence,
        "origin": item.origin,
    }


def _own_model(directory: Path, started: float) -> Report:
    """Check the user's own export: both files there, digests as its model.json states them."""
    path = directory / DESCRIPTION_FILE
    content = read_json(path)
    files = []
    for role in ("encoder", "decoder"):
        entry = content.get(role)
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise ModelFetchError(
                f'{path} must name the {role} as {{"file": "...", "sha256": "..."}}; '
                "docs/models.md has an example."
            )
        file = directory / entry["file"]
        if not file.is_file():
            raise ModelFetchError(f"{path} names {entry['file']}, but {file} does not exist.")
        found = digest_of(file)
        if entry.get("sha256") not in (None, found):
            raise ModelFetchError(
                f"{file} has sha256 {found}, but {path} states {entry['sha256']}; "
                "replace the file or correct the digest."
            )
        files.append({"file": entry["file"], "sha256": found, "origin": "SAM_MODEL_DIR"})
    name = str(content.get("name", directory.name))
    return Report(directory, name, tuple(files), (), time.monotonic() - started)


__all__ = ["VARIANTS", "Report", "ensure_models", "model_directory"]
