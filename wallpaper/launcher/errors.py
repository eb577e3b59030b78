"""What can keep the launcher from its work."""

from __future__ import annotations


class LauncherError(Exception):
    """Cannot start or go on; the text is one sentence for the person at the terminal."""
