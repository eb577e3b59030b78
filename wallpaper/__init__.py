"""Settings, addresses and the launcher: the project that holds the rooms together."""

from __future__ import annotations

import os

# Before NumPy is imported. OpenBLAS's threads spin while they wait for the next product: with them a click
# took 210 ms of CPU, without 121 ms, and no less time by the clock (2 cores). One click is one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
