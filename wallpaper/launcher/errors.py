"""Why the launcher cannot start or go on."""

from __future__ import annotations


class LauncherError(Exception):
    """Cannot start or go on; the text is one sentence for the person at the terminal."""
