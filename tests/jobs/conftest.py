"""A farm of real workers for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import farm as farms
from tests.harness.farm import Farm


@pytest.fixture
def farm(transactional_db: None, settings: Any) -> Iterator[Farm]:
    """A Valkey and workers on the test's database and files; this process asks on their queue."""
    with farms.farm() as made:
        farms.point_at(made, settings)
        yield made
