"""`python -m wallpaper.launcher` as a person runs it: real processes, a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness import servers
from tests.harness.stack import STOP_SECONDS, Stack, launch, start_stack
from wallpaper.launcher import sessions

pytestmark = pytest.mark.slow

CLEARED_UP_SECONDS = 25.0


class Stacks:
    """One serving stack for one test after another, started again on its data when a test has taken
    it down.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._block = ExitStack()
        self._current: Stack | None = None

    def serving(self) -> Stack:
        """A stack that serves."""
        if self._current is None or self._current.process.poll() is not None:
            self.close()
            self._current = self._block.enter_context(start_stack(self._home))
        return self._current

    def close(self) -> None:
        """Stop it."""
        self._block.close()


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Where `stack` comes from."""
    shared = Stacks(tmp_path_factory.mktemp("launcher") / "home")
    yield shared
    shared.close()


@pytest.fixture
def stack(stacks: Stacks) -> Stack:
    """A serving stack, which the test may take down."""
    return stacks.serving()


def eventually(condition: Callable[[], bool], seconds: float = CLEARED_UP_SECONDS) -> bool:
    """True as soon as the condition holds, False when it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def left_of(children: dict[str, int]) -> list[int]:
    """Processes of the children's sessions that live."""
    return [process for leader in children.values() for process in sessions.members(leader)]


