"""`manage.py requeue_stuck`."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from sessions_app.models import Generation
from sessions_app.queueing import queues
from sessions_app.services import runs
from tests.harness.factories import make_generation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def requeue(*arguments: str) -> str:
    out = io.StringIO()
    call_command("requeue_stuck", *arguments, stdout=out)
    return out.getvalue()


def make_stuck() -> None:
    """One run of a dead worker, one that was tried often enough, one row without its job."""
    for run in (1, runs.MAX_RUNS):
        generation = make_generation()
        Generation.objects.filter(pk=generation.pk).update(run=run)
        runs.start(generation.pk, run)
    Generation.objects.update(lease_until=timezone.now())
    lost = make_generation()
    Generation.objects.filter(pk=lost.pk).update(queued_at=timezone.now() - timedelta(minutes=1))


def test_what_is_stuck_is_queued_again_and_counted() -> None:
    make_stuck()

    counts = json.loads(requeue("--json"))

    assert counts == {
        "requeued": 1,
        "given_up": 1,
        "retried": 0,
        "reminded": 1,
        "leftovers": 0,
        "dry_run": False,
    }
    assert len(queues.generation_queue()) == 2
    assert json.loads(requeue("--json"))["requeued"] == 0


def test_a_dry_run_counts_the_same_and_changes_nothing() -> None:
    make_stuck()
    before = list(Generation.objects.values())

    counts = json.loads(requeue("--dry-run", "--json"))

    assert (counts["requeued"], counts["given_up"], counts["reminded"]) == (1, 1, 1)
    assert list(Generation.objects.values()) == before
    assert len(queues.generation_queue()) == 0


def test_nothing_stuck_is_said_in_words() -> None:
    assert "queued again 0 run(s)" in requeue()


@override_settings(REDIS_URL="unix:///nowhere/valkey.sock")
def test_redis_being_away_is_one_clear_line() -> None:
    with pytest.raises(CommandError, match="Redis does not answer"):
        requeue()
