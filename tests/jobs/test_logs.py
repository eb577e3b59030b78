"""What a person who runs the product finds in the log of a picture that failed."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from jobs import tasks
from sessions_app import storage
from sessions_app.models import Generation
from tests.harness.environment import ROOT
from tests.harness.factories import make_generation
from wallpaper import log_format

SAY = (
    "import logging, django; django.setup(); "
    "logging.getLogger('jobs').warning('hello', extra={'run': 2})"
)


class Lines(logging.Handler):
    """Keeps what would be written, at the level that the settings ask for."""

    def __init__(self, format_name: str) -> None:
        super().__init__(settings.LOG_LEVEL)
        configurator = logging.config.DictConfigurator({"version": 1})
        self.setFormatter(configurator.configure_formatter(log_format.formatter(format_name)))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(self.format(record))


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[Lines]:
    """The log in the format that the test names."""
    handler = Lines(request.param)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def fail() -> Generation:
    """A generation that fails because its stored mask is damaged."""
    generation = make_generation()
    default_storage.delete(generation.mask_key)
    storage.save(generation.mask_key, b"no picture")
    assert tasks.run_generation(str(generation.pk), 1, retry=True).startswith("failed")
    return generation


def process(**environment: str) -> subprocess.CompletedProcess[str]:
    """A process of the product that writes one line to its log."""
    return subprocess.run(
        [sys.executable, "-c", SAY],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "wallpaper.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", ["text"], indirect=True)
def test_the_line_of_a_failed_picture_names_its_ids(written: Lines) -> None:
    generation = fail()

    [line] = [text for text in written.lines if "generation failed" in text]
    first, _, traceback = line.partition("\n")
    assert first.endswith(
        f"generation failed session={generation.session_id} generation={generation.number} run=1"
    )
    assert traceback.startswith("Traceback")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_a_program_that_collects_logs_gets_the_ids_as_fields(written: Lines) -> None:
    generation = fail()

    entries = [json.loads(line) for line in written.lines]
    [entry] = [entry for entry in entries if entry["message"] == "generation failed"]
    assert entry["session"] == str(generation.session_id)
    assert (entry["generation"], entry["run"]) == (generation.number, 1)
    assert (entry["level"], entry["logger"]) == ("WARNING", "jobs.tasks")
    assert entry["timestamp"].endswith("+00:00")
    assert entry["exc_info"].startswith("Traceback")


@pytest.mark.parametrize("written", ["text", "json"], indirect=True)
def test_requests_and_other_objects_are_not_written(written: Lines) -> None:
    logging.getLogger("django.request").warning(
        "Not Found", extra={"request": object(), "status_code": 404}
    )

    assert "object at" not in written.lines[0]
    assert "404" in written.lines[0]


def test_the_setting_chooses_the_format_of_every_process() -> None:
    as_text, as_json = process(), process(LOG_FORMAT="json")

    assert as_text.stderr.endswith(" WARNING jobs: hello run=2\n")
    entry = json.loads(as_json.stderr)
    assert (entry["message"], entry["run"]) == ("hello", 2)


def test_a_format_that_does_not_exist_is_refused_with_a_sentence() -> None:
    refused = process(LOG_FORMAT="xml")

    assert refused.returncode != 0
    assert "LOG_FORMAT must be text or json, not 'xml'" in refused.stderr
