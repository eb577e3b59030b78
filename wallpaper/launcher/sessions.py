"""Ending a process with everything it has started.

Each child of the launcher leads a session of its own (setsid). A session outlives its leader, so what a killed worker
leaves behind, RQ's forked job process for one, is still found by it, even though it made itself a process group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PROC: Final = Path("/proc")


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that started this process ends. Linux only; elsewhere does nothing.

    For `preexec_fn`: the library is loaded before the fork, since loading may lock.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def members(leader: int) -> list[int]:
    """The living processes of the session led by `leader` (zombies left out)."""
    if not (_PROC / "self" / "stat").exists():
        return _group_members(leader)
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end between the listing and the reading.
        with suppress(OSError):
            # "pid (name) state ppid pgrp session ..."; the name may hold spaces and brackets.
            state, _, _, session = (
                (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
            )
            if int(session) == leader and state not in "ZX":
                found.append(int(entry.name))
    return found


def _group_members(leader: int) -> list[int]:
    """Without /proc only the leader's own process group can be asked for."""
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [leader]


def end(leader: int, *, grace_seconds: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Ask the leader to stop (SIGTERM); after the grace, kill whatever is left of its session.

    Returns:
        True when all had gone by themselves.
    """
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while members(leader):
        if time.monotonic() >= deadline:
            kill(leader)
            return False
        pause(0.05)
    return True


def kill(leader: int) -> None:
    """SIGKILL to all of the session."""
    for process in members(leader):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
