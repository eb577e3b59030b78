"""The environment every test process runs in, set before Django's settings are read.

Nothing of the developer's own set-up takes part: no variable of the product, not `var/`, no server.
Only the SAM weights are shared, read-only, since fetching and cutting them takes a minute.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from wallpaper import embedded

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared"
_READERS: Final = re.compile(r"env\.(?:text|boolean|integer|words|path)\(\s*\"([A-Z0-9_]+)\"")


def variable_names() -> set[str]:
    """Every environment variable the product's source reads through `wallpaper.env`."""
    return {
        name
        for source in (ROOT / "wallpaper").rglob("*.py")
        for name in _READERS.findall(source.read_text(encoding="utf-8"))
    }


def find_weights() -> Path | None:
    """The folder `make setup` left the prepared model in, or None."""
    own, home = os.environ.get("SAM_MODEL_DIR"), os.environ.get("WALLPAPER_HOME")
    candidates = [Path(own)] if own else []
    candidates += [Path(home) / "models"] if home else []
    candidates.append(ROOT / "var" / "models")
    return next((path.resolve() for path in candidates if (path / "model.json").is_file()), None)


def isolate() -> Path:
    """Point the product at an empty folder of this process; returns it. It goes away with the
    process.
    """
    weights = find_weights()
    for name in variable_names():
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    home = Path(tempfile.mkdtemp(prefix="wallpaper-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "run").mkdir()
    os.environ["WALLPAPER_HOME"] = str(home)
    os.environ["SECRET_KEY"] = "only-for-tests"
    # The tests' own Valkey listens there once a test asks for it; until then Redis is "away".
    os.environ["REDIS_URL"] = embedded.valkey_url(home)
    if weights is not None:
        os.environ["SAM_MODEL_DIR"] = str(weights)
    os.environ["DJANGO_SETTINGS_MODULE"] = "wallpaper.settings"
    return home