def refused(home: Path, tmp_path: Path, port: int, **extra: str) -> tuple[int, str]:
    """Exit status and output of a launcher that is expected to refuse."""
    output = tmp_path / "refused.txt"
    process = launch(home, port=port, output=output, extra=extra)
    try:
        return process.wait(STOP_SECONDS), output.read_text().strip()
    finally:
        sessions.kill(process.pid)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("plain", signal.SIGINT),
        ("a folder = ours", signal.SIGTERM),
        ("long" * 30, signal.SIGHUP),
    ],
    ids=["SIGINT", "SIGTERM in a folder with spaces", "SIGHUP in a folder of a long name"],
)
def test_it_prints_one_line_and_serves_until_a_signal_stops_everything(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    with start_stack(tmp_path / name / "home") as stack:
        assert eventually(lambda: stack.get_json("/health/ready")[1].get("workers") == 1)
        assert stack.get_json("/health/live") == (200, {"status": "ok"})
        assert stack.printed().splitlines() == [f"Open {stack.url} in a browser. Stop with Ctrl-C."]
        children = stack.children()

        assert stack.stop(number) == 0

        assert set(children) == {"guard", "valkey", "worker", "web"}
        assert left_of(children) == []


@pytest.mark.model
def test_everything_a_visitor_needs_is_ready(stack: Stack) -> None:
    assert eventually(lambda: bool(stack.get_json("/health/ready")[1].get("workers")))

    status, body = stack.get_json("/health/ready")

    assert status == 200, body
    assert set(body["checks"].values()) == {"ok"}


def test_a_second_launcher_on_the_same_data_is_refused_in_one_line(
    stack: Stack, tmp_path: Path
) -> None:
    status, text = refused(stack.home, tmp_path, servers.free_port())

    assert status == 1
    assert len(text.splitlines()) == 1
    assert f"Already running at {stack.url}" in text
    assert set(stack.children()) == {"guard", "valkey", "worker", "web"}
    assert stack.get_json("/health/live")[0] == 200


def test_a_taken_port_is_refused_in_one_line_that_names_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, text = refused(tmp_path / "home", tmp_path, port)

    assert status == 1
    assert len(text.splitlines()) == 1
    assert text.startswith(f"Port {port} is in use; run make run PORT=")
    assert not text.endswith(f"={port}")


def test_a_wrong_setting_is_refused_in_one_line(tmp_path: Path) -> None:
    status, text = refused(tmp_path / "home", tmp_path, servers.free_port(), DEBUG="perhaps")

    assert (status, text) == (2, "DEBUG must be true or false, not 'perhaps'")


def test_a_data_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")

    status, text = refused(home, tmp_path, servers.free_port())

    assert status == 1
    assert len(text.splitlines()) == 1
    assert str(home) in text


def test_a_database_that_is_away_is_told_and_leaves_nothing_running(tmp_path: Path) -> None:
    status, text = refused(
        tmp_path / "home",
        tmp_path,
        servers.free_port(),
        DATABASE_URL=f"postgres://nobody@127.0.0.1:{servers.free_port()}/nothing",
    )

    assert status == 1
    assert "The database does not answer" in text
    assert "Traceback" not in text
    assert not (tmp_path / "home" / "run" / "processes.json").exists()


def test_a_killed_launcher_leaves_no_orphan_and_the_data_can_be_used_at_once(
    stack: Stack, stacks: Stacks
) -> None:
    children = stack.children()

    stack.process.kill()
    stack.process.wait()

    next_stack = stacks.serving()
    assert left_of(children) == []
    assert next_stack.home == stack.home
    assert next_stack.get_json("/health/live")[0] == 200


def test_a_killed_launcher_and_guard_leave_no_orphan(stack: Stack) -> None:
    children = stack.children()

    os.kill(children["guard"], signal.SIGKILL)
    stack.process.kill()
    stack.process.wait()

    assert eventually(lambda: left_of(children) == []), left_of(children)


def test_a_killed_worker_is_started_again(stack: Stack) -> None:
    before = stack.children()["worker"]

    os.kill(before, signal.SIGKILL)

    assert eventually(lambda: stack.children()["worker"] != before)
    assert "The worker ended unexpectedly (SIGKILL)" in stack.printed()
    assert stack.get_json("/health/live")[0] == 200


def test_a_killed_valkey_is_started_again_while_the_web_answers(stack: Stack) -> None:
    before = stack.children()["valkey"]

    os.kill(before, signal.SIGKILL)
    assert stack.get_json("/health/live")[0] == 200

    assert eventually(lambda: stack.children()["valkey"] != before)
    assert eventually(lambda: stack.get_json("/health/ready")[1]["checks"]["redis"] == "ok")


def test_when_the_web_server_dies_all_end_with_status_1(stack: Stack) -> None:
    children = stack.children()

    os.kill(children["web"], signal.SIGKILL)

    assert stack.process.wait(STOP_SECONDS) == 1
    assert "The web server ended unexpectedly (SIGKILL)" in stack.printed()
    assert left_of(children) == []


def test_redis_of_the_operator_is_used_and_none_is_started(tmp_path: Path) -> None:
    with (
        servers.valkey(tmp_path / "own.sock") as url,
        start_stack(tmp_path / "home", {"REDIS_URL": url}) as stack,
    ):
        assert set(stack.children()) == {"guard", "worker", "web"}
        assert stack.get_json("/health/ready")[1]["checks"]["redis"] == "ok"


def test_what_has_expired_is_deleted_without_a_cron_job(tmp_path: Path) -> None:
    hurried = (
        "import wallpaper.launcher.supervisor as s; s.FIRST_PURGE_SECONDS = 0.0;"
        "from wallpaper.launcher.__main__ import main; raise SystemExit(main([]))"
    )
    home, output = tmp_path / "home", tmp_path / "launcher.txt"
    process = launch(home, port=servers.free_port(), output=output, program=("-c", hurried))
    try:
        log = home / "log" / "purge.log"
        assert eventually(lambda: log.exists() and log.read_text() != "", 60)
        assert "Traceback" not in log.read_text()
    finally:
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0


def test_nohup_is_respected(tmp_path: Path) -> None:
    """A hang-up that was to be ignored when we were started stays ignored."""
    probe = (
        "import os, signal; from wallpaper.launcher.signals import Signals; s = Signals();"
        "os.kill(os.getpid(), signal.SIGHUP); s.wait(0); print(s.first)"
    )
    finished = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$0" -c "$1"', servers.python(), probe],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert finished.stdout.strip() == "None"
