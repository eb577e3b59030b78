"""`manage.py fetch_models` says what is there, and answers failures in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.model
def test_a_ready_model_is_reported_as_json(
    weights_folder: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SAM_MODEL_DIR = str(weights_folder)

    call_command("fetch_models", json=True)

    report = json.loads(capsys.readouterr().out)
    assert report["directory"] == str(weights_folder)
    assert len(report["files"]) >= 2


def test_a_failure_is_a_command_error_of_one_line(tmp_path: Path, settings: Any) -> None:
    settings.SAM_MODEL_DIR = str(tmp_path)
    (tmp_path / "model.json").write_text("{}")

    with pytest.raises(CommandError) as caught:
        call_command("fetch_models")

    assert "must name the encoder" in str(caught.value)
    assert "\n" not in str(caught.value)
