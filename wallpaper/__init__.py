"""The Django project: settings, URLs, health checks, entry points and the launcher."""

from __future__ import annotations

import os

# Before NumPy is imported. OpenBLAS's threads spin while they wait for the next product: they
# nearly double the CPU time of a click and make it no faster. One click is one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
