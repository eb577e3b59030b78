"""The launcher's parts, each by itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from wallpaper.launcher import address, guard, lock, logs, sessions, supervisor, valkey_server
from wallpaper.launcher.address import Address
from wallpaper.launcher.errors import LauncherError

# A leader whose child makes itself a process group, as RQ's job process does.
LEADER = """
import os, sys, time
child = os.fork()
if child == 0:
    os.setpgrp()
    time.sleep(600)
print(child, flush=True)
time.sleep(600)
"""


@pytest.fixture
def leader() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_session_is_found_with_processes_that_left_the_group(
    leader: subprocess.Popen[str],
) -> None:
    assert len(sessions.members(leader.pid)) == 2

    sessions.kill(leader.pid)
    leader.wait()


def test_what_a_killed_leader_left_is_still_found_and_ended(leader: subprocess.Popen[str]) -> None:
    leader.kill()
    leader.wait()
    assert len(sessions.members(leader.pid)) == 1

    orderly = sessions.end(leader.pid, grace_seconds=0)

    assert not orderly
    while sessions.members(leader.pid):
        time.sleep(0.01)


def test_a_leader_that_stops_when_asked_is_not_killed() -> None:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)

    assert sessions.end(process.pid, grace_seconds=10)

    assert process.wait() == -15


def test_the_guard_remembers_a_child_that_runs_and_not_one_that_has_ended() -> None:
    """An id alone could be another program's by the time the guard acts on it."""
    running = subprocess.Popen(["sleep", "600"], start_new_session=True)
    ended = subprocess.Popen(["true"], start_new_session=True)
    ended.wait()

    children = guard.watch([f"{running.pid} 6.0\n", f"{ended.pid} 5.0\n"])
    sessions.kill(running.pid)
    running.wait()

    assert [(child.pid, grace_seconds) for child, grace_seconds in children] == [(running.pid, 6.0)]


def test_a_free_port_is_no_problem_and_a_taken_one_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LauncherError, match=f"Port {port} is in use"):
            Address("127.0.0.1", port).ensure_free()

    Address("127.0.0.1", port).ensure_free()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(LauncherError, match="is HOST an address of this machine"):
        Address("203.0.113.7", 8000).ensure_free()


def test_ipv6_is_bracketed_in_links() -> None:
    assert Address("::1", 8000).url == "http://[::1]:8000"
    assert Address("::1", 8000).bind == "[::1]:8000"


@pytest.mark.allow_hosts(["192.0.2.1"])  # only to learn our own address; nothing is sent
def test_a_server_open_to_the_network_answers_to_its_own_names_only() -> None:
    names = address.allowed_hosts("0.0.0.0").split(",")

    assert "127.0.0.1" in names
    assert socket.gethostname() in names
    assert "0.0.0.0" not in names
    assert "*" not in names


def test_a_lock_is_held_once_and_names_its_holder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (
        closing(lock.HomeLock(tmp_path)) as first,
        closing(lock.HomeLock(tmp_path)) as second,
    ):
        first.take(address="http://127.0.0.1:8000", pause=lambda _seconds: None)

        with pytest.raises(LauncherError, match=r"Already running at http://127\.0\.0\.1:8000"):
            second.take(address="http://127.0.0.1:8001", pause=lambda _seconds: None)


def test_a_log_within_bounds_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("short\n")

    assert not logs.bound(log)
    assert log.read_text() == "short\n"


def test_a_log_too_large_is_moved_and_its_writer_goes_on_at_the_beginning(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * (logs.LARGEST_LOG_BYTES + 1))

        assert logs.bound(log)

        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "web.log.1").stat().st_size == logs.LARGEST_LOG_BYTES + 1


def test_the_end_of_a_log_leaves_out_earlier_runs(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("old run\nnew 1\nnew 2\n")

    assert logs.tail(log, 5, since=len("old run\n")) == "new 1\nnew 2"
    assert logs.tail(log, 1) == "new 2"
    assert logs.tail(tmp_path / "absent.log") == ""


def test_restarts_wait_longer_each_time_up_to_a_limit() -> None:
    restarts = supervisor.Restarts()

    delays = [restarts.ended() for _ in range(7)]

    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_the_valkey_program_comes_with_the_packages() -> None:
    assert ".venv" in str(valkey_server.program()) or "site-packages" in str(
        valkey_server.program()
    )


def test_the_embedded_valkey_has_no_tcp_port(tmp_path: Path) -> None:
    command = valkey_server.command(listen=tmp_path / "v.sock", folder=tmp_path)

    assert command[command.index("--port") + 1] == "0"
    assert command[command.index("--unixsocketperm") + 1] == "700"
