"""`python -m onnx_models`: find or fetch the SAM weights and build what is built from them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx_models.errors import ModelSetupError
from onnx_models.prepare import Report, ensure_models
from onnx_models.variants import VARIANTS

_REPOSITORY = Path(__file__).resolve().parent.parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options shared with `manage.py fetch_models`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        choices=sorted(VARIANTS),
        help="build this variant too, without using it (for the benchmarks)",
    )


def folders(environment: Mapping[str, str]) -> tuple[Path | None, Path]:
    """SAM_MODEL_DIR (or None) and the home folder, from WALLPAPER_HOME or `var` in the checkout."""
    own = environment.get("SAM_MODEL_DIR")
    home = environment.get("WALLPAPER_HOME")
    return (Path(own).expanduser() if own else None), (
        Path(home).expanduser() if home else _REPOSITORY / "var"
    )


def run(*, own_directory: Path | None, home: Path, as_json: bool, also: Sequence[str]) -> Report:
    """Fetch and build, telling of progress on stderr and the result on stdout."""
    report = ensure_models(
        own_directory=own_directory,
        home=home,
        say=lambda line: print(line, file=sys.stderr, flush=True),
        extra_variants=tuple(VARIANTS[name] for name in also),
    )
    if as_json:
        print(json.dumps(report.as_json()))
    else:
        names = ", ".join(str(file["file"]) for file in report.files)
        print(f"Model {report.model} is ready in {report.directory} ({names}).")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; 0 when the model is ready, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m onnx_models", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    own, home = folders(os.environ)
    try:
        run(own_directory=own, home=home, as_json=options.json, also=options.also)
    except ModelSetupError as error:
        print(error.user_message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
