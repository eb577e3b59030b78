"""`manage.py prepare`: migrations and static files, quickly when there is nothing to do."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Brings the database and the static files up to this version. Safe to run at every start."""

    help = "Apply missing migrations and collect changed static files."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check` changes nothing."""
        parser.add_argument(
            "--check", action="store_true", help="exit 1 when there is something to do; do nothing"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        """Do what is missing; returns the line to print.

        Raises:
            CommandError: the database does not answer, or `--check` found something to do.
        """
        try:
            migrations = pending_migrations()
        except DatabaseError as error:
            raise CommandError(
                f"The database does not answer ({_first_line(error)}). Check DATABASE_URL."
            ) from error
        listing = static_listing()
        static_is_new = _read(listing_file()) != listing
        if options["check"]:
            if migrations or static_is_new:
                raise CommandError("Not up to date; run `make setup` or `manage.py prepare`.")
            return "Up to date."
        if migrations:
            call_command("migrate", interactive=False, verbosity=0)
        if static_is_new:
            call_command("collectstatic", interactive=False, verbosity=0)
            listing_file().write_text(listing, encoding="utf-8")
        files = "collected" if static_is_new else "unchanged"
        return f"{len(migrations)} migrations applied, static files {files}."


def pending_migrations() -> list[str]:
    """Names of migrations the database lacks.

    Raises:
        DatabaseError: the database does not answer.
    """
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def listing_file() -> Path:
    """The file with the digest of the static files collected last."""
    return Path(settings.STATIC_ROOT) / ".collected"


def static_listing() -> str:
    """SHA-256 in hex over name, size and modification time of every static file to collect."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: str(found[0])):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
