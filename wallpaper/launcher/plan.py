"""What is to run, decided from the settings before anything is started."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wallpaper.launcher import valkey_server
from wallpaper.launcher.address import LOOPBACK_HOSTS, Address, allowed_hosts
from wallpaper.launcher.children import Child
from wallpaper.launcher.errors import LauncherError

# For requests in progress when a stop is asked for: a click takes a second, an upload a few.
WEB_GRACE_SECONDS: Final = 6.0
# A picture takes a few seconds; one that takes longer is made again at the next start.
WORKER_GRACE_SECONDS: Final = 6.0
VALKEY_GRACE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Folders, address and child processes. `valkey_socket` is None when REDIS_URL names a server
    of the operator's.
    """

    address: Address
    home: Path
    checkout: Path
    valkey_socket: Path | None

    @property
    def logs(self) -> Path:
        """The folder of the children's log files."""
        return self.home / "log"

    @property
    def run(self) -> Path:
        """The folder of what is needed only while running: lock, sockets, process ids."""
        return self.home / "run"

    def make_folders(self) -> None:
        """Create what is missing.

        Raises:
            LauncherError: the data folder cannot be written to.
        """
        folders = [self.run, self.logs]
        if self.valkey_socket is not None:
            folders += [self.home / "valkey", self.valkey_socket.parent]
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                # In the shared temporary folder another user may have made it first, to read what
                # we write.
                ours = folder.stat().st_uid == os.getuid() or folder.is_relative_to(self.home)
                if not ours or not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(f"no right to write to {folder}")
        except OSError as error:
            raise LauncherError(
                f"The data folder {self.home} cannot be used ({error.strerror or error}). "
                "Set WALLPAPER_HOME to a folder of your own."
            ) from error

    def prepare(self) -> Child:
        """Migrations and static files; ends by itself."""
        return self._child("prepare", self._manage("prepare"), grace_seconds=5.0)

    def valkey(self) -> Child | None:
        """The embedded Valkey, if one is wanted."""
        if self.valkey_socket is None:
            return None
        command = valkey_server.command(listen=self.valkey_socket, folder=self.home / "valkey")
        return self._child("valkey", command, grace_seconds=VALKEY_GRACE_SECONDS)

    def worker(self) -> Child:
        """One worker process."""
        return self._child("worker", self._manage("worker"), grace_seconds=WORKER_GRACE_SECONDS)

    def web(self) -> Child:
        """The web server."""
        command = [sys.executable, "-m", "gunicorn", "--config", "wallpaper/gunicorn_conf.py"]
        command += ["--bind", self.address.bind, "--graceful-timeout", "5", "wallpaper.wsgi"]
        return self._child("web", command, grace_seconds=WEB_GRACE_SECONDS)

    def purge(self) -> Child:
        """Deletion of what has expired; ends by itself."""
        return self._child("purge", self._manage("purge"), grace_seconds=2.0)

    def guard(self) -> list[str]:
        """Command of the process that clears up when the launcher is killed."""
        return [sys.executable, "-m", "wallpaper.launcher.guard"]

    def environment(self) -> dict[str, str]:
        """The children's environment: the launcher's own, with ALLOWED_HOSTS when the server is
        open to the network.
        """
        # Else every thread keeps a heap of its own, as large as its largest picture needed.
        variables = {"MALLOC_ARENA_MAX": "2", **os.environ, "PYTHONUNBUFFERED": "1"}
        open_to_network = self.address.host not in LOOPBACK_HOSTS and self.address.host != "::1"
        named = os.environ.get("ALLOWED_HOSTS") or os.environ.get("ALLOWED_HOSTS_FILE")
        if open_to_network and not named:
            variables["ALLOWED_HOSTS"] = allowed_hosts(self.address.host)
        return variables

    def _manage(self, command: str) -> list[str]:
        return [sys.executable, "manage.py", command]

    def _child(self, name: str, command: list[str], *, grace_seconds: float) -> Child:
        return Child(
            name=name,
            command=command,
            log=self.logs / f"{name}.log",
            folder=self.checkout,
            environment=self.environment(),
            grace_seconds=grace_seconds,
        )
