"""Keeps the children running, and stops them in the right order.

Valkey and the worker are started again when they end unexpectedly: the queue is on disk and the
database is the truth about every generation, so nothing is lost, and the web server answers
meanwhile. When the web server itself ends, there is nothing left to keep running: everything stops
with exit status 1, for an outer supervisor such as systemd to see.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn

from wallpaper.launcher import logs, valkey_server
from wallpaper.launcher.children import Child
from wallpaper.launcher.errors import LauncherError
from wallpaper.launcher.lock import HomeLock
from wallpaper.launcher.plan import Plan
from wallpaper.launcher.signals import Signals

START_SECONDS: Final = 60.0
PREPARE_SECONDS: Final = 600.0  # a migration of a large database
STABLE_SECONDS: Final = 60.0  # after running so long, the back-off starts anew
LONGEST_DELAY_SECONDS: Final = 30.0
VALKEY_ATTEMPTS: Final = 5
LOG_CHECK_SECONDS: Final = 60.0
# Visitors are told that their photos go after some days; nobody sets up a cron job for `make run`.
FIRST_PURGE_SECONDS: Final = 600.0
PURGE_EVERY_SECONDS: Final = 24 * 3600.0


class StopRequested(Exception):
    """Ctrl-C, SIGTERM or SIGHUP."""


class Restarts:
    """Back-off: a child that ended starts again after 1, 2, 4 ... 30 s; after a stable minute,
    after 1 s again.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.due: float | None = None
        self._started = time.monotonic()

    def started(self) -> None:
        """Note that the child was started."""
        self._started, self.due = time.monotonic(), None

    def ended(self) -> float:
        """Note that the child ended; returns the seconds until it is started again."""
        if time.monotonic() - self._started > STABLE_SECONDS:
            self.failures = 0
        delay = min(2.0**self.failures, LONGEST_DELAY_SECONDS)
        self.failures += 1
        self.due = time.monotonic() + delay
        return delay


