"""A CDN on loopback and an npm on PATH, both ours, serving small stand-ins for the weights."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from onnx_models import Manifest, ModelEntry

CONTENT = {"encoder.onnx": b"encoder " * 5000, "sam.onnx": b"decoder " * 3000}


@dataclass
class Cdn:
    """Paths served, as (status, headers' length or None for the true one, body)."""

    address: str
    answers: dict[str, tuple[int, int | None, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def serve(
        self, path: str, body: bytes, *, status: int = 200, length: int | None = None
    ) -> None:
        """Answer `path` with a body; `length` states another Content-Length than the true one."""
        self.answers[path] = (status, length, body)

    def serve_all(self) -> None:
        """Both files as they should be."""
        for name, body in CONTENT.items():
            self.serve(f"/{name}", body)


@contextmanager
def cdn() -> Iterator[Cdn]:
    """A server on loopback for the time of a test."""
    served = Cdn("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            status, length, body = served.answers.get(self.path, (404, None, b"not here"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def manifest(address: str) -> Manifest:
    """The stand-ins' manifest with a CDN at `address`."""

    def entry(file: str) -> ModelEntry:
        body = CONTENT[file]
        return ModelEntry(
            name=file,
            file=file,
            sha256=hashlib.sha256(body).hexdigest(),
            size_bytes=len(body),
            licence="none",
            urls=(f"{address}/{file}",),
            npm_member=f"package/dist/{file}",
        )

    return Manifest("stand-in", "stand-in@1.0.0", entry("encoder.onnx"), entry("sam.onnx"))


def without_cdn(original: Manifest) -> Manifest:
    """The same manifest with no address at all."""
    return replace(
        original,
        encoder=replace(original.encoder, urls=()),
        decoder=replace(original.decoder, urls=()),
    )


def archive(members: dict[str, bytes]) -> bytes:
    """A .tgz as `npm pack` makes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(f"package/dist/{name}")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def fake_npm(folder: Path, packed: bytes | None, *, message: str = "") -> Path:
    """A program called npm: writes `packed` where asked to, or fails with `message`."""
    folder.mkdir()
    payload = folder / "payload"
    payload.write_bytes(packed or b"")
    script = folder / "npm.py"
    script.write_text(
        "import shutil, sys\n"
        f"if {packed is None}:\n"
        f"    sys.exit({message!r})\n"
        "target = sys.argv[sys.argv.index('--pack-destination') + 1]\n"
        f"shutil.copy({str(payload)!r}, target + '/stand-in-1.0.0.tgz')\n"
    )
    program = folder / "npm"
    # Not as the script's own first line: a path with a space cannot stand there.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    return folder
