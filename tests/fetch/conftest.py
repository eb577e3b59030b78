"""A web site on loopback that the fetcher takes for a public one.

The resolver answers with public addresses and the dialler leads every one of them to a real socket
here, so that the policy under test is the default one: nothing private is let in.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from imaging.fetch import FetchPolicy

PUBLIC = "93.184.216.34"
Handler = Callable[[socket.socket], None]


def plain(body: bytes, *, status: str = "200 OK", headers: Sequence[str] = ()) -> bytes:
    """An HTTP answer with an honest length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return plain(b"", status=status, headers=[f"Location: {location}"])


@dataclass
class Site:
    """Answers by path; whatever else a test wants to see of the traffic."""

    port: int
    answers: dict[str, bytes | Handler] = field(default_factory=dict)
    names: dict[str, Sequence[str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def policy(self, **changes: Any) -> FetchPolicy:
        options: dict[str, Any] = {"resolver": self.resolve, "dial": self.dial}
        return FetchPolicy(**(options | {"deadline_seconds": 5.0} | changes))

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        return self.names.get(host, [PUBLIC])

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        self.dialled.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def serve(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        text = request.decode("latin-1")
        self.requests.append(text)
        answer = self.answers.get(text.split(" ")[1], plain(b"", status="404 Not Found"))
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


def _accept(listener: socket.socket, handle: Handler, context: ssl.SSLContext | None) -> None:
    def one(raw: socket.socket) -> None:
        with suppress(OSError), raw:
            raw.settimeout(10)
            if context is None:
                handle(raw)
                return
            with context.wrap_socket(raw, server_side=True) as wrapped:
                handle(wrapped)

    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=one, args=(raw,), daemon=True).start()


def _start(context: ssl.SSLContext | None) -> Iterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    site = Site(listener.getsockname()[1])
    accepting = threading.Thread(target=_accept, args=(listener, site.serve, context), daemon=True)
    accepting.start()
    try:
        yield site
    finally:
        site.stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)


@pytest.fixture
def site() -> Iterator[Site]:
    yield from _start(None)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and key, in one PEM file, for good.example."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program is needed to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ),
            *("-nodes", "-days", "2", "-subj", "/CN=good.example"),
            *("-addext", "subjectAltName=DNS:good.example", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    both.write_text(key.read_text() + cert.read_text())
    return both


@pytest.fixture
def secure_site(certificate: Path) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from _start(context)
