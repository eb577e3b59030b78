"""Each photo is encoded once by whichever process: real ones, which share only Valkey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from tests.harness import servers
from tests.harness.environment import ROOT
from wallpaper import embedded

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.usefixtures("sam_weights")]

Process = subprocess.Popen[str]


@contextmanager
def ready_processes(listen: Path, count: int) -> Iterator[list[Process]]:
    """Processes that have loaded the model and use the Valkey behind the socket."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "wallpaper.settings",
        "REDIS_URL": f"unix://{quote(str(listen))}?db=0",
    }
    with ExitStack() as open_ones:
        started = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.services.encoding_process"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            started.append(open_ones.enter_context(process))
            open_ones.callback(process.kill)
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield started


@pytest.fixture(scope="module")
def listen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The socket of the Valkey that the processes share."""
    return embedded.valkey_socket(tmp_path_factory.mktemp("shared") / "home")


@pytest.fixture(scope="module")
def three(listen: Path) -> Iterator[list[Process]]:
    """Three processes for all tests: each asks for photos that no other test asks for."""
    with ready_processes(listen, 3) as processes:
        yield processes


@pytest.fixture
def shared_valkey(listen: Path, tmp_path: Path) -> Iterator[redis.Redis]:
    """An empty Valkey of this test alone."""
    with servers.valkey(listen, tmp_path) as url, redis.Redis.from_url(url) as client:
        yield client


def ask(processes: Sequence[Process], *digests: str) -> list[dict[str, Any]]:
    """Ask each process for a photo's embedding, all at once; what each says of its encoding."""
    for process, digest in zip(processes, digests, strict=True):
        assert process.stdin is not None
        process.stdin.write(f"{digest}\n")
        process.stdin.flush()
    said = []
    for process in processes:
        assert process.stdout is not None
        said.append(json.loads(process.stdout.readline()))
    return said


@pytest.mark.usefixtures("shared_valkey")
def test_processes_that_ask_at_once_encode_once(three: list[Process]) -> None:
    found = ask(three, "shared", "shared", "shared")

    assert sum(one["encoded"] for one in found) == 1
    assert len({one["embedding"] for one in found}) == 1


@pytest.mark.usefixtures("shared_valkey")
def test_different_photos_do_not_wait_for_each_other(three: list[Process]) -> None:
    found = ask(three[:2], "one", "another")

    assert [one["encoded"] for one in found] == [1, 1]


@pytest.mark.usefixtures("shared_valkey")
def test_an_embedding_outlives_the_process_that_made_it(listen: Path, three: list[Process]) -> None:
    with ready_processes(listen, 1) as maker:
        [before] = ask(maker, "kept")
    assert maker[0].poll() is not None

    [after] = ask(three[:1], "kept")

    assert (before["encoded"], after["encoded"]) == (1, 0)
    assert after["embedding"] == before["embedding"]


def test_an_embedding_outlives_a_restart_of_valkey(
    listen: Path, tmp_path: Path, three: list[Process]
) -> None:
    maker, other, _ = three
    with servers.valkey(listen, tmp_path):
        [before] = ask([maker], "restarted")

    with servers.valkey(listen, tmp_path):
        [after] = ask([other], "restarted")

    assert (before["encoded"], after["encoded"]) == (1, 0)


def test_a_lost_embedding_is_made_again_the_same(
    three: list[Process], shared_valkey: redis.Redis
) -> None:
    maker, other, _ = three
    [before] = ask([maker], "lost")
    shared_valkey.flushall()

    [after] = ask([other], "lost")

    assert (before["encoded"], after["encoded"]) == (1, 1)
    assert after["embedding"] == before["embedding"]
