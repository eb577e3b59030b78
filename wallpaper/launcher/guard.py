"""Clears up when the launcher is killed without warning (SIGKILL, out of memory).

A small process beside the others, holding the reading end of a pipe. The launcher writes a line for
each child it has started ("PID GRACE_SECONDS"). When the pipe ends, the launcher is gone, and
whatever its children left is ended, the last started first. After an orderly stop there is nothing
left to do.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from contextlib import suppress

import psutil

from wallpaper.launcher import sessions


def watch(lines: Iterable[str]) -> list[tuple[psutil.Process, float]]:
    """Collect the reported children and their grace periods until the pipe ends; in order of
    starting.
    """
    children = []
    for line in lines:
        leader, grace_seconds = line.split()
        with suppress(
            psutil.NoSuchProcess
        ):  # ended at once; the launcher clears up after that itself
            children.append((psutil.Process(int(leader)), float(grace_seconds)))
    return children


def main() -> None:
    """Wait for the end of standard input, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for leader, grace_seconds in reversed(watch(sys.stdin)):
        # By now its id may belong to another program, told apart by its start time.
        is_replaced = psutil.pid_exists(leader.pid) and not leader.is_running()
        if not is_replaced and sessions.members(leader.pid):
            sessions.end(leader.pid, grace_seconds=grace_seconds)


if __name__ == "__main__":
    main()
