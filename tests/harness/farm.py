"""Real workers and a Valkey that a test may kill, on the test's database and files."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from sessions_app.models import Generation, Session
from sessions_app.services import generations
from tests.harness import environment, servers
from tests.harness.factories import make_ready_session
from wallpaper.launcher import sessions, valkey_server

PATIENCE_SECONDS: Final = 30.0
LEASE_SECONDS: Final = 5


class Farm:
    """A folder, a Valkey and any number of workers."""

    def __init__(self, folder: Path, *, timeout: int) -> None:
        self.folder = folder
        self.faults = folder / "faults"
        self.faults.mkdir()
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{quote(str(self.socket))}?db=0"
        self._timeout = timeout
        self._programs: list[subprocess.Popen[bytes]] = []
        self._steady: subprocess.Popen[bytes] | None = None
        self.valkey = self.start_valkey()

    def start_valkey(self, *, empty: bool = False) -> subprocess.Popen[bytes]:
        """Start the Valkey, again on its file unless `empty`."""
        kept = self.folder / "valkey"
        if empty:
            shutil.rmtree(kept)
        kept.mkdir(exist_ok=True)
        command = valkey_server.command(listen=self.socket, folder=kept)
        self.valkey = self._start(command, "valkey")
        self.wait(lambda: valkey_server.answers(self.socket), "Valkey")
        return self.valkey

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        return self._start([servers.python(), "manage.py", "worker"], "worker")

    def steady_worker(self) -> subprocess.Popen[bytes]:
        """The worker that stays from one test to the next; started when it does not run."""
        if self._steady is None or self._steady.poll() is not None:
            self._steady = self.worker()
        return self._steady

    def web(self, port: int) -> subprocess.Popen[bytes]:
        """Start a web server and wait until it serves."""
        command = [servers.python(), "-m", "gunicorn", "--threads", "2"]
        command += ["--bind", f"127.0.0.1:{port}", "wallpaper.wsgi"]
        program = self._start(command, "web")
        self.wait(lambda: servers.port_open(port), "web server")
        return program

    def _start(self, command: list[str], name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(
                command,
                cwd=environment.ROOT,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._programs.append(program)
        return program

    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "tests.harness.fault_settings",
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "REDIS_URL": self.url,
            "GENERATION_LEASE_SECONDS": str(LEASE_SECONDS),
            "FAULTS": str(self.faults),
            "FAULT_MEDIA": str(settings.MEDIA_ROOT),
            "FAULT_TIMEOUT": str(self._timeout),
        }

    def say(self, name: str, text: str = "") -> None:
        """Make a fault's file."""
        (self.faults / name).write_text(text)

    def unsay(self, name: str) -> None:
        """Remove a fault's file."""
        (self.faults / name).unlink()

    def forget_faults(self) -> None:
        """As if no fault had been made and no process had begun."""
        for file in self.faults.iterdir():
            file.unlink()

    def horses(self) -> list[int]:
        """Processes that have begun to render, oldest first."""
        found = sorted(self.faults.glob("horse-*"), key=lambda path: path.stat().st_mtime_ns)
        return [int(path.name.removeprefix("horse-")) for path in found]

    def wait_for_horse(self, count: int = 1) -> int:
        """The process of the `count`th rendering, once it has begun."""
        self.wait(lambda: len(self.horses()) >= count, f"rendering {count}")
        return self.horses()[count - 1]

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        """Until the condition holds; AssertionError with the logs when it does not come true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"no {what}\n{self.logs()}"
            time.sleep(0.05)

    def ended(self, generation: Generation) -> Generation:
        """The generation, once it has ended."""

        def has_ended() -> bool:
            generation.refresh_from_db()
            return not generation.is_active

        self.wait(has_ended, f"end of {generation}")
        generation.session.refresh_from_db()
        return generation

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-6000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def close(self) -> None:
        """Kill everything that still runs."""
        for program in self._programs:
            sessions.kill(program.pid)
            program.wait()


@contextmanager
def farm(*, timeout: int = 60) -> Iterator[Farm]:
    """A farm that is gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="workers-"))
    made = Farm(folder, timeout=timeout)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def point_at(made: Farm, settings: Any) -> None:
    """This process asks for generations on the farm's queue."""
    settings.REDIS_URL = made.url
    settings.GENERATION_LEASE_SECONDS = LEASE_SECONDS
    settings.GENERATION_TIMEOUT_SECONDS = 60
    renderer = "jobs.backends.local.LocalBackend"
    settings.GENERATION_BACKENDS = dict.fromkeys(("local", "service", "native"), renderer)


def ask(backend: str = "local", session: Session | None = None) -> Generation:
    """A generation in the farm's queue."""
    session = session or make_ready_session()
    return generations.request_generation(
        session_id=session.pk, request_key=secrets.token_hex(8), backend=backend
    )


def kill(process: int) -> None:
    """SIGKILL."""
    os.kill(process, signal.SIGKILL)


def alive(process: int) -> bool:
    """True while the process runs; a zombie does not."""
    with suppress(OSError):
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    return False


def results(generation: Generation) -> list[str]:
    """Names of the stored results of the generation's session."""
    folder = f"sessions/{generation.session_id}/results/"
    return sorted(default_storage.listdir(folder)[1]) if default_storage.exists(folder) else []
