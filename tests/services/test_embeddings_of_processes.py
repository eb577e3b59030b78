"""Each photo is encoded once by whichever process: real ones, which share only Valkey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness import servers
from tests.harness.environment import ROOT
from wallpaper import embedded

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("sam_weights")]


@contextmanager
def ready_processes(url: str, *digests: str) -> Iterator[list[subprocess.Popen[str]]]:
    """One process for each photo, loaded and waiting for the word."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "wallpaper.settings", "REDIS_URL": url}
    with ExitStack() as open_ones:
        started = []
        for digest in digests:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.services.encoding_process", digest],
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


def outcomes(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """Give all the word at once; what each says of its encoding."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = []
    for process in processes:
        assert process.stdout is not None
        said.append(json.loads(process.stdout.readline()))
    return said


def test_processes_that_ask_at_once_encode_once(valkey: str) -> None:
    with ready_processes(valkey, "shared", "shared", "shared") as three:
        found = outcomes(three)

    assert sum(one["encoded"] for one in found) == 1
    assert len({one["embedding"] for one in found}) == 1


def test_different_photos_do_not_wait_for_each_other(valkey: str) -> None:
    with ready_processes(valkey, "one", "another") as two:
        found = outcomes(two)

    assert [one["encoded"] for one in found] == [1, 1]


def test_an_embedding_outlives_the_process_that_made_it(valkey: str) -> None:
    with ready_processes(valkey, "kept") as first:
        [before] = outcomes(first)

    with ready_processes(valkey, "kept") as second:
        [after] = outcomes(second)

    assert (before["encoded"], after["encoded"]) == (1, 0)
    assert after["embedding"] == before["embedding"]


def test_an_embedding_outlives_a_restart_of_valkey(tmp_path: Path) -> None:
    listen = embedded.valkey_socket(tmp_path / "home")
    with servers.valkey(listen, tmp_path) as url, ready_processes(url, "restarted") as first:
        outcomes(first)

    with servers.valkey(listen, tmp_path) as url, ready_processes(url, "restarted") as second:
        [after] = outcomes(second)

    assert after["encoded"] == 0


def test_a_lost_embedding_is_made_again_the_same(valkey: str) -> None:
    from sessions_app.queueing.redis_client import client

    with ready_processes(valkey, "lost") as first:
        [before] = outcomes(first)
    client().flushall()

    with ready_processes(valkey, "lost") as second:
        [after] = outcomes(second)

    assert after["encoded"] == 1
    assert after["embedding"] == before["embedding"]
