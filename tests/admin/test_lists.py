"""The lists: what they show, how they find, and that they ask the database the same number of
times.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sessions_app.admin import paging
from sessions_app.log_digests import log_digest
from sessions_app.models import Session
from tests.harness.rows import insert_generation, insert_session, insert_wallpaper

pytestmark = pytest.mark.django_db

LISTS = ["session", "generation", "wallpaper"]


def list_of(name: str, **query: str) -> str:
    return reverse(f"admin:sessions_app_{name}_changelist", query=query)


def fill(count: int) -> None:
    """Sessions with clicks, a wallpaper and two generations each."""
    clicks = {"operations": [[1, 2, 1], [3, 4, 0]], "cursor": 2}
    for _ in range(count):
        session = insert_session(click_history=clicks)
        insert_wallpaper(session)
        insert_generation(session, number=1)
        insert_generation(session, number=2)


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def found(client: Client, name: str, **query: str) -> set[uuid.UUID]:
    """Ids of the rows a list shows."""
    response = client.get(list_of(name, **query))
    assert response.status_code == 200, (response.status_code, query)
    return {row.pk for row in response.context["cl"].result_list}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_fifty_sessions_asks_no_more_than_one_of_two(staff: Client, name: str) -> None:
    fill(2)
    queries_of(staff, list_of(name))
    few = queries_of(staff, list_of(name))
    fill(48)

    assert queries_of(staff, list_of(name)) == few


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_counted_only_so_far(
    staff: Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED", 60)
    fill(70)

    page = staff.get(list_of(name)).text
    last = staff.get(list_of(name, p="2"))

    assert f"more than 60 {name}s" in " ".join(page.split())
    assert len(last.context["cl"].result_list) == 10


def test_a_list_that_was_counted_to_its_end_says_its_length(staff: Client) -> None:
    fill(3)

    page = " ".join(staff.get(list_of("generation")).text.split())

    assert "6 generations" in page
    assert "more than" not in page


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("session", {}),
        ("session", {"status": "failed"}),
        ("session", {"source": "api"}),
        ("generation", {}),
        ("generation", {"state": "failed"}),
        ("generation", {"error_code": "worker_lost"}),
        ("generation", {"backend": "local"}),
        ("wallpaper", {}),
        ("wallpaper", {"source": "upload"}),
    ],
)
def test_the_rows_of_a_page_are_found_by_an_index(
    staff: Client, name: str, query: dict[str, str]
) -> None:
    fill(2)
    table = f'"sessions_app_{name}"'

    with CaptureQueriesContext(connection) as asked:
        staff.get(list_of(name, **query))

    reading = [row["sql"] for row in asked if row["sql"].startswith(f"SELECT {table}")]
    assert reading
    for sql in reading:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        assert "USING INDEX" in plan, plan


def test_the_choices_of_a_filter_are_what_the_latest_rows_have(staff: Client) -> None:
    session = insert_session()
    insert_generation(session, backend="replicate")
    insert_generation(
        session, number=2, state="failed", error_code="worker_lost", untouched_outside=None
    )

    page = staff.get(list_of("generation")).text

    for query in ("backend=local", "backend=replicate", "error_code=worker_lost"):
        assert f"?{query}" in page
    assert "error_code=&" not in page


def test_the_list_shows_what_staff_look_for(staff: Client) -> None:
    fill(1)
    session = Session.objects.get()

    page = staff.get(list_of("session")).text

    for shown in (
        str(session.pk)[:8],
        '<span class="badge badge-new">new</span>',
        "640 × 480",
        '<td class="field-clicks">2</td>',
        '<td class="field-wallpaper_title">Discs</td>',
        '<td class="field-generations_count">2</td>',
        '<td class="field-attempts_left">10</td>',
        f"/admin/sessions_app/session/{session.pk}/pictures/thumbnail/",
    ):
        assert shown in page


@pytest.mark.parametrize("form", ["{}", "{0.hex}", "{0!s:.8}", "{0!s:.11}", "{0.hex:.13}"])
def test_a_session_is_found_by_its_id(staff: Client, form: str) -> None:
    wanted = insert_session(id=uuid.UUID("0b6f1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3"))
    insert_session(id=uuid.UUID("0b6f1c2e-3e4f-4a5b-8c6d-7e8f90a1b2c3"))

    assert found(staff, "session", q=form.format(wanted.pk)) == {wanted.pk}


@pytest.mark.parametrize("name", LISTS)
def test_a_row_is_found_by_its_sessions_digest_from_the_log(staff: Client, name: str) -> None:
    fill(2)
    session = Session.objects.first()
    assert session is not None
    own = {session.pk} if name == "session" else {x.pk for x in getattr(session, f"{name}s").all()}

    assert found(staff, name, q=log_digest(session.pk)) == own


def test_capitals_and_blanks_do_not_matter(staff: Client) -> None:
    wanted = insert_session()

    assert found(staff, "session", q=f"  {str(wanted.pk).upper()} ") == {wanted.pk}


def test_two_ids_find_two_sessions(staff: Client) -> None:
    both = [insert_session(), insert_session()]
    insert_session()

    assert found(staff, "session", q=" ".join(str(one.pk) for one in both)) == {
        one.pk for one in both
    }


@pytest.mark.parametrize("q", ["room", "-", "%", "_", "f" * 33, "' OR 1=1 --"])
def test_what_is_no_id_finds_nothing(staff: Client, q: str) -> None:
    insert_session()

    assert found(staff, "session", q=q) == set()


@pytest.mark.parametrize("name", ["generation", "wallpaper"])
def test_generations_and_wallpapers_are_found_by_the_sessions_id(staff: Client, name: str) -> None:
    fill(2)
    session = Session.objects.first()
    assert session is not None
    own = {row.pk for row in getattr(session, f"{name}s").all()}

    assert found(staff, name, q=str(session.pk)[:8]) == own


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "failed"}, "b"),
        ({"source": "api"}, "c"),
        ({"has_result": "yes"}, "a"),
        ({"has_result": "no"}, "bc"),
        ({"created_at__year": "1999"}, ""),
    ],
)
def test_sessions_are_filtered(staff: Client, query: dict[str, str], expected: str) -> None:
    rows: dict[str, Any] = {
        "a": insert_session(),
        "b": insert_session(status="failed"),
        "c": insert_session(source="api"),
    }
    insert_generation(rows["a"])
    insert_generation(rows["a"], number=2)

    assert found(staff, "session", **query) == {rows[letter].pk for letter in expected}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "failed"}, "b"),
        ({"backend": "automatic1111"}, "b"),
        ({"error_code": "worker_lost"}, "b"),
        ({"untouched_outside__exact": "1"}, "a"),
        ({"replayed_same__exact": "1"}, "a"),
        ({"replayed_same__exact": "0"}, "b"),
        ({"replayed_at__year": "1999"}, ""),
    ],
)
def test_generations_are_filtered(staff: Client, query: dict[str, str], expected: str) -> None:
    session = insert_session()
    failed = {"state": "failed", "error_code": "worker_lost", "untouched_outside": None}
    rows = {
        "a": insert_generation(session, replayed_same=True, replayed_at=timezone.now()),
        "b": insert_generation(
            session, number=2, backend="automatic1111", replayed_same=False, **failed
        ),
    }

    assert found(staff, "generation", **query) == {rows[letter].pk for letter in expected}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_for_staff_who_may_view(
    powerless: Client, customer: Client, viewer: Client, name: str
) -> None:
    path = list_of(name)

    assert Client().get(path).headers["Location"].startswith("/admin/login/")
    assert customer.get(path).headers["Location"].startswith("/admin/login/")
    assert powerless.get(path).status_code == 403
    assert viewer.get(path).status_code == 200


def test_the_site_is_named_after_the_product(staff: Client) -> None:
    assert "Wallpaper visualizer" in staff.get("/admin/").text
