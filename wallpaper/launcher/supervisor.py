"""Keeps the children running, and stops them in the right order.

Valkey and the worker are started again when they end unexpectedly: the queue is on disk and the database is the truth
about every generation, so nothing is lost, and the web server answers meanwhile. When the web server itself ends there
is nothing to keep up; then all end, with exit status 1, for whoever supervises us to see.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from wallpaper.launcher import logs, valkey_server
from wallpaper.launcher.children import Child
from wallpaper.launcher.errors import LauncherError
from wallpaper.launcher.lock import HomeLock
from wallpaper.launcher.plan import Plan
from wallpaper.launcher.signals import Signals

START_SECONDS: Final = 60.0
PREPARE_SECONDS: Final = 600.0  # a migration of a large database
STEADY_SECONDS: Final = 60.0  # having run so long, an end counts as the first again
LONGEST_DELAY_SECONDS: Final = 30.0
VALKEY_ATTEMPTS: Final = 5
LOG_CHECK_SECONDS: Final = 60.0
# Visitors are told that their photos go after some days; nobody sets up a cron job for `make run`.
FIRST_PURGE_SECONDS: Final = 600.0
PURGE_EVERY_SECONDS: Final = 24 * 3600.0


class StopAsked(Exception):
    """Ctrl-C, SIGTERM or SIGHUP."""


class Restarts:
    """When a child that ends may be started again: after 1, 2, 4 ... 30 s, from the beginning after a steady minute."""

    def __init__(self) -> None:
        self.failures = 0
        self.due: float | None = None
        self._started = time.monotonic()

    def started(self) -> None:
        """It runs (again)."""
        self._started, self.due = time.monotonic(), None

    def ended(self) -> float:
        """It ended; returns the seconds until it is due."""
        if time.monotonic() - self._started > STEADY_SECONDS:
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
        """Start all, serve until asked to stop, stop all. Always leaves nothing running.

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
        except StopAsked:
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
        self._await_web()
        # Last, so that it does not compete with what the visitor waits for.
        self._launch(self._worker)

    def _launch(self, child: Child) -> None:
        process = child.start()
        if child.name in self._restarts:
            self._restarts[child.name].started()
        if self._guard is not None and self._guard.stdin is not None:
            # The guard may have been killed; the kernel's own notice to the children remains.
            with suppress(BrokenPipeError):
                self._guard.stdin.write(f"{process} {child.grace_seconds}\n")
                self._guard.stdin.flush()
        self._note_processes()

    def _note_processes(self) -> None:
        """run/processes.json: who is who, for `ps`, for monitoring and for the tests."""
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
        if listen is None or self._valkey is None:
            return
        deadline = time.monotonic() + START_SECONDS
        while not valkey_server.answers(listen):
            if self._valkey.exit_status() is not None or time.monotonic() > deadline:
                self._fail(self._valkey, "Valkey (the queue) did not start")
            self._pause(0.05)

    def _await_web(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._plan.address.answers():
            if self._web.exit_status() is not None or time.monotonic() > deadline:
                self._fail(self._web, "The web server did not start")
            self._pause(0.05)

    def _fail(self, child: Child, what: str) -> NoReturn:
        words = child.last_words()
        raise LauncherError(f"{what} (log: {child.log}).\n{words}" if words else f"{what}.")

    # --- serving ---

    def _serve(self) -> None:
        next_log_check = time.monotonic() + LOG_CHECK_SECONDS
        next_purge = time.monotonic() + FIRST_PURGE_SECONDS
        while True:
            dues = [restarts.due for restarts in self._restarts.values() if restarts.due]
            self._pause(min([next_log_check, next_purge, *dues]) - time.monotonic())
            if self._web.exit_status() is not None:
                self._fail(self._web, f"The web server ended unexpectedly ({_how(self._web)})")
            for child in (self._valkey, self._worker):
                if child is not None:
                    self._keep_up(child)
            self._reap_purge()
            if time.monotonic() >= next_log_check:
                self._bound_logs()
                next_log_check = time.monotonic() + LOG_CHECK_SECONDS
            if time.monotonic() >= next_purge:
                if self._purge.process is None:
                    self._launch(self._purge)
                next_purge = time.monotonic() + PURGE_EVERY_SECONDS

    def _reap_purge(self) -> None:
        status = self._purge.exit_status()
        if status is None:
            return
        if status != 0:
            _warn(f"Expired rooms could not all be deleted. Log: {self._purge.log}")
        self._purge.stop(pause=self._signals.wait)

    def _keep_up(self, child: Child) -> None:
        restarts = self._restarts[child.name]
        if restarts.due is not None:
            if time.monotonic() >= restarts.due:
                self._launch(child)
            return
        if child.exit_status() is None:
            return
        how, words = _how(child), child.last_words(3)
        if child is self._valkey and restarts.failures >= VALKEY_ATTEMPTS:
            self._fail(child, f"Valkey (the queue) keeps ending ({how})")
        child.stop(pause=self._signals.wait)  # what it has started must not meet its successor
        delay = restarts.ended()
        _warn(
            f"The {child.name} ended unexpectedly ({how}); starting it again in {delay:.0f} s. "
            f"Log: {child.log}" + (f"\n{words}" if words else "")
        )

    def _bound_logs(self) -> None:
        for child in (self._valkey, self._worker, self._web):
            if child is not None:
                logs.bound(child.log)

    # --- stopping ---

    def _stop(self) -> None:
        """The web first, so that nothing new comes in; then the worker, which needs the queue; then the queue."""
        self._stopping = True
        if self._signals.first is not None:
            print("\nStopping ...", flush=True)
        for child in (self._prepare, self._purge, self._web, self._worker, self._valkey):
            if child is None:
                continue
            orderly = child.stop(pause=self._pause, at_once=self._signals.insisted)
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
            raise StopAsked


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _how(child: Child) -> str:
    """How it ended, in words."""
    status = child.exit_status()
    if status is not None and status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}"
