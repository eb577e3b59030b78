"""Run a benchmark and keep what it prints, with the machine and the date beside it.

    python -m benchmarks.record [--name FILE] PROGRAM [options of the program]

Runs `python -m benchmarks.PROGRAM`, shows its output as it comes, and writes it to
`benchmarks/results/PROGRAM.md` (or `FILE.md`, for a second way to run the same program). A program
that fails leaves the earlier file as it is. Exit status: the program's.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
LIBRARIES = ("onnxruntime", "opencv-python-headless", "numpy")


def machine() -> dict[str, str]:
    """What the figures depend on: processor, cores, memory, system, libraries."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    return {
        "Processor": _field("/proc/cpuinfo", "model name") or platform.processor() or "not known",
        "Cores": str(len(os.sched_getaffinity(0))),
        "Load average": f"{os.getloadavg()[0]:.1f} before the run",
        "Memory": _field("/proc/meminfo", "MemTotal") or "not known",
        "System": f"{platform.system()} {platform.machine()}",
        "Versions": ", ".join(versions),
    }


def commit() -> str:
    """The commit that is measured, and whether files differ from it; "not known" without Git."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        changed = _git(
            "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"
        )
    except (OSError, subprocess.CalledProcessError):
        return "not known"
    return f"{name}, with changes" if changed else name


def page(program: str, options: Sequence[str], facts: dict[str, str], output: str) -> str:
    """The file's text: a heading, what was run where and when, and the output as it was printed."""
    command = shlex.join(["python", "-m", f"benchmarks.{program}", *options])
    rows = {"Command": f"`{command}`", **facts}
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    shown = output.replace(str(ROOT), ".").replace(str(ROOT.parent), "..").strip("\n")
    return (
        f"# {program}\n\nWritten by `benchmarks/record.py`; do not edit.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        f"```text\n{shown}\n```\n"
    )


def run(program: str, options: Sequence[str]) -> tuple[int, str]:
    """Run the program in the checkout's folder; its exit status and what it printed, shown as it
    came.
    """
    command = [sys.executable, "-m", f"benchmarks.{program}", *options]
    printed = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            printed.append(line)
    return process.returncode, "".join(printed)


def main(arguments: Sequence[str] | None = None, *, folder: Path = RESULTS) -> int:
    """Run, print, write; the program's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", help="of the file, without .md; the program's by default")
    parser.add_argument("program", help="as in `python -m benchmarks.PROGRAM`")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="handed on to the program")
    given = parser.parse_args(arguments)
    facts = {"Date": f"{datetime.now(UTC):%-d %B %Y, %H:%M} UTC", "Commit": commit()}
    facts |= machine()
    status, output = run(given.program, given.options)
    if status == 0:
        folder.mkdir(exist_ok=True)
        path = folder / f"{given.name or given.program}.md"
        path.write_text(page(given.program, given.options, facts, output), encoding="utf-8")
        print(f"Recorded in {path.name}.")
    return status


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _field(path: str, name: str) -> str | None:
    """The first value of that name in one of Linux's `name : value` files."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in fields if key.strip() == name), None)


if __name__ == "__main__":
    sys.exit(main())
