"""What is used when nothing is configured: a secret key kept in a file, and the embedded Valkey's
address.

Imported by the settings, so it must not import Django.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL.
LONGEST_SOCKET_PATH_BYTES = 100
PLAIN_PATH = re.compile(r"[\w./+,@%~-]+", re.ASCII)


def secret_key(home: Path) -> str:
    """The signing key kept in `home/secret_key`, made on first use, readable by its owner only.

    Raises:
        OSError: the file cannot be read or made.
    """
    file = home / "secret_key"
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    home.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(50)
    draft = home / f"secret_key.{os.getpid()}.{secrets.token_hex(4)}"
    draft.touch(mode=0o600)
    draft.write_text(key, encoding="ascii")
    try:
        os.link(draft, file)  # atomic; fails when another process was first, whose key is then used
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    finally:
        draft.unlink()
    return key


def valkey_socket(home: Path) -> Path:
    """Where the embedded Valkey listens: under `home`, or in the temporary folder if that path
    cannot be used.

    It cannot when it is too long, or holds a space or an equals sign. Those break RQ: CLIENT LIST
    shows the path as `addr=PATH:0 name=...`, which redis-py splits at both, so that a worker ends
    at its start with "not enough values to unpack".
    """
    socket = home / "run" / "valkey.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH_BYTES and PLAIN_PATH.fullmatch(str(socket)):
        return socket
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"wallpaper-{os.getuid()}-{digest}" / "valkey.sock"


def valkey_url(home: Path) -> str:
    """The embedded Valkey's URL; its path is percent-encoded."""
    return f"unix://{quote(str(valkey_socket(home)))}?db=0"
