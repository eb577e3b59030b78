"""The pages of one row: everything is shown, nothing can be changed, and nothing breaks them."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from jobs import tasks
from sessions_app import storage
from sessions_app.catalogue import designs
from sessions_app.models import Generation, Session
from sessions_app.services import clicking, runs, wallpapers
from tests.harness.factories import make_generation, make_ready_session, make_session
from tests.harness.rows import insert_generation, insert_session, insert_wallpaper

pytestmark = pytest.mark.django_db

KINDS = ["session", "generation", "wallpaper"]


def page_of(row: Any, action: str = "change") -> str:
    return reverse(f"admin:sessions_app_{row._meta.model_name}_{action}", args=[row.pk])


def insert(kind: str) -> Any:
    session = insert_session()
    if kind == "session":
        return session
    return insert_wallpaper(session) if kind == "wallpaper" else insert_generation(session)


def make_completed() -> Generation:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    return generation


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_no_field_to_edit(staff: Client, kind: str) -> None:
    page = staff.get(page_of(insert(kind))).text
    main = page[page.index('id="content"') :]

    fields = re.findall(r"<(?:input|select|textarea)[^>]*>", main)
    assert all('type="hidden"' in field for field in fields), fields
    assert 'name="_save"' not in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_cannot_be_changed_added_or_deleted(staff: Client, kind: str) -> None:
    row = insert(kind)
    before = type(row).objects.filter(pk=row.pk).values().get()

    answers = [
        staff.post(page_of(row), {"status": "completed", "state": "completed", "title": "x"}),
        staff.get(reverse(f"admin:sessions_app_{kind}_add")),
        staff.post(page_of(row, "delete"), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert type(row).objects.filter(pk=row.pk).values().get() == before


def test_deletion_is_not_among_the_actions(staff: Client) -> None:
    for kind in KINDS:
        insert(kind)
        page = staff.get(reverse(f"admin:sessions_app_{kind}_changelist")).text
        assert "delete_selected" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_for_staff_who_may_view(
    powerless: Client, customer: Client, viewer: Client, kind: str
) -> None:
    path = page_of(insert(kind))

    assert Client().get(path).headers["Location"].startswith("/admin/login/")
    assert customer.get(path).headers["Location"].startswith("/admin/login/")
    assert powerless.get(path).status_code == 403
    assert viewer.get(path).status_code == 200


@pytest.mark.parametrize("row_id", [str(uuid.UUID(int=7)), "nonsense"])
def test_an_unknown_row_leads_back_to_the_index(staff: Client, row_id: str) -> None:
    response = staff.get(reverse("admin:sessions_app_session_change", args=[row_id]))

    assert response.headers["Location"] == "/admin/"


def test_the_marked_wall_is_drawn_over_the_photo(staff: Client) -> None:
    session = make_ready_session()

    page = staff.get(page_of(session)).text

    assert 'viewBox="-0.5 -0.5 320 240"' in page
    assert re.search(r'<path class="wall" fill-rule="evenodd" d="M[^"]+"', page)
    assert f"/admin/sessions_app/session/{session.pk}/pictures/photo/" in page


@pytest.mark.model
def test_clicks_are_drawn_and_listed(staff: Client) -> None:
    session = make_session()
    clicking.replace_clicks(session_id=session.pk, clicks=[(60, 60, 1), (180.5, 150, 0)])

    page = staff.get(page_of(session)).text

    assert '<circle class="include" cx="60.00" cy="60.00"' in page
    assert '<circle class="exclude" cx="180.50" cy="150.00"' in page
    assert "<td>2</td><td>180.5</td><td>150.0</td><td>exclude</td>" in page
    assert '<path class="wall"' in page


@override_settings(SAM_MODEL_DIR="/nonexistent")
def test_without_weights_the_page_says_so_and_shows_the_rest(staff: Client) -> None:
    session = make_session(click_history={"operations": [[60, 60, 1]], "cursor": 1})

    response = staff.get(page_of(session))

    assert response.status_code == 200
    assert "The overlay cannot be drawn" in response.text
    assert '<circle class="include"' in response.text


def test_with_the_photo_gone_the_page_still_opens(staff: Client) -> None:
    session = make_ready_session()
    storage.delete_prefix(f"sessions/{session.pk}/")

    response = staff.get(page_of(session))

    assert response.status_code == 200
    assert "The overlay cannot be drawn" in response.text


def test_a_session_without_anything_opens(staff: Client) -> None:
    page = staff.get(page_of(insert_session())).text

    assert "No wall is marked." in page
    assert "None chosen." in page
    assert "None yet." in page


def test_a_completed_generation_is_shown_with_its_pictures(staff: Client) -> None:
    generation = make_completed()

    page = staff.get(page_of(generation.session)).text

    base = f"/admin/sessions_app/session/{generation.session_id}/pictures"
    assert (
        f'<a href="{base}/result/1/"><img class="small-picture" src="{base}/result-view/1/"' in page
    )
    assert f'<a href="{base}/mask/1/">' in page
    assert generation.mask_digest in page
    assert "<th>Nothing changed outside the mask</th><td>yes</td>" in page
    for stage in generation.timings:
        assert f"<th>{stage}</th>" in page


@pytest.mark.parametrize(("same", "said"), [(True, "the same bytes"), (False, "OTHER BYTES")])
def test_the_verdict_of_a_replay_is_shown_and_cannot_be_edited(
    staff: Client, same: bool, said: str
) -> None:
    generation = insert_generation(insert_session())
    Generation.objects.update(replayed_at=timezone.now(), replayed_same=same)

    session = staff.get(page_of(generation.session)).text
    own = staff.get(reverse("admin:sessions_app_generation_change", args=[generation.pk])).text

    assert f": {said}</td>" in session
    for name in ("replayed_at", "replayed_same", "untouched_outside"):
        assert f"field-{name}" in own
        assert f'name="{name}"' not in own


def test_a_failed_generation_is_shown_with_its_reason(staff: Client) -> None:
    generation = make_generation()
    runs.fail(
        generation.pk,
        1,
        code="worker_lost",
        message="It was interrupted.",
        detail="Traceback: <b>line 1</b>",
        is_ours=True,
    )

    for row in (generation.session, generation):
        page = staff.get(page_of(row)).text
        assert "worker_lost" in page
        assert "It was interrupted." in page
        assert "Traceback: &lt;b&gt;line 1&lt;/b&gt;" in page


def test_every_generation_is_on_the_sessions_page_newest_first(staff: Client) -> None:
    session = insert_session()
    for number in (1, 2, 3):
        insert_generation(session, number=number)

    page = staff.get(page_of(session)).text

    assert re.findall(r">#(\d)</a>", page) == ["3", "2", "1"]


def test_a_generations_page_shows_inputs_and_course(staff: Client) -> None:
    generation = insert_generation(insert_session(), placement={"repeat_width_m": 0.7})

    page = staff.get(page_of(generation)).text

    assert "<tr><th>repeat_width_m</th><td>0.7</td></tr>" in page
    assert "<tr><th>render</th><td>2.5</td></tr>" in page
    assert "4.00 s" in page


def test_a_design_is_shown_with_its_own_picture(staff: Client) -> None:
    session = make_session()
    chosen = wallpapers.choose_design(session_id=session.pk, slug=designs()[0].slug)

    for row in (session, chosen):
        assert designs()[0].thumb in staff.get(page_of(row)).text


def test_what_visitors_typed_is_escaped(staff: Client) -> None:
    session = insert_session()
    wallpaper = insert_wallpaper(session, title="<script>alert(1)</script>")
    Session.objects.filter(pk=session.pk).update(placement={"<b>": "<i>"})

    for row in (session, wallpaper):
        page = staff.get(page_of(row)).text
        assert "<script>alert" not in page
        assert "<b>" not in page
