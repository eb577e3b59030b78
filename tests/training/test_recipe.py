"""The recipe of the heads: its arguments, what it skips, how it goes on after a stop."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest

from training.recipe import (
    RECIPE_PATH,
    Recipe,
    RecipeError,
    Status,
    Step,
    check_files,
    chosen_steps,
    load_recipe,
    status_of,
)
from training.run_recipe import main

# Appends its number to what it finds, and fails while a file called `broken` lies beside it.
PROGRAM: Final = """
import argparse, pathlib
p = argparse.ArgumentParser()
p.add_argument("--source"), p.add_argument("--out"), p.add_argument("--number", nargs="+")
p.add_argument("--loud", action="store_true")
o = p.parse_args()
here = pathlib.Path(__file__).parent
out = pathlib.Path(o.out)
calls = here / "calls"
calls.write_text((calls.read_text() if calls.exists() else "") + out.name + " ")
out.mkdir(exist_ok=True)
(out / "half").write_text("begun")
if (here / "broken").exists():
    raise SystemExit(3)
(out / "result").write_text(pathlib.Path(o.source).read_text() + " ".join(o.number))
"""

RECIPE: Final = """
[settings]
work = "{folder}"
numbers = [1, 2]
[small]
numbers = [7]
[[file]]
path = "{folder}/source"
sha256 = "{sha256}"
how = "Write it yourself."
[[step]]
name = "first"
program = "{folder}/program.py"
inputs = ["{folder}/source"]
outputs = ["{{work}}/one/result"]
scratch = ["{{work}}/one"]
options = {{ source = "{folder}/source", out = "{{work}}/one", number = "{{numbers}}" }}
[[step]]
name = "second"
program = "{folder}/program.py"
inputs = ["{{work}}/one/result"]
outputs = ["{{work}}/two/result", "{{work}}/three/result"]
options = {{ source = "{{work}}/one/result", number = 5 }}
runs = [{{ out = "{{work}}/two" }}, {{ out = "{{work}}/three", loud = true }}]
"""


class RecipeFolder:
    """A folder with a recipe of two steps and the program that both of them run."""

    def __init__(self, folder: Path) -> None:
        self.place = folder
        self.path = folder / "recipe.toml"
        (folder / "program.py").write_text(PROGRAM)
        (folder / "source").write_text("0 ")
        self.write()

    def write(self, old: str = "", new: str = "") -> None:
        """Write the recipe, one part of it replaced."""
        sha256 = hashlib.sha256((self.place / "source").read_bytes()).hexdigest()
        self.path.write_text(RECIPE.format(folder=self.place, sha256=sha256).replace(old, new))

    def run(self, *arguments: str) -> int:
        """Follow the recipe; the exit status."""
        return main(["--recipe", str(self.path), *arguments])

    def calls(self) -> list[str]:
        """The folders that programs wrote to since the last look, in their order."""
        path = self.place / "calls"
        found = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def result(self, name: str) -> str:
        return (self.place / name / "result").read_text()

    def recipe(self, *, small: bool = False) -> Recipe:
        return load_recipe(self.path, small=small)


@pytest.fixture
def folder(tmp_path: Path) -> RecipeFolder:
    return RecipeFolder(tmp_path)


def test_every_step_runs_in_order_on_what_the_one_before_made(folder: RecipeFolder) -> None:
    assert folder.run() == 0

    assert folder.calls() == ["one", "two", "three"]
    assert folder.result("three") == "0 1 25"


def test_options_and_runs_become_arguments(folder: RecipeFolder) -> None:
    first, second = folder.recipe().steps

    assert first.commands[0][-3:] == ("--number", "1", "2")
    assert [command[-2:] for command in second.commands] == [
        ("--out", f"{folder.place}/two"),
        (f"{folder.place}/three", "--loud"),
    ]


def test_the_small_profile_replaces_settings(folder: RecipeFolder) -> None:
    assert folder.recipe(small=True).steps[0].commands[0][-2:] == ("--number", "7")


def test_what_is_up_to_date_is_skipped(folder: RecipeFolder) -> None:
    folder.run()
    folder.calls()

    assert folder.run() == 0

    assert folder.calls() == []


def test_a_stopped_step_goes_on_with_what_it_had(
    folder: RecipeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.place / "broken").touch()
    assert folder.run() == 1
    assert "step first failed" in capsys.readouterr().err
    (folder.place / "broken").unlink()

    assert folder.run() == 0

    assert "first: begun, goes on" in capsys.readouterr().out
    assert not (folder.place / "one.old").exists()


def test_changed_arguments_begin_anew_and_set_the_older_training_aside(
    folder: RecipeFolder,
) -> None:
    folder.run()
    folder.calls()
    folder.write("numbers = [1, 2]", "numbers = [3]")

    assert folder.run() == 0

    assert folder.calls() == ["one", "two", "three"]
    assert (folder.place / "one.old" / "result").read_text() == "0 1 2"
    assert folder.result("two") == "0 35"


def test_a_step_whose_new_outputs_are_the_old_ones_leaves_the_next_alone(
    folder: RecipeFolder,
) -> None:
    folder.run()
    folder.calls()
    (folder.place / "one" / "result").write_text("damaged")

    assert folder.run() == 0

    assert folder.calls() == ["one"]


def test_only_the_named_step_runs(folder: RecipeFolder) -> None:
    assert folder.run("--only", "first") == 0

    assert folder.calls() == ["one"]


def test_how_steps_stand_is_told_without_running_them(
    folder: RecipeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.run("--only", "first")
    folder.calls()
    capsys.readouterr()

    assert folder.run("--list") == 0

    assert capsys.readouterr().out == "first: up to date\nsecond: not begun\n"
    assert folder.calls() == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "third"], "no step third; the steps are first, second"),
        (["--only", "second"], "second needs"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: RecipeFolder, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert folder.run(*arguments) == 1

    line = capsys.readouterr().err.strip()
    assert reason in line
    assert "\n" not in line


def test_a_file_that_the_recipe_does_not_make_must_be_the_right_one(folder: RecipeFolder) -> None:
    recipe = folder.recipe()
    (folder.place / "source").write_text("another")
    with pytest.raises(RecipeError, match=r"expected .* Write it yourself\."):
        check_files(recipe.files, recipe.steps)

    (folder.place / "source").unlink()
    with pytest.raises(RecipeError, match=r"source is missing\. Write it yourself\."):
        check_files(recipe.files, recipe.steps)
    check_files(recipe.files, chosen_steps(recipe, ["second"]))


def test_a_placeholder_without_a_setting_is_named(folder: RecipeFolder) -> None:
    folder.write("{numbers}", "{nothing}")

    with pytest.raises(RecipeError, match=r"\{nothing\}, which is no setting"):
        folder.recipe()


def test_a_damaged_record_counts_as_none(folder: RecipeFolder) -> None:
    folder.run()
    recipe = folder.recipe()
    (recipe.records / "first.json").write_text("{")

    assert status_of(recipe.steps[0], recipe.records) is Status.NOT_BEGUN


@pytest.mark.parametrize("small", [False, True])
def test_the_shipped_recipe_makes_every_head_from_what_it_made_before(small: bool) -> None:
    recipe = load_recipe(small=small)
    made: set[Path] = set()

    for step in recipe.steps:
        known = made | {file.path for file in recipe.files}
        unknown = [
            path
            for path in step.inputs
            if path not in known and not path.is_relative_to("var/models")
        ]
        assert unknown == [], step.name
        made |= set(step.outputs)

    heads = {path.name for path in made if path.parent.name == "heads"}
    shipped = json.loads((RECIPE_PATH.parents[1] / "onnx_models/heads/heads.json").read_text())
    assert heads == set(shipped["files"])


def test_the_shipped_recipe_trains_both_networks_on_different_rooms() -> None:
    """The click network would trust wall networks too much on rooms that these were trained on."""
    steps = {step.name: step for step in load_recipe().steps}

    kept = [argument_of(steps["train-walls"], "--keep-for-clicks")]
    kept.append(argument_of(steps["train-sam-head"], "--keep-for-clicks"))

    assert kept == [argument_of(steps["prepare-clicks"], "--unseen")] * 2


def argument_of(step: Step, option: str) -> list[str]:
    """The values that a step's first command gives an option."""
    command = step.commands[0]
    values = []
    for text in command[command.index(option) + 1 :]:
        if text.startswith("--"):
            break
        values.append(text)
    return values


@pytest.mark.parametrize("step", load_recipe().steps, ids=lambda step: step.name)
def test_every_program_knows_the_options_that_the_shipped_recipe_gives_it(step: Step) -> None:
    """Read from its source: most programs need PyTorch to start."""
    for command in step.commands:
        program, options = command[0], command
        if program == "-m":
            program = command[1].replace(".", "/") + ".py"
            options = command[2:]
        source = (RECIPE_PATH.parents[1] / program).read_text(encoding="utf-8")
        asked = {text for text in options if text.startswith("--")}

        assert {option for option in asked if f'"{option}"' not in source} == set()
