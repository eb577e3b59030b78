"""Make all wall heads in one run, or go on where a run was stopped.

    python -m training.run_recipe [--only STEP ...] [--small] [--list]
        [--rooms DIR ...] [--encoder FILE] [--models DIR] [--work DIR] [--render-python PYTHON]

Follows training/recipe.toml. A step whose arguments, inputs and outputs are unchanged is skipped;
one that was stopped goes on. --rooms takes rooms that are rendered already and leaves the step
render-rooms out. --list only says how the steps stand. The new heads lie in WORK/heads; the shipped
ones stay until you have measured and copied the new ones.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from training.recipe import (
    RECIPE_PATH,
    RecipeError,
    Status,
    Step,
    check_files,
    chosen_steps,
    load_recipe,
    record_end,
    record_start,
    status_of,
)

_RENDER_STEP: Final = "render-rooms"
_BEGINS_ANEW: Final = (Status.CHANGED, Status.DAMAGED)


def run_step(step: Step, records: Path, pythons: Mapping[str, str]) -> bool:
    """Run a step unless it is up to date; returns whether it ran.

    pythons: interpreter by the name that steps give it.

    Raises:
        RecipeError: an input is missing, a program failed, or an output was not made.
    """
    status = status_of(step, records)
    print(f"{step.name}: {status.value}", flush=True)
    if status is Status.UP_TO_DATE:
        return False
    if status in _BEGINS_ANEW:
        set_aside(step.scratch)
    record_start(step, records)
    for path in step.outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
    for command in step.commands:
        done = subprocess.run([pythons[step.python], *command], check=False)
        if done.returncode != 0:
            raise RecipeError(
                f"The step {step.name} failed in `{' '.join(command[:2])}` (exit status "
                f"{done.returncode}); run the recipe again to go on from there."
            )
    record_end(step, records)
    return True


def set_aside(folders: Sequence[Path]) -> None:
    """Rename folders to NAME.old, in place of an older NAME.old: nothing goes on from what they
    hold.
    """
    for folder in folders:
        if folder.exists():
            old = folder.with_name(f"{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)


def describe(steps: Sequence[Step], records: Path) -> None:
    """Print how every step stands."""
    for step in steps:
        try:
            print(f"{step.name}: {status_of(step, records).value}")
        except RecipeError as error:
            print(f"{step.name}: waits. {error}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; 0 when every chosen step is done, 1 with one line on stderr when not."""
    options = _parser().parse_args(arguments)
    try:
        recipe = load_recipe(options.recipe, small=options.small, settings=_settings(options))
        steps = chosen_steps(recipe, options.only)
        if options.rooms:
            steps = tuple(step for step in steps if step.name != _RENDER_STEP)
        if options.list:
            describe(steps, recipe.records)
            return 0
        check_files(recipe.files, steps)
        pythons = {"train": sys.executable, "render": options.render_python}
        for step in steps:
            run_step(step, recipe.records, pythons)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The recipe's settings that the command line replaces."""
    given = {name: getattr(options, name) for name in ("rooms", "encoder", "models", "work")}
    return {name: value for name, value in given.items() if value}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE_PATH)
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP")
    parser.add_argument("--small", action="store_true", help="two rooms, a few training steps")
    parser.add_argument("--list", action="store_true", help="say how the steps stand")
    parser.add_argument("--rooms", nargs="+", metavar="DIR", help="rooms that are rendered already")
    parser.add_argument("--encoder", metavar="FILE", help="DINOv2's ViT-S/14, ONNX")
    parser.add_argument("--models", metavar="DIR", help="folder of MobileSAM")
    parser.add_argument("--work", metavar="DIR", help="folder of everything that is made")
    parser.add_argument(
        "--render-python", default=sys.executable, help="interpreter that has Blender"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
