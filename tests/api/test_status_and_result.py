"""GET status, result.png and wallpapers, DELETE of a session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from jobs import tasks
from sessions_app import storage
from sessions_app.catalogue import designs
from sessions_app.models import Generation, Session
from sessions_app.services import runs
from tests.api.program import Program, at, code_of
from tests.harness.factories import make_generation, make_ready_session, make_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


def make_api_session(**fields: Any) -> Session:
    return make_session(source=Session.Source.API, visitor="", **fields)


def make_api_generation(*, inline: bool = True) -> Generation:
    session = make_ready_session(source=Session.Source.API, visitor="")
    return make_generation(session=session, inline=inline)


def make_completed() -> Generation:
    generation = make_api_generation()
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    return generation


def test_a_new_session_has_no_generation(api: Program) -> None:
    status = api.get(at(make_api_session(), "/status")).json()

    assert status["status"] == "new"
    assert status["attempts_left"] == 10
    assert [status[name] for name in ("generation", "result_url", "error")] == [None, None, None]


def test_the_sessions_own_address_tells_its_status(api: Program) -> None:
    session = make_api_session()

    assert api.get(at(session)).json() == api.get(at(session, "/status")).json()


def test_a_waiting_generation_says_that_no_worker_runs(api: Program) -> None:
    generation = make_api_generation(inline=False)

    status = api.get(at(generation.session, "/status")).json()

    assert (status["status"], status["generation"], status["progress"]) == ("queued", 1, 0)
    assert status["waiting_for_worker"] is True
    assert status["ahead"] == 0


@override_settings(REDIS_URL="unix:///nonexistent/valkey.sock?db=0")
def test_status_works_with_redis_away(api: Program) -> None:
    generation = make_api_generation()

    assert api.get(at(generation.session, "/status")).json()["status"] == "queued"


def test_a_running_generation_tells_stage_and_progress(api: Program) -> None:
    generation = make_api_generation()
    runs.start(generation.pk, 1)
    runs.report(generation.pk, 1, stage="light", progress=35)

    status = api.get(at(generation.session, "/status")).json()

    assert (status["status"], status["stage"], status["progress"]) == ("generating", "light", 35)


def test_a_failure_is_told_with_code_and_message(api: Program) -> None:
    generation = make_api_generation()
    runs.fail(generation.pk, 1, code="worker_lost", message="Sorry.", detail="d", is_ours=True)

    status = api.get(at(generation.session, "/status")).json()

    assert status["status"] == "failed"
    assert status["error"] == {"code": "worker_lost", "message": "Sorry."}
    assert status["result_url"] is None
    assert "detail" not in str(status)


def test_a_completed_generation_has_an_absolute_result_url(api: Program) -> None:
    session = make_completed().session

    status = api.get(at(session, "/status")).json()

    url = f"http://testserver/v1/sessions/{session.pk}/result.png?generation=1"
    assert status["result_url"] == url
    assert status["results"] == [{"generation": 1, "url": url}]


def test_an_earlier_result_stays_while_the_next_one_is_made(api: Program) -> None:
    session = make_completed().session
    make_generation(session=session)

    status = api.get(at(session, "/status")).json()

    assert (status["generation"], status["result_url"]) == (2, None)
    assert [done["generation"] for done in status["results"]] == [1]


def test_the_result_is_the_stored_picture(api: Program) -> None:
    generation = make_completed()

    response = api.get(at(generation.session, "/result.png"))

    assert response.headers["Content-Type"] == "image/png"
    assert response.received == storage.read(generation.result_key)
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")


def test_a_head_request_has_the_length_and_no_body(api: Program) -> None:
    generation = make_completed()

    response = api.call("HEAD", at(generation.session, "/result.png"))

    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == len(storage.read(generation.result_key))
    assert response.received == b""


def test_an_unchanged_result_is_not_sent_again(api: Program) -> None:
    session = make_completed().session
    etag = api.get(at(session, "/result.png")).headers["ETag"]

    response = api.get(at(session, "/result.png"), **{"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")


def test_a_numbered_result_may_be_cached_and_the_latest_may_not(api: Program) -> None:
    session = make_completed().session

    assert "immutable" in api.get(at(session, "/result.png?generation=1")).headers["Cache-Control"]
    assert "no-cache" in api.get(at(session, "/result.png")).headers["Cache-Control"]


def test_there_is_no_result_before_there_is_one(api: Program) -> None:
    response = api.get(at(make_api_session(), "/result.png"))

    assert (response.status_code, code_of(response)) == (404, "no_result")


@pytest.mark.parametrize(("number", "status"), [("2", 404), ("x", 422), ("-1", 422), ("٣", 422)])
def test_a_result_of_another_number_is_refused(api: Program, number: str, status: int) -> None:
    session = make_completed().session

    assert api.get(at(session, f"/result.png?generation={number}")).status_code == status


def test_a_result_whose_object_is_gone_is_not_found(api: Program) -> None:
    generation = make_completed()
    storage.delete(generation.result_key)

    assert api.get(at(generation.session, "/result.png")).status_code == 404


def test_deleting_a_session_takes_its_pictures(api: Program) -> None:
    session = make_completed().session

    response = api.call("DELETE", at(session))

    assert (response.status_code, response.content) == (204, b"")
    assert storage.session_folders() == []
    assert api.get(at(session, "/status")).status_code == 404


def test_deleting_waits_for_a_generation_in_progress(api: Program) -> None:
    generation = make_api_generation()

    response = api.call("DELETE", at(generation.session))

    assert (response.status_code, code_of(response)) == (409, "generation_in_progress")
    assert storage.exists(generation.mask_key)


def test_an_expired_session_is_gone_everywhere(api: Program) -> None:
    session = make_api_session(expires_at=timezone.now() - timedelta(seconds=1))

    for rest in ("", "/status", "/clicks", "/result.png"):
        response = api.get(at(session, rest))
        assert (response.status_code, code_of(response)) == (410, "expired")
    assert api.post_json(at(session, "/generate"), {}).status_code == 410


@pytest.mark.parametrize("source", [Session.Source.WEB, Session.Source.COMMAND])
def test_a_session_of_a_browser_or_a_command_does_not_exist_here(api: Program, source: str) -> None:
    session = make_ready_session(source=source)

    for rest in ("", "/status", "/clicks", "/result.png"):
        response = api.get(at(session, rest))
        assert (response.status_code, code_of(response)) == (404, "not_found")
    assert api.post_json(at(session, "/generate"), {}).status_code == 404
    assert api.post_json(at(session, "/clicks"), {"points": [[5, 5, 1]]}).status_code == 404
    assert api.call("DELETE", at(session)).status_code == 404
    assert Session.objects.exists()


def test_the_built_in_designs_are_listed_with_their_pictures(api: Program) -> None:
    shown = api.get("/wallpapers").json()["wallpapers"]

    assert [design["slug"] for design in shown] == [design.slug for design in designs()]
    assert shown[0]["picture_url"] == f"http://testserver/static/{designs()[0].file}"
