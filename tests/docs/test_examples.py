"""The examples in docstrings show what the code really answers."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.harness.environment import ROOT


def modules_with_examples() -> list[str]:
    """Names of all modules of the repository that have an example in a docstring."""
    packages = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in packages
        for file in sorted(package.rglob("*.py"))
        if has_example(file)
    ]


def has_example(file: Path) -> bool:
    lines = file.read_text(encoding="utf-8").splitlines()
    return any(line.lstrip().startswith(">>> ") for line in lines)


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_answer_as_they_say(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), report=True)

    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_examples_are_found() -> None:
    assert len(modules_with_examples()) >= 4
