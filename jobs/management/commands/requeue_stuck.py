"""`manage.py requeue_stuck`: once, by hand, the sweep that every worker makes."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs import recovery
from sessions_app.management.cli import ensure_database, user_errors_as_one_line
from sessions_app.queueing import queues


class Command(BaseCommand):
    """Exit code 0: done, whether or not anything was stuck; 1: Redis, database or store do not
    answer.
    """

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)
    help = (
        "Queue again what dead workers or a restarted Redis left. Every worker does so every 30 s."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Dry run and `--json`."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep once, and print the counts.

        Raises:
            CommandError: Redis, the database or the store does not answer.
        """
        dry_run = options["dry_run"]
        with user_errors_as_one_line():
            ensure_database()
            try:
                found = recovery.recover_stale(dry_run=dry_run)
            except queues.QueueAwayError as error:
                raise CommandError(f"Redis does not answer: {error}") from error
            leftovers = recovery.remove_leftovers(dry_run=dry_run)
        if options["json"]:
            counts = {
                "requeued": found.requeued,
                "given_up": found.given_up,
                "retried": found.retried,
                "reminded": found.jobs_replaced,  # its name since the first version
                "leftovers": leftovers,
                "dry_run": dry_run,
            }
            self.stdout.write(json.dumps(counts))
            return
        verb = "Would have" if dry_run else "Have"
        self.stdout.write(
            f"{verb} queued again {found.requeued} run(s) of dead workers, "
            f"given up {found.given_up}, "
            f"ended the pause of {found.retried}, replaced {found.jobs_replaced} lost job(s), "
            f"deleted {leftovers} object(s) of runs that lost."
        )
