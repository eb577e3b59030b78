"""The session's key in the header `Authorization: Bearer`, so that no address holds it."""

from __future__ import annotations

import uuid

import pytest

from jobs import tasks
from sessions_app.models import Generation, Session
from tests.api.program import Program, code_of
from tests.harness.factories import make_generation, make_ready_session, make_session

pytestmark = pytest.mark.django_db(transaction=True)


def bearer(session: Session) -> str:
    """The header's value."""
    return f"Bearer {session.pk}"


def make_completed() -> Generation:
    """A finished generation of the API."""
    generation = make_generation(session=make_ready_session(source=Session.Source.API, visitor=""))
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    return generation


def test_the_key_in_the_header_opens_the_session(api: Program) -> None:
    session = make_session(source="api")

    response = api.get("/session/status", Authorization=bearer(session))

    assert response.status_code == 200
    assert response.json()["session_id"] == str(session.pk)


def test_answers_name_no_address_that_holds_the_key(api: Program) -> None:
    done = make_completed()

    answer = api.get("/session", Authorization=bearer(done.session)).json()

    assert str(done.session_id) not in str([answer["links"], answer["result_url"]])
    assert answer["links"]["clicks"] == "http://testserver/v1/session/clicks"


def test_the_result_is_fetched_with_the_key_in_the_header(api: Program) -> None:
    done = make_completed()

    response = api.get("/session/result.png?generation=1", Authorization=bearer(done.session))

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/png"


def test_caches_keep_the_answers_of_two_sessions_apart(api: Program) -> None:
    response = api.get("/session/status", Authorization=bearer(make_session(source="api")))

    assert "Authorization" in response.headers["Vary"]


@pytest.mark.redis
def test_a_session_is_deleted_with_the_key_in_the_header(api: Program) -> None:
    session = make_session(source="api")

    response = api.call("DELETE", "/session", headers={"Authorization": bearer(session)})

    assert response.status_code == 204
    assert not Session.objects.filter(pk=session.pk).exists()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer room", "Basic dXNlcjpwdw==", "Bearer {123}", "Bearer 1 2"]
)
def test_without_a_key_the_answer_says_how_to_send_it(api: Program, header: str) -> None:
    response = api.get("/session/status", **({"Authorization": header} if header else {}))

    assert (response.status_code, code_of(response)) == (401, "no_key")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json()["error"]["message"]


def test_a_key_of_no_session_is_answered_like_an_unknown_address(api: Program) -> None:
    response = api.get("/session/status", Authorization=f"bearer {uuid.uuid4()}")

    assert response.status_code == 404


def test_a_browsers_session_has_no_key(api: Program) -> None:
    response = api.get("/session/status", Authorization=bearer(make_session(visitor="somebody")))

    assert response.status_code == 404


def test_a_method_that_an_address_has_not_needs_no_key(api: Program) -> None:
    assert api.call("OPTIONS", "/session/status").status_code == 204
    assert api.call("PUT", "/session/status").status_code == 405
