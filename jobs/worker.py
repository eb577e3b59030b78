"""The worker: RQ's forking worker, with short monitoring and our own sweep.

One queue per worker (only then RQ moves jobs atomically). Each job runs in a forked child, the
horse: the parent never touches OpenCV or ONNX, and a crash or a leak ends with the child. The
parent prolongs the row's lease while its horse lives, kills a horse that overran its time (the
alarm inside it waits for native code to return) or was superseded (canceled, given to another
worker), and queues the run of a horse that was killed again at once.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import time
from contextlib import suppress
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from rq import Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.utils import now
from rq.worker.base import SHUTDOWN_SIGNAL

from jobs import recovery
from sessions_app.queueing import queues, redis_client
from sessions_app.services import runs

logger = logging.getLogger(__name__)

IDLE_REPORT_SECONDS = 15
BUSY_REPORT_SECONDS = 10
SWEEP_SECONDS = 30
CLEAN_UP_SECONDS = 600
# After its time a horse still has to write down that it failed.
OVERTIME_SECONDS = 10


class GenerationWorker(Worker):
    """Runs generations, and every 30 s recovers what dead workers left."""

    max_connection_wait_time = 5.0  # RQ's own is a minute: Redis is back long before

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stop_requested = False
        self._superseded_reports = 0
        self._too_slow = ""

    def request_stop(self, signum: int, frame: Any) -> None:
        """SIGTERM, SIGINT: finish the job, then end."""
        self.stop_requested = True
        try:
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]
        except redis_client.AnyFailure:
            logger.warning("stopping; Redis is away and was not told")

    def teardown(self) -> None:
        """Sign off, if Redis is there to hear it."""
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except redis_client.AnyFailure:
            listener: Any = self.pubsub_thread
            if listener is not None:
                listener.stop()

    def kill_horse(self, sig: signal.Signals = SHUTDOWN_SIGNAL) -> None:
        """Kill the process at work, if there is one.

        RQ signals the process group of `horse_pid`. Before the fork and after the end that is 0,
        and a newborn horse has not left our group yet: both times the group is our own, with the
        supervisor and the web server in it. A run whose horse is not there to be killed reads the
        row as it begins, and ends.
        """
        horse = self.horse_pid
        if horse:
            with suppress(ProcessLookupError):  # reaped
                os.setpgid(horse, horse)
            super().kill_horse(sig)

    def run_maintenance_tasks(self) -> None:
        """RQ's own cleaning, then ours; called between jobs and while idle."""
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        sweep()

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """Every few seconds of a job. Redis being away is no reason to leave the horse alone."""
        try:
            super().maintain_heartbeats(job, execution)
        except redis_client.AnyFailure as error:
            logger.warning("no heartbeat: %s", error)
        self._check_horse(job)

    def _check_horse(self, job: Job) -> None:
        allowed = job.timeout or settings.GENERATION_TIMEOUT_SECONDS
        worked = (now() - job.started_at).total_seconds() if job.started_at else 0.0
        if worked > allowed + min(allowed, OVERTIME_SECONDS):
            logger.error("%s overran its time in native code: killing its process", job.id)
            self._too_slow = job.id
            self.kill_horse()
            return
        if keep_alive(*job.args):
            self._superseded_reports = 0
            return
        # It finds out by itself at its next stage, and may have an image service to call off; so
        # not at once.
        self._superseded_reports += 1
        if self._superseded_reports > 2:
            logger.warning("%s was superseded: killing its process", job.id)
            self.kill_horse()

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """A child was killed (out of memory, SIGKILL): queue its run again at once."""
        generation_id, run = job.args
        logger.error("the process of %s died with status %s", job.id, ret_val)
        try:
            if self._too_slow == job.id:
                detail = f"its process was killed some time after its time of {job.timeout} s"
                runs.fail(
                    generation_id,
                    run,
                    code="too_slow",
                    message=runs.TOO_SLOW,
                    detail=detail,
                    is_ours=True,
                )
            else:
                runs.handle_worker_death(
                    generation_id, run, detail=f"its process died with status {ret_val}"
                )
        except DatabaseError:
            logger.exception("left for the sweep: %s", job.id)
        finally:
            connections.close_all()

    def execute_job(self, job: Job, queue: Any) -> None:
        """Fork and wait; see RQ."""
        self._superseded_reports, self._too_slow = 0, ""
        super().execute_job(job, queue)


def keep_alive(generation_id: str, run: int) -> bool:
    """Prolong the lease of a run whose process lives; False when it was superseded."""
    try:
        return runs.keep_alive(generation_id, run)
    except DatabaseError as error:
        logger.warning("lease not prolonged: %s", error)
        return True
    finally:
        connections.close_all()  # the next job's fork must not inherit an open connection


def sweep() -> None:
    """Recover stale runs once; a fault is logged and left for the next time."""
    try:
        recovery.recover_stale()
        # Only one of all workers finds the key absent.
        if redis_client.set_if_absent("clean_up", b"1", seconds=CLEAN_UP_SECONDS):
            recovery.clean_up()
    except Exception:  # the worker must outlive a bad minute of the database or of Redis
        logger.exception("sweep failed")
    finally:
        connections.close_all()  # the next job's fork must not inherit an open connection


def build_worker(name: str | None = None) -> GenerationWorker:
    """A worker on the generation queue, on a connection of its own (it blocks on reads).

    Its name is `name` with a random ending: Redis remembers a killed worker's name for a minute and
    a half, and RQ refuses it to its successor.
    """
    connection = redis.Redis.from_url(settings.REDIS_URL)
    queue = queues.generation_queue(connection)
    # Three reports and three sweeps fit into a lease.
    third = max(1, settings.GENERATION_LEASE_SECONDS // 3)
    return GenerationWorker(
        [queue],
        name=name and f"{name}-{secrets.token_hex(3)}",
        connection=connection,
        serializer=queue.serializer,
        # RQ blocks on the queue for this minus 15 s, and reports each time.
        worker_ttl=min(IDLE_REPORT_SECONDS, third) + 15,
        job_monitoring_interval=min(BUSY_REPORT_SECONDS, third),
        maintenance_interval=min(SWEEP_SECONDS, third),
    )


def work(name: str | None = None, *, burst: bool = False, log_level: str = "INFO") -> None:
    """Work until told to stop, or, with `burst`, until the queue is empty.

    RQ's loop ends when Redis goes away at certain moments; then a new one is begun as soon as Redis
    is back.
    """
    while True:
        worker = None
        try:
            worker = build_worker(name)
            worker.work(burst=burst, logging_level=log_level)
        except StopRequested:  # the signal came when no job and no wait for one was going on
            return
        except redis_client.AnyFailure as error:
            logger.warning("Redis went away: %s", error)
        try:
            while not (burst or is_stopping(worker)):
                if wait_for_queue(seconds=1):
                    break
        except StopRequested:
            return
        if burst or is_stopping(worker):
            return
        time.sleep(0.5)  # a fault that is not Redis's must not spin


def is_stopping(worker: GenerationWorker | None) -> bool:
    """True when the worker was told to stop."""
    return worker is not None and worker.stop_requested


def wait_for_queue(*, seconds: float) -> bool:
    """Wait until Redis answers, at most so long."""
    deadline = time.monotonic() + seconds
    while not queues.queue_state().reachable:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
