"""Random failures: workers, their processes and Valkey are killed at random while pictures are
made.

    python -m benchmarks.chaos [--count 100] [--workers 3] [--seed 1] [--peace]

One in twenty photos has an input that is damaged on purpose. At the end every request must have
ended once: completed, or failed for the true reason; the store may have no object that no row
points at; and the attempts left in every session must be right. The baseline is a run with
`--peace`, the same without a fault.

Real parts: `manage.py worker` processes, Valkey with its append-only file, SQLite, files on disk.
SIGKILL for all but one kind of fault. No generation is killed a third time, because three dead
processes are the product's own limit. Exit status 1 when anything of the above is not so.
"""

from __future__ import annotations

import os

from tests.harness import environment

HOME = environment.isolate()
os.environ.update(
    GENERATION_LEASE_SECONDS="6", GENERATION_TIMEOUT_SECONDS="20", ATTEMPTS_PER_SESSION="10"
)

import django  # noqa: E402

django.setup()

import argparse  # noqa: E402
import logging  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from signal import SIGKILL, SIGTERM  # noqa: E402

from django.conf import settings  # noqa: E402

from jobs import recovery  # noqa: E402
from sessions_app import storage  # noqa: E402
from sessions_app.errors import Unavailable  # noqa: E402
from sessions_app.management.cli import ensure_database  # noqa: E402
from sessions_app.models import Generation, Session  # noqa: E402
from sessions_app.queueing import queues  # noqa: E402
from sessions_app.services import clicking, generations, runs, uploads, wallpapers  # noqa: E402
from sessions_app.storage import keys  # noqa: E402
from tests.harness.factories import as_file, paper_pixels, room_pixels, wall_mask  # noqa: E402
from wallpaper import embedded  # noqa: E402
from wallpaper.launcher import sessions, valkey_server  # noqa: E402

PER_SESSION = 4
SIZE = (1200, 900)
STUCK_AFTER_SECONDS = 120
RESTART_SECONDS = 0.3
# Kind of fault, and how often it is drawn.
FAULTS = {
    "process of a job killed": 8,
    "worker and its process killed": 5,
    "worker alone killed": 4,
    "worker told to stop": 2,
    "Valkey killed": 2,
    "Valkey killed and emptied": 1,
}
TRUE_REASONS = {"photo": "storage_damaged", "wallpaper": "not_found"}


class Fleet:
    """The processes, started again when they are dead."""

    def __init__(self, workers: int) -> None:
        self.socket = embedded.valkey_socket(HOME)
        self.folder = HOME / "valkey"
        self.log = HOME / "worker.log"
        self.valkey: subprocess.Popen[bytes] | None = None
        self.valkey_back_at = 0.0
        self.workers: list[subprocess.Popen[bytes] | None] = [None] * workers
        self.back_at = [0.0] * workers
        self.leaders: set[int] = set()

    def mend(self) -> None:
        """Start what is dead and whose time has come."""
        now = time.monotonic()
        if self.valkey is None and now >= self.valkey_back_at:
            self.folder.mkdir(exist_ok=True)
            self.valkey = self._start(
                valkey_server.command(listen=self.socket, folder=self.folder), HOME / "valkey.log"
            )
        for place, worker in enumerate(self.workers):
            if worker is not None and worker.poll() is not None:
                self.workers[place] = None
                self.back_at[place] = now + RESTART_SECONDS
            elif worker is None and now >= self.back_at[place]:
                command = [sys.executable, "manage.py", "worker"]
                started = self._start(command, self.log)
                self.workers[place] = started
                self.leaders.add(started.pid)

    @staticmethod
    def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=environment.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def strike(self, fault: str, dice: random.Random) -> bool:
        """Do the fault; False when there is nothing it could hit."""
        if fault.startswith("Valkey"):
            return self._strike_valkey(empty=fault.endswith("emptied"), dice=dice)
        running = [worker for worker in self.workers if worker is not None]
        if not running:
            return False
        worker = dice.choice(running)
        horses = [pid for pid in sessions.members(worker.pid) if pid != worker.pid]
        if fault == "worker told to stop":
            return send(worker.pid, SIGTERM)
        if not horses:
            return False
        hit = True
        if "worker" in fault:
            hit = send(worker.pid, SIGKILL)
        if "process" in fault:
            hit = send(horses[0], SIGKILL)
        return hit

    def _strike_valkey(self, *, empty: bool, dice: random.Random) -> bool:
        if self.valkey is None:
            return False
        self.valkey.kill()
        self.valkey.wait()
        self.valkey = None
        self.valkey_back_at = time.monotonic() + dice.uniform(0.2, 2.0)
        if empty:
            shutil.rmtree(self.folder)
        return True

    def busy(self) -> list[int]:
        """Processes of jobs, orphans among them."""
        return [pid for leader in self.leaders for pid in sessions.members(leader) if pid != leader]

    def close(self) -> None:
        """Kill everything."""
        for leader in self.leaders:
            sessions.kill(leader)
        for process in (self.valkey, *self.workers):
            if process is not None:
                process.kill()
                process.wait()