class Supervisor:
    """One run of the product on one machine."""

    def __init__(self, plan: Plan, signals: Signals) -> None:
        self._plan = plan
        self._signals = signals
        self._stopping = False
        self._guard: subprocess.Popen[str] | None = None
        self._valkey = plan.valkey()
        self._worker = plan.worker()
        self._web = plan.web()
        self._prepare = plan.prepare()
        self._purge = plan.purge()
        self._restarts = {"valkey": Restarts(), "worker": Restarts()}

    def run(self) -> None:
        """Start everything, serve until asked to stop, stop everything. Leaves nothing running,
        whatever happens.

        Raises:
            LauncherError: could not start, or could not go on.
        """
        lock = HomeLock(self._plan.home)
        try:
            lock.take(address=self._plan.address.url, pause=self._pause)
            self._plan.address.ensure_free()
            self._start(lock)
            print(f"Open {self._plan.address.url} in a browser. Stop with Ctrl-C.", flush=True)
            self._serve()
        except StopRequested:
            pass
        finally:
            self._stop()
            lock.close()

    # --- starting ---

    def _start(self, lock: HomeLock) -> None:
        self._guard = subprocess.Popen(
            self._plan.guard(),
            cwd=self._plan.checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        if self._valkey is not None:
            self._launch(self._valkey)
        self._launch(self._prepare)
        self._await_prepared()
        self._await_valkey()
        self._launch(self._web)
        self._await_ready(self._web, self._plan.address.answers, "The web server did not start")
        # Last, so that it does not compete with what the visitor waits for.
        self._launch(self._worker)

    def _launch(self, child: Child) -> None:
        process = child.start()
        if child.name in self._restarts:
            self._restarts[child.name].started()
        if self._guard is not None and self._guard.stdin is not None:
            # The guard may have been killed; the children still end with their parent
            # (sessions.die_with_parent).
            with suppress(BrokenPipeError):
                self._guard.stdin.write(f"{process} {child.grace_seconds}\n")
                self._guard.stdin.flush()
        self._write_process_file()

    def _write_process_file(self) -> None:
        """run/processes.json: process ids by name, for monitoring and for the tests."""
        running = {
            child.name: child.process.pid
            for child in (self._valkey, self._worker, self._web)
            if child is not None and child.process is not None
        }
        if self._guard is not None:
            running["guard"] = self._guard.pid
        file = self._plan.run / "processes.json"
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(running), encoding="utf-8")
        draft.replace(file)

    def _await_prepared(self) -> None:
        deadline = time.monotonic() + PREPARE_SECONDS
        while self._prepare.exit_status() is None:
            if time.monotonic() > deadline:
                self._fail(self._prepare, "Preparing the database takes too long")
            self._pause(1.0)
        if self._prepare.exit_status() != 0:
            self._fail(self._prepare, "The database or the static files could not be prepared")

    def _await_valkey(self) -> None:
        listen = self._plan.valkey_socket
        if listen is not None and self._valkey is not None:
            answers = partial(valkey_server.answers, listen)
            self._await_ready(self._valkey, answers, "Valkey (the queue) did not start")

    def _await_ready(self, child: Child, is_ready: Callable[[], bool], failure: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if child.exit_status() is not None or time.monotonic() > deadline:
                self._fail(child, failure)
            self._pause(0.05)

    def _fail(self, child: Child, failure: str) -> NoReturn:
        tail = child.log_tail()
        raise LauncherError(f"{failure} (log: {child.log}).\n{tail}" if tail else f"{failure}.")

    # --- serving ---

    def _serve(self) -> None:
        next_log_check = time.monotonic() + LOG_CHECK_SECONDS
        next_purge = time.monotonic() + FIRST_PURGE_SECONDS
        while True:
            dues = [restarts.due for restarts in self._restarts.values() if restarts.due]
            self._pause(min([next_log_check, next_purge, *dues]) - time.monotonic())
            if self._web.exit_status() is not None:
                self._fail(
                    self._web, f"The web server ended unexpectedly ({_exit_description(self._web)})"
                )
            for child in (self._valkey, self._worker):
                if child is not None:
                    self._restart_if_ended(child)
            self._close_purge()
            if time.monotonic() >= next_log_check:
                self._bound_logs()
                next_log_check = time.monotonic() + LOG_CHECK_SECONDS
            if time.monotonic() >= next_purge:
                if self._purge.process is None:
                    self._launch(self._purge)
                next_purge = time.monotonic() + PURGE_EVERY_SECONDS

    def _close_purge(self) -> None:
        status = self._purge.exit_status()
        if status is None:
            return
        if status != 0:
            _warn(f"Expired rooms could not all be deleted. Log: {self._purge.log}")
        self._purge.stop()

    def _restart_if_ended(self, child: Child) -> None:
        restarts = self._restarts[child.name]
        if restarts.due is not None:
            if time.monotonic() >= restarts.due:
                self._launch(child)
            return
        if child.exit_status() is None:
            return
        how, tail = _exit_description(child), child.log_tail(3)
        if child is self._valkey and restarts.failures >= VALKEY_ATTEMPTS:
            self._fail(child, f"Valkey (the queue) keeps ending ({how})")
        child.stop()  # nothing it has started may run beside the new one
        delay = restarts.ended()
        _warn(
            f"The {child.name} ended unexpectedly ({how}); starting it again in {delay:.0f} s. "
            f"Log: {child.log}" + (f"\n{tail}" if tail else "")
        )

    def _bound_logs(self) -> None:
        for child in (self._valkey, self._worker, self._web):
            if child is not None:
                logs.bound(child.log)

    # --- stopping ---

    def _stop(self) -> None:
        """The web server first, so that nothing new comes in; then the worker, which needs the
        queue; then the queue.
        """
        self._stopping = True
        if self._signals.first is not None:
            print("\nStopping ...", flush=True)
        for child in (self._prepare, self._purge, self._web, self._worker, self._valkey):
            if child is None:
                continue
            orderly = child.stop(at_once=self._signals.insisted)
            if child is self._worker and not orderly:
                print("A picture was being made; it is made again at the next start.", flush=True)
        if self._guard is not None:
            with suppress(BrokenPipeError):
                self._guard.communicate(timeout=10)
            # Without a guard we were refused, and the file is of the launcher that runs here.
            with suppress(FileNotFoundError):
                (self._plan.run / "processes.json").unlink()

    def _pause(self, seconds: float) -> None:
        self._signals.wait(seconds)
        if self._signals.first is not None and not self._stopping:
            raise StopRequested


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _exit_description(child: Child) -> str:
    """How the child ended: the signal's name or the exit status."""
    status = child.exit_status()
    if status is not None and status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}"
