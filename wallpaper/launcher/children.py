"""One child process of the launcher: its command, its log, and how it is started and stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wallpaper.launcher import logs, sessions


@dataclass
class Child:
    """A program kept running. `grace_seconds`: how long it may take to stop before it is killed."""

    name: str
    command: Sequence[str]
    log: Path
    folder: Path
    environment: Mapping[str, str]
    grace_seconds: float
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _log_start: int = 0

    def start(self) -> int:
        """Start it, in a session of its own; returns its process id."""
        logs.bound(self.log)
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the launcher alone
                preexec_fn=sessions.die_with_parent,
            )
        return self.process.pid

    def exit_status(self) -> int | None:
        """None while it runs (or was never started); negative: ended by that signal."""
        return None if self.process is None else self.process.poll()

    def stop(self, *, at_once: bool = False) -> bool:
        """End it and all it has started; True when it ended by itself within its grace period."""
        if self.process is None:
            return True
        leader = self.process.pid
        grace_seconds = 0.0 if at_once else self.grace_seconds
        orderly = True
        if self.process.poll() is None:
            orderly = sessions.end(leader, grace_seconds=grace_seconds)
        sessions.kill(leader)  # a job process may have outlived its worker
        self.process.wait()
        self.process = None
        return orderly

    def log_tail(self, lines: int = 12) -> str:
        """The last lines it has printed since it was last started."""
        return logs.tail(self.log, lines, since=self._log_start)
