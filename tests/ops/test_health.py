"""The health addresses: what they say, and what they must not do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.harness import servers
from wallpaper import health

needs_database = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_probe_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that another test left running would answer for this one."""
    fresh = {name: health.Check(check.probe) for name, check in health.CHECKS.items()}
    monkeypatch.setattr(health, "CHECKS", fresh)


@pytest.fixture
def weights(tmp_path: Path, settings: Any) -> Path:
    """A folder that looks like one with weights."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "encoder.onnx").touch()
    (folder / "model.json").touch()
    settings.SAM_MODEL_DIR = str(folder)
    return folder


@pytest.fixture
def hanging() -> Iterator[tuple[health.Check, Callable[[], int]]]:
    """A check that hangs until the test ends, and how often its probe was started."""
    release, started = threading.Event(), []

    def probe() -> str:
        started.append(1)
        release.wait(30)
        return health.OK

    yield health.Check(probe), lambda: len(started)
    release.set()


def test_live_asks_nothing_outside_the_process(client: Client) -> None:
    """Database access is forbidden in this test, and no Redis runs for it."""
    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@needs_database
@pytest.mark.redis
@pytest.mark.usefixtures("weights")
def test_ready_when_all_parts_are_there(client: Client) -> None:
    answer = client.get("/health/ready")

    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "redis": "ok", "storage": "ok", "weights": "ok"},
        "workers": 0,
        "waiting": 0,
    }
    assert answer.status_code == 200


@needs_database
@pytest.mark.usefixtures("weights")
def test_not_ready_without_redis(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == "not reachable"
    assert answer.json()["checks"]["database"] == "ok"


@needs_database
@pytest.mark.redis
def test_not_ready_without_weights(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.SAM_MODEL_DIR = ""
    settings.WALLPAPER_HOME = tmp_path
    settings.BASE_DIR = tmp_path  # a home without weights uses the checkout's

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert "make setup" in answer.json()["checks"]["weights"]


@needs_database
@pytest.mark.redis
@pytest.mark.usefixtures("weights")
def test_not_ready_when_the_store_is_away_and_no_address_is_told(
    client: Client, settings: Any
) -> None:
    endpoint = f"http://127.0.0.1:{servers.free_port()}"
    options = {"bucket_name": "b", "endpoint_url": endpoint, "access_key": "k", "secret_key": "s"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "sessions_app.storage.s3.PrivateS3Storage", "OPTIONS": options},
    }

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"] != "ok"
    assert "127.0.0.1" not in answer.content.decode()


@needs_database
@pytest.mark.redis
@pytest.mark.usefixtures("weights")
def test_a_disk_that_is_nearly_full_is_told(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**62)

    assert client.get("/health/ready").json()["checks"]["storage"] == "the disk is nearly full"


def test_a_part_that_hangs_does_not_hang_the_answer(
    client: Client, monkeypatch: Any, hanging: tuple[health.Check, Callable[[], int]]
) -> None:
    monkeypatch.setattr(health, "ANSWER_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(health, "CHECKS", {"redis": hanging[0]})

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"].startswith("no answer within")


def test_requests_share_the_probe_that_hangs(
    hanging: tuple[health.Check, Callable[[], int]],
) -> None:
    check, started = hanging

    assert check.start() is check.start()
    assert started() <= 1


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_only_reading_is_allowed(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_no_answer_is_kept_by_a_cache(client: Client) -> None:
    assert "no-store" in client.get("/health/live").headers["Cache-Control"]
