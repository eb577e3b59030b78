"""`manage.py purge`: delete what has expired, or one session."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sessions_app.management.cli import ensure_database, user_errors_as_one_line
from sessions_app.services.retention import PurgeReport, purge_expired, purge_session


class Command(BaseCommand):
    """Exit code 0: done; 1: something could not be deleted, run it again; 2: called wrongly."""

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)
    help = "Delete expired sessions with their pictures, and pictures that belong to no session."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to delete, and how to report it."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
        parser.add_argument("--session", metavar="ID", help="delete this session, expired or not")
        parser.add_argument(
            "--force",
            action="store_true",
            help="with --session: also while a generation is in progress",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge, and print the counts.

        Raises:
            CommandError: called wrongly, or something could not be deleted.
        """
        if options["force"] and options["session"] is None:
            raise CommandError("--force goes with --session ID.", returncode=2)
        wanted = options["session"]
        session_id = None if wanted is None else self._session_id(wanted)
        with user_errors_as_one_line():
            ensure_database()
            report = self._purge(session_id, force=options["force"], dry_run=options["dry_run"])
        self._print(report, dry_run=options["dry_run"], as_json=options["json"])
        if report.failed:
            raise CommandError(
                f"{report.failed} folder(s) could not be deleted because the store did not answer; "
                "run the purge again when it does."
            )

    def _purge(self, session_id: UUID | None, *, force: bool, dry_run: bool) -> PurgeReport:
        if session_id is None:
            return purge_expired(now=timezone.now(), dry_run=dry_run)
        objects = purge_session(session_id=session_id, force=force, dry_run=dry_run)
        return PurgeReport(sessions=1, objects=objects)

    @staticmethod
    def _session_id(text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError as error:
            raise CommandError(f"{text!r} is not a session's id.", returncode=2) from error

    def _print(self, report: PurgeReport, *, dry_run: bool, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({**asdict(report), "dry_run": dry_run}))
            return
        verb = "Would purge" if dry_run else "Purged"
        kept = f"; {report.kept} kept, generation in progress" if report.kept else ""
        self.stdout.write(
            f"{verb} {report.sessions} session(s), {report.objects} stored object(s), "
            f"{report.orphans} folder(s) without a session{kept}."
        )
