"""Health checks for load balancers and process supervisors: whether this process is alive, and
ready for visitors.

`live` checks this process and nothing else. It must not ask the database: a supervisor restarts
what is not alive, and restarting every web process because the database is down makes the outage
longer. `ready` checks the parts that a visitor needs; while it answers 503 a load balancer sends no
visitors, and nothing is restarted.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions_app import storage
from sessions_app.inference import model
from sessions_app.queueing.queues import queue_state

logger = logging.getLogger(__name__)

OK: Final = "ok"
ANSWER_WITHIN_SECONDS: Final = 3.0  # below the 5 s that Kubernetes and most balancers are set to
# A result of 12 megapixels is about 20 MB; with space for only a few of those, uploads soon fail.
LEAST_FREE_BYTES: Final = 100 * 1024 * 1024
PROBE_KEY: Final = "health/probe"


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers; touches nothing outside it."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when a visitor can be served, 503 when not; `checks` says which part fails.

    Zero `workers` alone is no failure: uploads, clicks and previews work, generations wait in the
    queue, and the page says so. The texts name no host, path or credential: anyone may read them.
    """
    pending = {name: check.start() for name, check in CHECKS.items()}
    checks = {name: _outcome(name, future) for name, future in pending.items()}
    healthy = all(text == OK for text in checks.values())
    state = queue_state() if checks["redis"] == OK else None
    body: dict[str, object] = {"status": OK if healthy else "unavailable", "checks": checks}
    if state is not None:
        body |= {"workers": state.workers, "waiting": state.waiting}
    return JsonResponse(body, status=200 if healthy else 503)


class Check:
    """One probe with a deadline, at most one run of it at a time.

    A probe that hangs (a database behind a dead firewall) keeps its thread until the system's own
    timeout. A new thread for every request would pile up, so requests share the run in progress.
    """

    def __init__(self, probe: Callable[[], str]) -> None:
        self.probe = probe
        self._lock = threading.Lock()
        self._running: Future[str] | None = None

    def start(self) -> Future[str]:
        """The run in progress, or a new one."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _run(self, future: Future[str]) -> None:
        try:
            future.set_result(self.probe())
        except Exception as error:  # a probe may fail in any way; the caller reports it
            future.set_exception(error)


def _outcome(name: str, future: Future[str]) -> str:
    try:
        return future.result(timeout=ANSWER_WITHIN_SECONDS)
    except FutureTimeoutError:
        return f"no answer within {ANSWER_WITHIN_SECONDS:.0f} s"
    except Exception as error:  # see Check._run
        logger.warning("health check %s failed: %s", name, error)
        return "failed; see the log"


def _database() -> str:
    """One query; on a connection of its own, closed at once, because the thread ends here."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return OK
    finally:
        connection.close()


def _redis() -> str:
    return OK if queue_state().reachable else "not reachable"


def _storage() -> str:
    """Looks up an object that does not exist: on S3 this proves address, bucket and keys.

    On disk, space and rights are checked as well.
    """
    storage.exists(PROBE_KEY)
    if settings.S3_BUCKET:
        return OK
    root = Path(settings.MEDIA_ROOT)  # made with the first upload
    folder = next(path for path in (root, *root.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return "the media folder cannot be written to"
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        return "the disk is nearly full"
    return OK


def _weights() -> str:
    """The files are there; their digests are checked when they are fetched and when they are
    loaded.
    """
    folder = model.model_directory()
    present = any(folder.glob("*.onnx"))
    return OK if present else "the SAM weights are missing; run `make setup`"


CHECKS: Final = {
    "database": Check(_database),
    "redis": Check(_redis),
    "storage": Check(_storage),
    "weights": Check(_weights),
}
