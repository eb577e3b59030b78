"""Queue again, cancel, and purge."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.test import Client, override_settings
from django.urls import reverse

from sessions_app import storage
from sessions_app.admin import actions
from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from sessions_app.services import runs
from tests.harness.factories import make_generation, make_ready_session, make_session
from tests.harness.rows import insert_generation, insert_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def act(client: Client, action: str, *rows: Any, **more: str) -> Any:
    """The answer to an action on rows of one list, redirects followed."""
    path = reverse(f"admin:sessions_app_{rows[0]._meta.model_name}_changelist")
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(path, data, follow=True)


def said(response: Any) -> list[tuple[str, str]]:
    """Level and text of the messages on the page."""
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def make_failed() -> Generation:
    generation = make_generation()
    runs.fail(generation.pk, 1, code="x", message="x", detail="", is_ours=False)
    return generation


def test_a_failed_generation_is_queued_again(staff: Client) -> None:
    old = make_failed()

    response = act(staff, "queue_again", old)

    new = Generation.objects.get(number=2)
    assert said(response) == [("success", "Queued again: 1.")]
    assert queues.generation_queue().job_ids == [queues.job_id(new.pk, 1)]


def test_it_is_written_in_the_admins_log(staff: Client) -> None:
    old = make_failed()

    act(staff, "queue_again", old)

    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (
        str(old.pk),
        "Queued again as generation 2.",
    )


def test_what_cannot_be_queued_is_told_with_its_reason(staff: Client) -> None:
    failed, waiting = make_failed(), make_generation()

    response = act(staff, "queue_again", failed, waiting)

    (_, counted), (level, skipped) = said(response)
    assert counted == "Queued again: 1."
    assert level == "warning"
    assert f"Skipped 1: {str(waiting.session_id)[:8]} #1: " in skipped


def test_sessions_queue_their_latest_generation(staff: Client) -> None:
    session = make_failed().session
    make_second = make_generation(session=session)
    runs.fail(make_second.pk, 1, code="y", message="y", detail="", is_ours=False)
    Generation.objects.filter(pk=make_second.pk).update(placement={"repeat_width_m": 0.9})
    bare = make_session()

    response = act(staff, "queue_again", session, bare)

    assert Generation.objects.get(number=3).placement == {"repeat_width_m": 0.9}
    assert said(response) == [
        ("warning", "1 session(s) have no generation to queue again."),
        ("success", "Queued again: 1."),
    ]


def test_generations_in_progress_are_canceled_and_their_attempts_given_back(
    staff: Client,
) -> None:
    waiting, at_work, ended = make_generation(inline=False), make_generation(), make_failed()
    runs.start(at_work.pk, 1)

    response = act(staff, "cancel", waiting, at_work, ended)

    (_, counted), (level, skipped) = said(response)
    assert counted == "Canceled: 2."
    assert level == "warning"
    assert f"Skipped 1: {str(ended.session_id)[:8]} #1: " in skipped
    for row in (waiting, at_work):
        row.refresh_from_db()
        row.session.refresh_from_db()
        assert (row.error_code, row.attempt_returned) == ("canceled", True)
        assert row.session.attempts_left == 10
    assert "stopped by the people who run this site" in at_work.error_message
    assert queues.generation_queue().job_ids == []
    logged = LogEntry.objects.values_list("object_id", "change_message")
    assert set(logged) == {(str(row.pk), "Canceled.") for row in (waiting, at_work)}


@override_settings(REDIS_URL="unix:///nonexistent/valkey.sock?db=0")
def test_with_redis_away_a_cancel_works_all_the_same(staff: Client) -> None:
    generation = make_generation()

    assert said(act(staff, "cancel", generation)) == [("success", "Canceled: 1.")]


def test_who_may_only_view_cancels_nothing(viewer: Client) -> None:
    generation = make_generation()

    act(viewer, "cancel", generation)

    generation.refresh_from_db()
    assert generation.is_active


def test_the_sessions_page_offers_to_cancel_what_is_in_progress(staff: Client) -> None:
    generation = make_generation()
    path = reverse("admin:sessions_app_session_change", args=[generation.session_id])

    page = staff.get(path).text

    assert '<input type="hidden" name="action" value="cancel">' in page
    assert "Cancel the generation in progress" in page


@override_settings(REDIS_URL="unix:///nonexistent/valkey.sock?db=0")
def test_with_redis_away_it_says_so_and_changes_nothing(staff: Client) -> None:
    response = act(staff, "queue_again", make_failed(), make_failed())

    ((level, text),) = said(response)
    assert level == "error"
    assert "the queue does not answer" in text
    assert Generation.objects.filter(number=2).count() == 0
    assert not LogEntry.objects.exists()


def test_a_purge_asks_first(staff: Client) -> None:
    session = make_ready_session()

    response = act(staff, "purge", session)

    assert response.status_code == 200
    assert "It cannot be undone" in response.text
    assert str(session.pk) in response.text
    assert storage.exists(session.photo_key)


def test_a_confirmed_purge_deletes_pictures_and_rows(staff: Client) -> None:
    session, stays = make_ready_session(), make_session()

    response = act(staff, "purge", session, confirmed="yes")

    assert said(response) == [("success", "Deleted 1 session(s) with 6 stored object(s).")]
    assert Session.objects.get() == stays
    assert storage.session_folders() == [str(stays.pk)]
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.is_deletion()) == (str(session.pk), True)


def test_a_purge_skips_a_session_with_a_generation_in_progress(staff: Client) -> None:
    busy, idle = make_generation().session, make_session()

    asked = act(staff, "purge", busy, idle)
    response = act(staff, "purge", busy, idle, confirmed="yes")

    assert "1 of them" in asked.text
    (_, deleted), (level, skipped) = said(response)
    assert deleted == "Deleted 1 session(s) with 3 stored object(s)."
    assert level == "warning"
    assert "in progress" in skipped
    assert Session.objects.get() == busy


def test_a_store_that_is_away_stops_the_purge_with_a_message(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [make_session(), make_session()]

    def away(*_: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(default_storage, "listdir", away)

    response = act(staff, "purge", *sessions, confirmed="yes")

    assert [level for level, _ in said(response)] == ["error"]
    assert Session.objects.count() == 2


def test_more_than_fit_on_the_confirmation_are_refused(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessions_app.admin import sessions

    monkeypatch.setattr(sessions, "MOST_AT_ONCE", 1)

    response = act(staff, "purge", insert_session(), insert_session(), confirmed="yes")

    assert said(response)[0][0] == "error"
    assert Session.objects.count() == 2
    assert actions.MOST_AT_ONCE > 1


@pytest.mark.parametrize("action", ["queue_again", "purge"])
def test_who_may_only_view_has_no_actions(viewer: Client, action: str) -> None:
    generation = insert_generation(insert_session())

    act(viewer, action, generation.session, confirmed="yes")
    page = viewer.get(reverse("admin:sessions_app_session_change", args=[generation.session_id]))

    assert Session.objects.count() == Generation.objects.count() == 1
    assert "_selected_action" not in page.text


def test_the_sessions_page_offers_both_actions(staff: Client) -> None:
    generation = insert_generation(insert_session())
    path = reverse("admin:sessions_app_session_change", args=[generation.session_id])

    page = staff.get(path).text

    assert f'name="_selected_action" value="{generation.pk}"' in page
    assert f'name="_selected_action" value="{generation.session_id}"' in page
