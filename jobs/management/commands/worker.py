"""`manage.py worker`: make the queued pictures."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs import worker
from sessions_app.queueing import redis_client


class Command(BaseCommand):
    """Runs one worker until a signal stops it, or with `--burst` until the queue is empty."""

    help = "Run a worker: makes queued pictures, and recovers what dead workers left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--burst` and the name."""
        parser.add_argument("--burst", action="store_true", help="stop when the queue is empty")
        parser.add_argument("--name", help="what the worker's name begins with")

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait for Redis, then work.

        Raises:
            CommandError: Redis does not answer.
        """
        if not worker.wait_for_queue(seconds=10):
            raise CommandError(
                f"Redis does not answer at {redis_client.shown_address()}. "
                "Start it (make run brings its own) or set REDIS_URL."
            )
        worker.work(
            options["name"],
            burst=options["burst"],
            log_level=logging.getLevelName(settings.LOG_LEVEL),
        )
