"""What a person who runs the product finds in the log of a picture that failed."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client

from jobs import tasks
from sessions_app import storage
from sessions_app.log_digests import log_digest
from sessions_app.models import Generation
from sessions_app.queueing import queues
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
        f"generation failed session={log_digest(generation.session_id)} "
        f"generation={generation.number} run=1"
    )
    assert traceback.startswith("Traceback")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_a_program_that_collects_logs_gets_the_ids_as_fields(written: Lines) -> None:
    generation = fail()

    entries = [json.loads(line) for line in written.lines]
    [entry] = [entry for entry in entries if entry["message"] == "generation failed"]
    assert entry["session"] == log_digest(generation.session_id)
    assert (entry["generation"], entry["run"]) == (generation.number, 1)
    assert (entry["level"], entry["logger"]) == ("WARNING", "jobs.tasks")
    assert entry["timestamp"].endswith("+00:00")
    assert entry["exc_info"].startswith("Traceback")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", ["text", "json"], indirect=True)
def test_a_sessions_id_stands_nowhere_in_the_log_of_a_failed_picture(written: Lines) -> None:
    session_id = str(fail().session_id)

    text = "\n".join(written.lines)
    assert log_digest(session_id) in text
    assert session_id not in text
    assert session_id.replace("-", "") not in text


@pytest.mark.django_db
@pytest.mark.parametrize("written", ["text", "json"], indirect=True)
def test_an_address_that_failed_is_logged_without_its_id(written: Lines, client: Client) -> None:
    session_id = str(make_generation().session_id)

    assert client.get(f"/v1/sessions/{session_id}/nothing").status_code == 404
    assert client.get(f"/sessions/{session_id.upper()}/").status_code == 404

    [line] = [text for text in written.lines if "Not Found: /v1/" in text]
    assert f"/v1/sessions/{log_digest(session_id)}/nothing" in line
    assert session_id not in "".join(written.lines).lower()


@pytest.mark.parametrize("written", ["text"], indirect=True)
def test_a_job_keeps_the_name_that_the_queue_knows(written: Lines) -> None:
    name = queues.job_id(uuid.uuid4(), 2)

    logging.getLogger("jobs").warning("%s: nothing to do", name)

    assert written.lines[0].endswith(f"{name}: nothing to do")


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
