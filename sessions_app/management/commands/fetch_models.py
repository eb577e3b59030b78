"""`manage.py fetch_models`: find or fetch the SAM weights, and build variants of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onnx_models.__main__ import add_arguments, run
from onnx_models.errors import ModelSetupError


class Command(BaseCommand):
    """Calls `onnx_models` with the folders from the settings."""

    help = "Find or fetch the SAM weights, check them, and build what is built from them."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options of `python -m onnx_models`."""
        add_arguments(parser)

    def handle(self, **options: Any) -> None:
        """Fetch and build.

        Raises:
            CommandError: the weights cannot be had.
        """
        given = Path(settings.SAM_MODEL_DIR) if settings.SAM_MODEL_DIR else None
        try:
            run(
                own_directory=given,
                home=Path(settings.WALLPAPER_HOME),
                as_json=options["json"],
                also=options["also"],
            )
        except ModelSetupError as error:
            raise CommandError(error.user_message) from error
