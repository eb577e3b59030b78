"""docs/backends.md tells all codes and all names, and its example is a backend."""

from __future__ import annotations

import re
from typing import Any

from jobs.backends.diffusion.errors import ServiceError
from jobs.backends.diffusion.payload import PICTURES, VALUES
from tests.harness.environment import ROOT

TEXT = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")


def test_every_reason_is_in_the_table() -> None:
    codes = {kind.code for kind in ServiceError.__subclasses__()}

    assert codes == set(re.findall(r"^\| `((?:service|backend)_\w+)` \|", TEXT, re.MULTILINE))


def test_every_value_is_in_the_table() -> None:
    table = TEXT.partition("## Values")[2].partition("\n## ")[0]

    assert set(re.findall(r"`\$(\w+)`", table)) == PICTURES | VALUES


def test_the_example_of_a_backend_is_one(settings: Any) -> None:
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {}
    exec(compile(example[1], "docs/backends.md", "exec"), names)  # our own document
    settings.MINE_URL = ""

    said = names["Mine"]().configured()

    assert said == "The generator 'mine' is not set up on this server: set MINE_URL."
