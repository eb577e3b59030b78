"""How often a request asks the database: a fixed number, whatever the room has been through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.models import Session
from tests.harness.factories import make_session
from tests.harness.rows import insert_generation
from tests.web.conftest import HTMX, OWNER

pytestmark = pytest.mark.django_db


def statements(request: Callable[[], object]) -> list[str]:
    """The SQL of one request."""
    with CaptureQueriesContext(connection) as captured:
        request()
    return [query["sql"] for query in captured.captured_queries]


def test_following_a_picture_asks_as_often_whatever_was_made_before(
    room: Session, owner: Client
) -> None:
    address = reverse("status", args=[room.pk])
    counts = []
    for number in range(1, 6):
        insert_generation(room, number=number)
        counts.append(len(statements(lambda: owner.get(address, **HTMX))))

    assert set(counts) == {2}


def test_a_program_that_follows_one_asks_as_often_too() -> None:
    session = make_session(source=Session.Source.API, visitor="")
    address = f"/v1/sessions/{session.pk}/status"
    counts = []
    for number in range(1, 6):
        insert_generation(session, number=number)
        counts.append(len(statements(lambda: Client().get(address))))

    assert set(counts) == {2}


@pytest.mark.model
def test_a_click_asks_four_times_and_writes_once(owner: Client) -> None:
    session = make_session(visitor=OWNER, status=Session.Status.EMBEDDING_COMPLETED)
    address = reverse("click", args=[session.pk])

    asked = statements(lambda: owner.post(address, {"x": 60, "y": 40, "label": 1}, **HTMX))

    assert [sql.split()[0] for sql in asked] == ["SELECT", "SELECT", "UPDATE", "SELECT"]
