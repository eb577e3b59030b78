"""Ending a process with everything it has started.

Each child of the launcher leads a POSIX session of its own (setsid). A session outlives its leader,
so what a killed worker leaves behind, such as RQ's forked job process, is still found, even though
it made itself a process group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Final

import psutil

_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_ENDED: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
_POLL_SECONDS: Final = 0.05


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that started this process ends. Linux only;
    elsewhere does nothing.

    For `preexec_fn`: the library is loaded before the fork, since loading may lock. psutil has no
    call for this.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def members(leader: int) -> list[int]:
    """Process ids of the session led by `leader` that are alive (zombies left out)."""
    found = []
    for pid in psutil.pids():
        # A process may end at any moment between the listing and the questions.
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getsid(pid) == leader and psutil.Process(pid).status() not in _ENDED:
                found.append(pid)
    return found


def end(leader: int, *, grace_seconds: float) -> bool:
    """Ask the leader to stop (SIGTERM); after the grace period, kill whatever is left of its
    session.

    The leader is not reaped: its exit status stays for its parent to read.

    Returns:
        True when all ended by themselves.
    """
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while members(leader):
        if time.monotonic() >= deadline:
            kill(leader)
            return False
        time.sleep(_POLL_SECONDS)
    return True


def kill(leader: int) -> None:
    """SIGKILL to all of the session."""
    for pid in members(leader):
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()
