"""The whole product in a subprocess, as `make run` starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.harness import environment, servers
from wallpaper.launcher import sessions

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Stack:
    """A running launcher: where it serves, where its data lies, and what it printed."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    output: Path

    def printed(self) -> str:
        """All the launcher has printed so far."""
        return self.output.read_text(encoding="utf-8")

    def logs(self) -> str:
        """The ends of the logs of web, worker and Valkey, for a failing test's report."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')[-3000:]}"
            for path in sorted((self.home / "log").glob("*.log"))
        )

    def get_json(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def children(self) -> dict[str, int]:
        """Process ids by name (guard, valkey, worker, web), as the launcher wrote them down."""
        found: dict[str, int] = json.loads((self.home / "run" / "processes.json").read_text())
        return found

    def stop(self, signal_number: int = signal.SIGINT) -> int:
        """Ask the launcher to stop; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(STOP_SECONDS)


def launcher_environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this process's own set-up but the weights and the bare necessities."""
    kept = (
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "SAM_MODEL_DIR",
        "VIRTUAL_ENV",
        "COVERAGE_PROCESS_START",
    )
    base = {name: os.environ[name] for name in kept if name in os.environ}
    return {**base, "WALLPAPER_HOME": str(home), "PYTHONUNBUFFERED": "1", **extra}


def launch(
    home: Path,
    *,
    port: int,
    output: Path,
    extra: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "wallpaper.launcher"),
) -> subprocess.Popen[bytes]:
    """Start the launcher without waiting for it. `program`: what Python is to run."""
    with output.open("ab") as sink:
        return subprocess.Popen(
            [servers.python(), *program],
            cwd=environment.ROOT,
            env=launcher_environment(home, {"PORT": str(port), **(extra or {})}),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_as_from_a_terminal,
        )


def _as_from_a_terminal() -> None:
    """In the child: end with the tests, and hear SIGHUP also where the tests run under `nohup`."""
    sessions.die_with_parent()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def start_stack(home: Path, extra: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A serving stack; stopped at the end of the block, by force if need be.

    Raises RuntimeError with everything the processes printed when it does not come up.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = servers.free_port()
    output = home.parent / f"launcher-{port}.txt"
    process = launch(home, port=port, output=output, extra=extra)
    stack = Stack(f"http://127.0.0.1:{port}", home, process, output)
    try:
        _wait_until_serving(stack)
        yield stack
    finally:
        try:
            stack.stop()
        except subprocess.TimeoutExpired:
            sessions.kill(process.pid)
            process.wait()


def _wait_until_serving(stack: Stack) -> None:
    deadline = time.monotonic() + START_SECONDS
    while stack.url not in stack.printed():
        if stack.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the stack did not start:\n{stack.printed()}\n{stack.logs()}")
        time.sleep(0.1)
