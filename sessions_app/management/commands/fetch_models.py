"""`manage.py fetch_models`: the SAM weights into place, the variants built from them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onnx_models.__main__ import add_arguments, run
from onnx_models.errors import ModelSetupError


class Command(BaseCommand):
    """Thin: everything happens in `onnx_models`."""

    help = "Find or fetch the SAM weights, check them, and build what is built from them."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options of `python -m onnx_models`."""
        add_arguments(parser)

    def handle(self, **options: Any) -> None:
        """Run it with the folders from the settings."""
        own = Path(settings.SAM_MODEL_DIR) if settings.SAM_MODEL_DIR else None
        try:
            run(
                own_directory=own,
                home=Path(settings.WALLPAPER_HOME),
                as_json=options["json"],
                also=options["also"],
            )
        except ModelSetupError as error:
            raise CommandError(error.user_message) from error
