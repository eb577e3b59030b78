"""The recipe as values: which programs make the heads, with which arguments, from what to what.

Reads `recipe.toml` and decides which steps are up to date. Runs nothing (`run_recipe.py` does) and
needs no PyTorch.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

RECIPE_PATH: Final = Path(__file__).with_name("recipe.toml")

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class RecipeError(Exception):
    """The recipe cannot be read or followed; one line for the person at the terminal."""


class Status(Enum):
    """How a step stands. The value is what the person at the terminal reads."""

    UP_TO_DATE = "up to date"
    NOT_BEGUN = "not begun"
    BEGUN = "begun, goes on"
    CHANGED = "arguments or inputs changed, begins anew"
    DAMAGED = "outputs missing or changed, begins anew"


@dataclass(frozen=True, slots=True)
class Step:
    """One step with all placeholders filled.

    python: name of the interpreter, "train" or "render". commands: arguments of each call, without
    the interpreter. outputs: what must exist afterwards. scratch: folders that may hold half of an
    earlier training.
    """

    name: str
    python: str
    commands: tuple[tuple[str, ...], ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    scratch: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class RequiredFile:
    """A file that the recipe does not make. how: a sentence that says where it comes from."""

    path: Path
    sha256: str
    how: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """All steps in their order; records of finished steps lie in `records`."""

    steps: tuple[Step, ...]
    files: tuple[RequiredFile, ...]
    records: Path


def load_recipe(
    path: Path = RECIPE_PATH,
    *,
    small: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Recipe:
    """Read a recipe and fill its placeholders.

    small: take the settings of [small] over those of [settings]. settings: taken over both.

    Raises:
        RecipeError: a placeholder has no setting, or a step lacks a name or program.
        OSError, tomllib.TOMLDecodeError: the file cannot be read.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    values = content["settings"] | (content.get("small", {}) if small else {}) | (settings or {})
    try:
        steps = tuple(_step(item, values) for item in content["step"])
    except KeyError as error:
        raise RecipeError(f"{path}: a step lacks {error}.") from error
    files = tuple(
        RequiredFile(Path(_filled_once(item["path"], values)), item["sha256"], item["how"])
        for item in content.get("file", [])
    )
    return Recipe(steps, files, Path(_filled_once("{work}/records", values)))


def chosen_steps(recipe: Recipe, only: Sequence[str]) -> tuple[Step, ...]:
    """The steps with these names in the recipe's order; all of them when no name is given.

    Raises:
        RecipeError: no step has such a name.
    """
    names = [step.name for step in recipe.steps]
    for name in only:
        if name not in names:
            raise RecipeError(f"There is no step {name}; the steps are {', '.join(names)}.")
    return tuple(step for step in recipe.steps if not only or step.name in only)


def status_of(step: Step, records: Path) -> Status:
    """How a step stands, by its record and the files that are there now.

    Raises:
        RecipeError: one of its inputs does not exist.
    """
    record = _read_record(step, records)
    if not record:
        return Status.NOT_BEGUN
    if record.get("fingerprint") != fingerprint(step):
        return Status.CHANGED
    if record.get("outputs") is None:
        return Status.BEGUN
    existing = {str(path): digest_of(path) for path in step.outputs if path.exists()}
    return Status.UP_TO_DATE if existing == record["outputs"] else Status.DAMAGED


def fingerprint(step: Step) -> str:
    """SHA-256 of a step's arguments and of the content of its inputs.

    Raises:
        RecipeError: an input does not exist.
    """
    for path in step.inputs:
        if not path.exists():
            raise RecipeError(f"The step {step.name} needs {path}, which does not exist.")
    content = [step.commands, [(str(path), digest_of(path)) for path in step.inputs]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def record_start(step: Step, records: Path) -> None:
    """Remember with which arguments and inputs a step begins."""
    _write_record(step, records, {"fingerprint": fingerprint(step), "outputs": None})


def record_end(step: Step, records: Path) -> None:
    """Remember what a step has made.

    Raises:
        RecipeError: an output is missing.
    """
    for path in step.outputs:
        if not path.exists():
            raise RecipeError(f"The step {step.name} ended without making {path}.")
    outputs = {str(path): digest_of(path) for path in step.outputs}
    _write_record(step, records, {"fingerprint": fingerprint(step), "outputs": outputs})


def check_files(files: Sequence[RequiredFile], steps: Sequence[Step]) -> None:
    """Check the files that the recipe does not make, as far as the steps read them.

    Raises:
        RecipeError: one is missing or is not the right one.
    """
    needed = {path for step in steps for path in step.inputs}
    for file in files:
        if file.path not in needed:
            continue
        if not file.path.is_file():
            raise RecipeError(f"{file.path} is missing. {file.how}")
        found = digest_of(file.path)
        if found != file.sha256:
            raise RecipeError(f"{file.path} has sha256 {found}, expected {file.sha256}. {file.how}")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's file names and contents without hidden ones."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for inner in sorted(path.rglob("*")):
        name = inner.relative_to(path)
        if inner.is_file() and not any(part.startswith(".") for part in name.parts):
            total.update(f"{name.as_posix()} {digest_of(inner)}\n".encode())
    return total.hexdigest()


def _step(item: Mapping[str, Any], values: Mapping[str, Any]) -> Step:
    python = item.get("python", "train")
    program = item["program"]
    start = (program,) if program.endswith(".py") else ("-m", program)
    shared = item.get("options", {})
    runs = item.get("runs", [{}])
    commands = tuple((*start, *_arguments({**shared, **run}, values)) for run in runs)
    inputs, outputs, scratch = (
        tuple(Path(text) for each in item.get(key, []) for text in _filled(each, values))
        for key in ("inputs", "outputs", "scratch")
    )
    return Step(item["name"], python, commands, inputs, outputs, scratch)


def _arguments(options: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Options as a command line: `{"steps": 5, "plain": true}` is `--steps 5 --plain`."""
    plain = options.get("arguments", [])
    found = [text for each in plain for text in _filled(each, values)]
    for name, value in options.items():
        if name == "arguments" or value is False:
            continue
        found.append(f"--{name}")
        if value is not True:
            several = value if isinstance(value, list) else [value]
            found += [text for each in several for text in _filled(each, values)]
    return found


def _filled(value: Any, values: Mapping[str, Any]) -> list[str]:
    """A value with its placeholders filled; one text for each value of a list that it names.

    Raises:
        RecipeError: a placeholder has no setting.
    """
    text = str(value)
    match = _PLACEHOLDER.search(text)
    if match is None:
        return [text]
    name = match.group(1)
    if name not in values:
        raise RecipeError(f"The recipe names {{{name}}}, which is no setting.")
    setting = values[name]
    several = setting if isinstance(setting, list) else [setting]
    return [
        filled
        for one in several
        for filled in _filled(text[: match.start()] + str(one) + text[match.end() :], values)
    ]


def _filled_once(value: str, values: Mapping[str, Any]) -> str:
    [text] = _filled(value, values)
    return text


def _read_record(step: Step, records: Path) -> dict[str, Any]:
    """A step's record, {} when there is none or it is damaged."""
    try:
        content = json.loads((records / f"{step.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_record(step: Step, records: Path, content: Mapping[str, Any]) -> None:
    records.mkdir(parents=True, exist_ok=True)
    draft = records / f".{step.name}.new"
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(records / f"{step.name}.json")
