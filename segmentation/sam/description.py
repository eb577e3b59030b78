"""Which files in a folder are the model: `model.json`, or the usual file names without it.

`model.json` (written by `onnx_models`, or by hand for another SAM export):

    {"name": "mobilesam", "heads": true,
     "encoder": {"file": "encoder.onnx", "sha256": "..."},
     "decoder": {"file": "decoder.onnx", "sha256": "..."}}

`sha256` may be left out; the file is then taken as it is. `heads` says that the wall heads fit
this encoder (they were trained on MobileSAM's features alone).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from segmentation.errors import ModelError
from segmentation.runtime import file_digest

DESCRIPTION_FILE: Final = "model.json"
_ENCODER_NAMES: Final = ("encoder.onnx",)
_DECODER_NAMES: Final = ("decoder.onnx", "sam.onnx")
# Part of every identity: raise it when the same files would give other embeddings or masks.
_FORMAT: Final = "2"
# MobileSAM's published encoder: without a model.json the heads are used with this one only.
_MOBILESAM_ENCODER: Final = "18348d144bd357285285dbd75dacd8c44a2789ea63c5edbc908e681516e95246"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model and its SHA-256 in hex."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """An encoder and a decoder that belong together."""

    name: str
    encoder: ModelFile
    decoder: ModelFile
    heads: bool

    def identity(self, heads_digest: str) -> str:
        """Short digest that names the model, its variant and the wall heads in use."""
        text = f"{_FORMAT} {self.encoder.sha256} {self.decoder.sha256} {heads_digest}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe(directory: Path, *, encoder: str | None, decoder: str | None) -> ModelDescription:
    """Find the model in a folder; file names given explicitly win over `model.json`.

    Raises:
        ModelError: there is none; names the folder and what was looked for.
    """
    if encoder is None and decoder is None and (directory / DESCRIPTION_FILE).is_file():
        return _read(directory)
    found_encoder = _file(directory, (encoder,) if encoder else _ENCODER_NAMES)
    found_decoder = _file(directory, (decoder,) if decoder else _DECODER_NAMES)
    return ModelDescription(
        name=found_encoder.path.stem,
        encoder=found_encoder,
        decoder=found_decoder,
        heads=found_encoder.sha256 == _MOBILESAM_ENCODER,
    )


def _file(directory: Path, names: tuple[str, ...]) -> ModelFile:
    for name in names:
        path = directory / name
        if path.is_file():
            return ModelFile(path, file_digest(path))
    raise ModelError(
        f"{directory}: no model here, looked for {DESCRIPTION_FILE} and {' or '.join(names)}; "
        "`manage.py fetch_models` puts the model files in place"
    )


def _read(directory: Path) -> ModelDescription:
    path = directory / DESCRIPTION_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ModelDescription(
            name=str(content["name"]),
            encoder=_entry(directory, content["encoder"]),
            decoder=_entry(directory, content["decoder"]),
            heads=bool(content.get("heads", False)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a model description: {error!r}") from error


def _entry(directory: Path, entry: dict[str, Any]) -> ModelFile:
    path = directory / str(entry["file"])
    stated = entry.get("sha256")
    return ModelFile(path, str(stated) if stated else file_digest(path))
