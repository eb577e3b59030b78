"""Database time of every list page, with few sessions and with very many.

    python -m benchmarks.lists [--count 100000] [--few 1000] [--rounds 5]
        [--database sqlite|postgresql]

Each session has a wallpaper and two generations. Each page is requested through Django's test
client. Measured are the number of statements and the time of those that read, with all rows fetched
(median of the rounds). The baseline is the same page with --few sessions: a list whose cost grows
with their number does not scale. PostgreSQL: a server of its own, started from the installed
programs. Exit status 1 when a page of the large database needs more statements than in the small
one.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import os

from tests.harness import environment, servers


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser.parse_args()


OPTIONS = parse()
environment.isolate()
SERVERS = contextlib.ExitStack()
atexit.register(SERVERS.close)
if OPTIONS.database == "postgresql":
    os.environ["DATABASE_URL"] = SERVERS.enter_context(servers.postgres())

import django  # noqa: E402

django.setup()

import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from datetime import datetime, timedelta  # noqa: E402
from typing import Any  # noqa: E402

from django.contrib.auth import get_user_model  # noqa: E402
from django.core import signing  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import OuterRef, Subquery  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from sessions_app.models import Generation, Session, Wallpaper  # noqa: E402
from sessions_app.visitors import COOKIE_NAME, SALT  # noqa: E402

BATCH = 5000
WORTH_NAMING_MS = 50
VISITOR = "visitor-of-a-few-rooms"


def fill(first: int, end: int) -> None:
    """Sessions number `first` up to `end`, one a minute into the past; every 20th failed."""
    now = timezone.now()
    for model in (Session, Wallpaper):  # else all have the moment of their insertion
        model._meta.get_field("created_at").auto_now_add = False
    for start in range(first, end, BATCH):
        numbers = range(start, min(end, start + BATCH))
        rooms = [_session(number, now) for number in numbers]
        papers = [_wallpaper(room) for room in rooms]
        runs = [
            _generation(room, paper, number)
            for room, paper in zip(rooms, papers, strict=True)
            for number in (1, 2)
        ]
        Session.objects.bulk_create(rooms)
        Wallpaper.objects.bulk_create(papers)
        Generation.objects.bulk_create(runs)
    own = Wallpaper.objects.filter(session=OuterRef("pk")).values("pk")[:1]
    Session.objects.filter(wallpaper=None).update(wallpaper=Subquery(own))


def _session(number: int, now: datetime) -> Session:
    return Session(
        id=uuid.uuid4(),
        visitor=VISITOR if number % 10_000 == 0 else uuid.uuid4().hex,
        status="failed" if number % 20 == 0 else "completed",
        source=("web", "api", "command")[number % 3],
        created_at=now - timedelta(minutes=number),
        expires_at=now + timedelta(days=30) - timedelta(minutes=number),
        photo_key="photos/x.jpg",
        photo_digest="0" * 64,
        photo_format="JPEG",
        width=4000,
        height=3000,
        click_history={"operations": [[100, 200, 1], [300, 400, 0]], "cursor": 2},
    )


def _wallpaper(room: Any) -> Any:
    return Wallpaper(
        session=room,
        created_at=room.created_at,
        source="upload",
        title="Discs",
        key="w/x",
        digest="1" * 64,
        width=64,
        height=64,
        repeat_width_m=0.53,
    )


def _generation(room: Any, paper: Any, number: int) -> Any:
    failed = room.status == "failed" and number == 2
    asked = room.created_at + timedelta(minutes=number)
    return Generation(
        session=room,
        number=number,
        request_key=f"key-{number}",
        wallpaper=paper,
        state="failed" if failed else "completed",
        error_code="worker_lost" if failed else "",
        backend="local",
        mask_key="m/x",
        mask_digest="2" * 64,
        queued_at=asked,
        started_at=asked,
        finished_at=asked,
        timings={"render": 2.5},
        versions={"renderer": "1"},
        result_key="" if failed else "r/x",
        untouched_outside=None if failed else True,
    )


def pages() -> dict[str, str]:
    """Names and addresses of what is asked for."""

    def of(name: str, query: str = "") -> str:
        return reverse(f"admin:sessions_app_{name}_changelist") + query

    some = Session.objects.order_by("-created_at")[500].pk
    return {
        "rooms of a visitor": reverse("home"),
        "admin: start": reverse("admin:index"),
        "admin: sessions": of("session"),
        "admin: sessions, page 20": of("session", "?p=20"),
        "admin: sessions, by id": of("session", f"?q={str(some)[:8]}"),
        "admin: sessions, failed": of("session", "?status=failed"),
        "admin: sessions, queued (none)": of("session", "?status=queued"),
        "admin: sessions, with result": of("session", "?has_result=yes"),
        "admin: sessions, without result": of("session", "?has_result=no"),
        "admin: sessions, through the API": of("session", "?source=api"),
        "admin: generations": of("generation"),
        "admin: generations, page 20": of("generation", "?p=20"),
        "admin: generations, failed": of("generation", "?state=failed"),
        "admin: generations, queued (none)": of("generation", "?state=queued"),
        "admin: generations, lost worker": of("generation", "?error_code=worker_lost"),
        "admin: generations, of a session": of("generation", f"?q={some}"),
        "admin: wallpapers": of("wallpaper"),
        "admin: wallpapers, uploads": of("wallpaper", "?source=upload"),
        "admin: wallpapers, page 20": of("wallpaper", "?p=20"),
    }


class Recorder:
    """Keeps the statements that a page sends; a wrapper of the connection's `execute`."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Sequence[Any]]] = []

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Sequence[Any], *rest: Any
    ) -> Any:
        self.statements.append((sql, params))
        return execute(sql, params, *rest)


