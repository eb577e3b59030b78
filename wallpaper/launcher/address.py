"""Where the web server listens: whether the port is free, whether it answers, and the URL that
people open.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
from dataclasses import dataclass
from typing import Final

from wallpaper.launcher.errors import LauncherError

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
ALL_ADDRESSES: Final = ("0.0.0.0", "::")  # noqa: S104  (compared with, not bound to)


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP address, IPv6 without brackets) and a port."""

    host: str
    port: int

    @property
    def bind(self) -> str:
        """As gunicorn takes it."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """As a person on this network opens it."""
        host = own_address() if self.host in ALL_ADDRESSES else self.host
        return f"http://{_bracketed(host)}:{self.port}"

    def ensure_free(self) -> None:
        """Check that the web server can listen here, by binding and closing at once.

        Raises:
            LauncherError: the port is in use or not allowed, or the host is not this machine.
        """
        problem = self._bind_errno()
        if problem is None:
            return
        if problem == errno.EADDRINUSE:
            raise LauncherError(
                f"Port {self.port} is in use; run make run PORT={self._next_free()}"
            )
        if problem in {errno.EACCES, errno.EPERM}:
            raise LauncherError(
                f"Port {self.port} may not be used by this account; run make run PORT=8000"
            )
        raise LauncherError(
            f"Cannot listen on {self.bind} ({os.strerror(problem)}); "
            "is HOST an address of this machine?"
        )

    def answers(self) -> bool:
        """True when the web server answers, with whatever status below 500 (ALLOWED_HOSTS may
        refuse our host name).
        """
        host = self.host if self.host not in ALL_ADDRESSES else "127.0.0.1"
        connection = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _bind_errno(self) -> int | None:
        """The error number of binding; None when it works."""
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                # As gunicorn does: connections of the last run in TIME_WAIT are no reason to
                # refuse.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                probe.listen(1)
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
        return None

    def _next_free(self) -> int:
        nearby = range(self.port + 1, min(self.port + 50, 65536))
        return next(
            (port for port in nearby if Address(self.host, port)._bind_errno() is None), 8001
        )


def allowed_hosts(host: str) -> str:
    """ALLOWED_HOSTS for a server on `host` when the operator set none: this machine's names and
    addresses.

    This stays safe from DNS rebinding, which needs a name that the attacker owns.
    """
    names = [*LOOPBACK_HOSTS, _bracketed(host)]
    if host in ALL_ADDRESSES:
        names += [socket.gethostname(), f"{socket.gethostname()}.local", _bracketed(own_address())]
    return ",".join(dict.fromkeys(name for name in names if name not in ALL_ADDRESSES))


def own_address() -> str:
    """This machine's address on its network, 127.0.0.1 when it has none. Sends nothing: a UDP
    connect only routes.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, reserved for documentation
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
