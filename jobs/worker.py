"""The worker: RQ's forking worker, with short monitoring and our own sweep.

One queue per worker (only then RQ moves jobs atomically). Each job runs in a forked child: the parent never touches
OpenCV or ONNX, a crash or a leak ends with the child, and a killed child's generation goes to the next worker at
once instead of after its lease.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from django.conf import settings
from django.db import connections
from rq import Worker
from rq.job import Job

from jobs import queues
from sessions_app.services import runs

logger = logging.getLogger(__name__)

IDLE_REPORT_SECONDS = 15
BUSY_REPORT_SECONDS = 10
SWEEP_SECONDS = 30


class GenerationWorker(Worker):
    """Runs generations, and every 30 s rescues what dead workers left."""

    def run_maintenance_tasks(self) -> None:
        """RQ's own cleaning, then ours; called between jobs and while idle."""
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        sweep()


def sweep() -> None:
    """Rescue stale runs once; a fault is logged and left for the next time."""
    try:
        runs.rescue_stale()
    except Exception:  # the worker must outlive a bad minute of the database or of Redis
        logger.exception("sweep failed")
    finally:
        connections.close_all()  # the next job's fork must not inherit an open connection


def on_horse_killed(job: Job, _pid: int, status: int, _usage: Any) -> None:
    """A child died without a word (out of memory, SIGKILL): hand its run on at once."""
    generation_id, run = job.args
    logger.error("the process of generation %s died with status %s", generation_id, status)
    try:
        runs.give_up_lease(generation_id, run)
    finally:
        connections.close_all()
    sweep()


def build_worker(name: str | None = None) -> GenerationWorker:
    """A worker on the generation queue, on a connection of its own (it blocks on reads)."""
    connection = redis.Redis.from_url(settings.REDIS_URL)
    queue = queues.generation_queue(connection)
    return GenerationWorker(
        [queue],
        name=name,
        connection=connection,
        serializer=queue.serializer,
        # RQ blocks on the queue for this minus 15 s, and reports each time.
        worker_ttl=IDLE_REPORT_SECONDS + 15,
        job_monitoring_interval=BUSY_REPORT_SECONDS,
        maintenance_interval=SWEEP_SECONDS,
        work_horse_killed_handler=on_horse_killed,
    )


def wait_for_queue(*, seconds: float) -> bool:
    """Wait until Redis answers, at most so long."""
    deadline = time.monotonic() + seconds
    while not queues.queue_state().reachable:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