def send(pid: int, signal: int) -> bool:
    """True when there was such a process."""
    try:
        os.kill(pid, signal)
    except ProcessLookupError:
        return False
    return True


@dataclass(slots=True)
class Request:
    """One wish for a picture; asked again with the same key while the queue is away."""

    session: Session
    key: str
    damaged: str = ""
    generation: Generation | None = None


@dataclass(slots=True)
class Tally:
    """What happened."""

    faults: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds: float = 0.0


def make_requests(count: int) -> list[list[Request]]:
    """Requests by session, at most `PER_SESSION` each; every twentieth request has a session of its
    own, damaged.
    """
    bad = [("photo", "wallpaper")[n % 2] for n in range(count // 20)]
    good = count - len(bad)
    lines: list[list[Request]] = []
    for start in range(0, good, PER_SESSION):
        session = ready_session()
        lines.append(
            [Request(session, f"key-{n}") for n in range(start, min(start + PER_SESSION, good))]
        )
    for number, damaged in enumerate(bad):
        lines.insert(number * 5 + 2, [Request(damaged_session(damaged), f"bad-{number}", damaged)])
    return lines


def ready_session() -> Session:
    """A session with photo, mask and wallpaper."""
    session = uploads.create_session(
        data=as_file(room_pixels(*SIZE)), source=Session.Source.WEB, background=False
    )
    clicking.use_mask(session_id=session.pk, data=as_file(wall_mask(*SIZE)))
    wallpapers.choose_upload(session_id=session.pk, data=as_file(paper_pixels()))
    return Session.objects.select_related("wallpaper").get(pk=session.pk)


def damaged_session(what: str) -> Session:
    """A session whose photo, or whose wallpaper, the worker will find damaged or gone."""
    session = ready_session()
    if what == "wallpaper" and session.wallpaper is not None:
        storage.delete(session.wallpaper.key)
        return session
    storage.delete(session.photo_key)
    storage.save(session.photo_key, b"not a picture")
    return session


def under_fire(
    lines: list[list[Request]], fleet: Fleet, dice: random.Random, *, peace: bool
) -> Tally:
    """Feed the requests, one of each session at a time, and strike, until all have ended or are
    stuck.
    """
    tally = Tally()
    started = last_end = time.monotonic()
    waiting = [list(line) for line in lines]
    next_fault = started + 3
    while any(waiting):
        fleet.mend()
        now = time.monotonic()
        if now - last_end > STUCK_AFTER_SECONDS:
            break
        if not peace and now >= next_fault:
            fault = dice.choices(list(FAULTS), list(FAULTS.values()))[0]
            if not last_try_running() and fleet.strike(fault, dice):
                tally.faults[fault] += 1
            next_fault = now + dice.uniform(0.2, 1.2)
        for line in filter(None, waiting):
            if step(line[0], tally):
                line.pop(0)
                last_end = time.monotonic()
        time.sleep(0.1)
    tally.seconds = last_end - started
    return tally


def last_try_running() -> bool:
    """A generation that was interrupted twice is spared."""
    return Generation.objects.filter(state__in=Generation.ACTIVE, run__gte=runs.MAX_RUNS).exists()


def step(request: Request, tally: Tally) -> bool:
    """Ask, or look; True when the request's generation has ended."""
    if request.generation is None:
        try:
            request.generation = generations.request_generation(
                session_id=request.session.pk, request_key=request.key
            )
        except Unavailable:
            tally.refused += 1
        return False
    request.generation.refresh_from_db()
    return not request.generation.is_active


def settle(fleet: Fleet) -> int:
    """Let orphans end, then sweep up as a worker does; returns how many leftover objects that
    removed.

    The last fault may have killed Valkey, which must be back before the queue is looked at.
    """
    deadline = time.monotonic() + STUCK_AFTER_SECONDS
    while (fleet.busy() or fleet.valkey is None) and time.monotonic() < deadline:
        fleet.mend()
        time.sleep(0.2)
    grace = 2 * settings.GENERATION_LEASE_SECONDS + settings.GENERATION_TIMEOUT_SECONDS
    time.sleep(grace + 1)
    return recovery.remove_leftovers()


def violations(lines: list[list[Request]], log: str) -> list[str]:
    """Everything that is not as it must be."""
    found = []
    for request in (request for line in lines for request in line):
        found += wrong_end(request, log)
    for session in Session.objects.all():
        rows = session.generations.all()
        used = sum(1 for row in rows if row.took_attempt and not row.attempt_returned)
        if session.attempts_left != settings.ATTEMPTS_PER_SESSION - used:
            found.append(f"{session}: {session.attempts_left} attempts left, {used} used")
        ours = sum(1 for row in rows if row.state == Generation.State.FAILED)
        if ours != sum(1 for row in rows if row.attempt_returned):
            found.append(f"{session}: an attempt was not given back")
    found += [f"object without a row: {name}" for name in sorted(stored() - expected())]
    found += [f"object is gone: {name}" for name in sorted(expected() - stored())]
    if queues.waiting_runs():
        found.append(f"jobs left in the queue: {len(queues.waiting_runs())}")
    return found


def wrong_end(request: Request, log: str) -> list[str]:
    """What is wrong with how one request ended."""
    row = request.generation
    if row is None or row.is_active:
        return [f"stuck: {row or request.key}"]
    if request.damaged:
        true = TRUE_REASONS[request.damaged]
        return [] if row.error_code == true else [f"{row}: {row.error_code} instead of {true}"]
    if row.state != Generation.State.COMPLETED:
        return [f"{row}: {row.error_code}: {row.error_detail[-200:]}"]
    ends = log.count(f"session {row.session_id} #{row.number} completed")
    if ends > 1:  # a process may be killed after the end and before its line
        return [f"{row}: completed {ends} times"]
    if storage.digest_of(storage.read(row.result_key)) != row.result_digest:
        return [f"{row}: the stored picture is not the one that was made"]
    return []


def stored() -> set[str]:
    """Names of all objects."""
    root = Path(settings.MEDIA_ROOT)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def expected() -> set[str]:
    """Names of all objects that rows point at."""
    names: set[str] = set()
    for session in Session.objects.prefetch_related("wallpapers", "generations"):
        names |= {session.photo_key, keys.photo_view(session.pk), keys.thumbnail(session.pk)}
        names |= {session.uploaded_mask_key}
        for paper in session.wallpapers.all():
            names |= {paper.key, keys.wallpaper_thumbnail(session.pk, paper.digest)}
        for row in session.generations.all():
            names |= {row.mask_key, row.result_key, row.result_view_key}
            if row.error_code == TRUE_REASONS["wallpaper"]:
                names.discard(row.wallpaper.key)
    return names - {""}


def table(lines: list[list[Request]], tally: Tally, leftovers: int, wrong: list[str]) -> str:
    """The figures."""
    rows = [request.generation for line in lines for request in line if request.generation]
    ends = Counter(row.error_code or row.state for row in rows)
    by_run = Counter(row.run for row in rows)
    out = [f"{'requests':34}{sum(map(len, lines)):>6}"]
    out += [f"{fault:34}{tally.faults[fault]:>6}" for fault in FAULTS]
    out += [f"{'asked while the queue was away':34}{tally.refused:>6}"]
    out += [f"{'ended: ' + name:34}{count:>6}" for name, count in ends.most_common()]
    out += [f"{f'ended in run {run}':34}{by_run[run]:>6}" for run in sorted(by_run)]
    out += [f"{'leftover objects swept up':34}{leftovers:>6}"]
    out += [f"{'seconds':34}{tally.seconds:>6.0f}", f"{'violations':34}{len(wrong):>6}"]
    return "\n".join(out + [f"  {line}" for line in wrong[:40]])


def main() -> int:
    """Run, print the table; 1 on a violation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="pictures to ask for")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peace", action="store_true", help="no faults: the baseline")
    parser.add_argument("--log", type=Path, help="keep the workers' log")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    ensure_database()
    lines = make_requests(options.count)
    fleet = Fleet(options.workers)
    try:
        tally = under_fire(lines, fleet, random.Random(options.seed), peace=options.peace)
        leftovers = settle(fleet)
        wrong = violations(lines, fleet.log.read_text(errors="replace"))
    finally:
        fleet.close()
        if options.log is not None:
            shutil.copy(fleet.log, options.log)
    print(table(lines, tally, leftovers, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
