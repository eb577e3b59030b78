"""CPU time and memory of the processes of a running stack, as the kernel counts them (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tests.harness.stack import Stack
from wallpaper.launcher import sessions

_TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("web", "worker", "valkey")


def cpu_seconds(stack: Stack, part: str) -> float:
    """CPU seconds that the living processes of a part have used so far."""
    total = 0.0
    for pid in sessions.members(stack.children()[part]):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def memory_mib(stack: Stack) -> dict[str, tuple[float, float]]:
    """Of each process, by part and number: resident memory now and at its peak, in MiB."""
    found = {}
    for part in PARTS:
        for number, pid in enumerate(sorted(sessions.members(stack.children()[part]))):
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                sizes = {
                    n: int(v.split()[0]) / 1024
                    for n, _, v in (s.partition(":") for s in lines)
                    if n in ("VmRSS", "VmHWM")
                }
                found[f"{part} {number}" if number else part] = (sizes["VmRSS"], sizes["VmHWM"])
    return found


def show_memory(stack: Stack) -> str:
    """One line for a table: resident memory now (and at its peak) of every process."""
    return ", ".join(
        f"{name} {now:.0f} ({peak:.0f}) MiB" for name, (now, peak) in memory_mib(stack).items()
    )
