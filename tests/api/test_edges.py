"""What holds for every address of the API: one shape of failure, right methods, no cookies'
authority.
"""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sessions_app import selectors
from sessions_app.api import urls
from sessions_app.models import Session
from tests.api.program import Program, at, code_of
from tests.harness.factories import make_session

pytestmark = pytest.mark.django_db

NOBODY = f"/sessions/{uuid.UUID(int=1)}"
METHODS = {
    "/sessions/create": {"POST"},
    NOBODY: {"GET", "HEAD", "DELETE"},
    f"{NOBODY}/clicks": {"GET", "HEAD", "POST"},
    f"{NOBODY}/generate": {"POST"},
    f"{NOBODY}/status": {"GET", "HEAD"},
    f"{NOBODY}/result.png": {"GET", "HEAD"},
    "/wallpapers": {"GET", "HEAD"},
    "/openapi.json": {"GET", "HEAD"},
}


@pytest.mark.parametrize("path", METHODS)
def test_options_lists_the_methods(api: Program, path: str) -> None:
    response = api.call("OPTIONS", path)

    assert response.status_code == 204
    assert set(response.headers["Allow"].split(", ")) == METHODS[path] | {"OPTIONS"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, path)
        for path, own in METHODS.items()
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD")
        if method not in own
    ],
)
def test_another_method_is_refused_with_allow(api: Program, method: str, path: str) -> None:
    response = api.call(method, path)

    assert (response.status_code, code_of(response)) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == METHODS[path] | {"OPTIONS"}


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/sessions", "/sessions/7/status", "/sessions/create/", f"{NOBODY}/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_404_in_json(api: Program, path: str, method: str) -> None:
    response = api.call(method, path)

    assert (response.status_code, code_of(response)) == (404, "unknown_address")


@pytest.mark.parametrize("rest", ["", "/status", "/clicks", "/result.png"])
def test_an_unknown_session_is_404_in_json(api: Program, rest: str) -> None:
    response = api.get(NOBODY + rest)

    assert (response.status_code, code_of(response)) == (404, "not_found")


def test_an_unforeseen_failure_is_500_in_json_without_its_detail(
    api: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> Session:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(selectors, "api_session", broken)

    with caplog.at_level(logging.ERROR, "sessions_app.api"):
        response = api.get(f"{NOBODY}/status")

    assert (response.status_code, code_of(response)) == (500, "internal_error")
    assert "secret" not in response.text
    assert "RuntimeError: secret detail" in caplog.text


def test_answers_are_not_cached(api: Program) -> None:
    assert api.get(at(make_session(source="api"), "/status")).headers["Cache-Control"] == "no-store"


def test_a_browsers_cookies_give_no_authority_and_none_are_set() -> None:
    session = make_session(visitor="visitor-a")
    client = Client()
    client.cookies["visitor"] = "visitor-a"

    response = client.get(f"/v1{at(session, '/status')}")

    assert response.status_code == 404
    assert not response.cookies


def test_head_of_a_status_has_no_body(api: Program) -> None:
    response = api.call("HEAD", at(make_session(source="api"), "/status"))

    assert (response.status_code, response.content) == (200, b"")


def test_every_address_is_in_the_document(api: Program) -> None:
    routes = {
        "/" + str(route.pattern).replace("<uuid:", "{").replace(">", "}")
        for route in urls.urlpatterns
        if route.name != "api-unknown"
    }

    assert routes == set(api.document["paths"])


def test_generated_clients_keep_the_names_of_their_calls(api: Program) -> None:
    names = {
        operation["operationId"]
        for methods in api.document["paths"].values()
        for operation in methods.values()
    }

    of_a_session = {
        "sessionStatus", "deleteSession", "showClicks", "replaceClicks",
        "generate", "cancel", "status", "result",
    }  # fmt: skip
    by_key = {f"{name}ByKey" for name in of_a_session}
    assert names == {"createSession", "wallpapers", "openapi"} | of_a_session | by_key


def test_the_document_names_its_own_server_and_only_schemas_it_has(api: Program) -> None:
    text = str(api.document)

    assert api.document["servers"] == [{"url": "http://testserver/v1"}]
    for part in text.split("#/components/schemas/")[1:]:
        assert part.split("'")[0] in api.document["components"]["schemas"]


def test_every_request_example_of_the_docs_has_an_address(api: Program, repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    mentioned = {
        word.split("/v1", 1)[1].split("?")[0].rstrip("\"'`,.)")
        for word in text.split()
        if "/v1/" in word
    }

    assert mentioned
    for path in mentioned:
        bare = path.replace("$ID", str(uuid.UUID(int=1))).replace("{id}", str(uuid.UUID(int=1)))
        assert api.operation("GET", bare) or api.operation("POST", bare), path


def test_every_address_of_the_api_is_in_the_docs(api: Program, repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text(encoding="utf-8")

    for path in api.document["paths"]:
        assert f"/v1{path.replace('{session_id}', '{id}')}" in text, path
