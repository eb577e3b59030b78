#!/usr/bin/env python
"""Django's command line for the wallpaper visualizer."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command; a mistake in the settings is one line and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wallpaper.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        _ = settings.INSTALLED_APPS  # reads the environment, and makes the data folder
    except (ImproperlyConfigured, OSError) as error:
        print(f"The settings cannot be used: {error}", file=sys.stderr)
        sys.exit(2)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
