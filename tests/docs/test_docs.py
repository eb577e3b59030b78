"""The documents name only what exists, and all of what they promise to list."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.docs.configuration_rows import LONG_DEFAULTS, rows, variables
from tests.harness.environment import ROOT

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "benchmarks" / "README.md",
    ROOT / "tools" / "README.md",
    ROOT / "training" / "README.md",
    ROOT / "training" / "EXPERIMENTS.md",
    *sorted((ROOT / "benchmarks" / "results").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
# What people write; the recorded results of benchmarks are as the programs print them.
WRITTEN = [document for document in DOCUMENTS if document.parent.name != "results"]
MOST_COLUMNS = 120
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
TABLE_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \|.*$", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))


def without_code(text: str) -> str:
    return FENCE.sub("", text)


def anchors(document: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_named_exists(document: Path) -> None:
    named = set(
        re.findall(
            r"\bmake ([a-z][a-z-]+)",
            " ".join(re.findall(r"`[^`]+`|```.*?```", document.read_text(), re.DOTALL)),
        )
    )

    assert named - make_targets() == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_management_command_named_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text(encoding="utf-8")))

    assert named - get_commands().keys() == set()


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_longer_than_people_read(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if len(line) > MOST_COLUMNS] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in LINK.findall(without_code(document.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


def test_every_setting_is_in_the_table_as_the_code_has_it() -> None:
    table = text_of("docs/configuration.md").splitlines()

    assert [row for row in rows() if row not in table] == []


def test_long_defaults_are_below_the_table_as_the_code_has_them() -> None:
    text = text_of("docs/configuration.md").partition("## Long defaults")[2]
    shown = " ".join(text.partition("```text")[2].partition("```")[0].split())

    assert shown == " ".join(f"{name}={variables()[name].default}" for name in LONG_DEFAULTS)


def test_the_table_names_no_setting_that_does_not_exist() -> None:
    assert set(TABLE_ROW.findall(text_of("docs/configuration.md"))) - variables().keys() == set()


def test_every_target_of_the_makefile_says_what_it_is_for() -> None:
    public = make_targets() - {"setup-packages", "setup-dev", "setup-weights"}
    described = set(re.findall(r"^([a-z][a-z-]*):.*## ", text_of("Makefile"), re.MULTILINE))

    assert public - described == set()


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) < 150


def test_the_readme_shows_how_to_run_and_how_to_test() -> None:
    assert "make run" in text_of("README.md")
    assert "make test" in text_of("README.md")


def test_the_changelog_has_an_unreleased_part_and_this_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]

    assert headings[0] == "Unreleased"
    assert headings[1] == version


def test_requirements_are_pinned_exactly_and_once() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.split("#")[0].strip() for line in text_of(name).splitlines()]
        pins = sorted(line for line in lines if line and not line.startswith("-r "))

        assert [pin for pin in pins if not re.fullmatch(r"[\w.\-\[\]]+==[\w.]+", pin)] == []
        assert [
            pin
            for pin, after in pairwise(pins)
            if pin.partition("==")[0] == after.partition("==")[0]
        ] == []


def test_ci_runs_what_the_readme_says() -> None:
    ci = text_of(".ci/run")

    assert all(f"make {target}" in ci for target in ("test", "lint", "types", "browser-test"))


def test_the_hooks_before_a_commit_and_a_push_run_what_ci_runs() -> None:
    hooks = set(re.findall(r"^ +entry: (.+)$", text_of(".pre-commit-config.yaml"), re.MULTILINE))
    steps = set(re.findall(r"^step \w+ (make [a-z-]+)", text_of(".ci/run"), re.MULTILINE))

    assert hooks == steps - {"make setup"}


def test_the_licence_is_named_where_people_and_programs_look_for_it() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]

    assert project["license"] == "Apache-2.0"
    assert [name for name in project["license-files"] if not (ROOT / name).is_file()] == []
    assert "Apache-2.0" in text_of("README.md")
    assert "DINOv2" in text_of("NOTICE")
    assert text_of("LICENSE").lstrip().startswith("Apache License")


def test_coverage_counts_every_package_of_the_product() -> None:
    tools = tomllib.loads(text_of("pyproject.toml"))["tool"]

    assert tools["coverage"]["run"]["source"] == tools["importlinter"]["root_packages"]


def test_ci_is_a_valid_shell_script() -> None:
    for script in (
        ".ci/run",
        "tools/setup.sh",
        "tools/lint_templates.sh",
        "tools/javascript.sh",
    ):
        subprocess.run(["sh", "-n", script], cwd=ROOT, check=True, timeout=10)


def test_every_benchmark_is_described() -> None:
    programs = {
        path.name
        for path in (ROOT / "benchmarks").glob("*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    }

    described = text_of("benchmarks/README.md")

    assert {name for name in programs if f"`{name.removesuffix('.py')}`" not in described} == set()
