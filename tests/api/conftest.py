"""A program for each test."""

from __future__ import annotations

import pytest

from tests.api.program import Program


@pytest.fixture
def api() -> Program:
    """A program that checks every answer against the API's document."""
    return Program()
