"""The product's settings with backends and a store that fail on demand."""

from __future__ import annotations

import os

from wallpaper.settings import *  # noqa: F403

GENERATION_BACKENDS = {
    "local": "tests.harness.faults.GatedRenderer",
    "service": "tests.harness.faults.GatedRenderer",
    "native": "tests.harness.faults.NativeRenderer",
}
GENERATION_TIMEOUT_SECONDS = int(os.environ["FAULT_TIMEOUT"])  # the product's least is 10
STORAGES = {
    "default": {
        "BACKEND": "tests.harness.faults.FaultyStorage",
        "OPTIONS": {"location": os.environ["FAULT_MEDIA"], "base_url": None},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ALLOWED_HOSTS = ["127.0.0.1"]