@dataclass(frozen=True, slots=True)
class Cost:
    """Statements of a page, their time in milliseconds, and the slowest of them."""

    statements: int
    milliseconds: float
    slowest: str


def cost_of(client: Client, path: str, rounds: int) -> Cost:
    """Ask for the page, then time each of its reading statements, with all of their rows, alone."""
    client.get(path)  # what is kept from the first time on
    recorder = Recorder()
    with connection.execute_wrapper(recorder):
        status = client.get(path).status_code
    if status != 200:
        raise SystemExit(f"{path}: {status}")
    times = [
        (statistics.median(seconds_of(sql, params) for _ in range(rounds)), sql)
        for sql, params in recorder.statements
        if sql.startswith("SELECT")
    ]
    return Cost(
        len(recorder.statements), sum(t for t, _ in times) * 1000, max(times, default=(0, ""))[1]
    )


def seconds_of(sql: str, params: Sequence[Any]) -> float:
    """Of one statement; SQLite finds most rows only as they are fetched."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.fetchall()
    return time.perf_counter() - started


def measure(rounds: int) -> dict[str, Cost]:
    """The cost of every page."""
    user, _ = get_user_model().objects.get_or_create(
        username="staff", is_staff=True, is_superuser=True
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    client.cookies[COOKIE_NAME] = signing.get_cookie_signer(salt=COOKIE_NAME + SALT).sign(VISITOR)
    return {name: cost_of(client, path, rounds) for name, path in pages().items()}


def refresh_statistics() -> None:
    """What PostgreSQL's autovacuum and SQLite's optimiser do on their own after a while."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> int:
    """Fill, ask, print."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    measured = []
    for first, end in ((0, OPTIONS.few), (OPTIONS.few, OPTIONS.count)):
        fill(first, end)
        refresh_statistics()
        measured.append(measure(OPTIONS.rounds))
    few, many = measured
    print(f"{OPTIONS.database}: statements and database time of a page with {OPTIONS.few} and")
    print(f"with {OPTIONS.count} sessions")
    for name, cost in many.items():
        before = few[name]
        print(
            f"  {name:34s} {before.statements:3d} {before.milliseconds:7.1f} ms"
            f"   {cost.statements:3d} {cost.milliseconds:7.1f} ms"
        )
        if cost.milliseconds > WORTH_NAMING_MS:
            print(f"      most of it: {cost.slowest[:400]}")
    print(
        f"  slowest page: {max(c.milliseconds for c in many.values()):.1f} ms (target: below 100)"
    )
    return int(any(cost.statements > few[name].statements for name, cost in many.items()))


if __name__ == "__main__":
    sys.exit(main())
