"""A program that talks to the API; it checks every response against the API's own document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions_app.models import Session
from tests.api.schema_check import problems

# What any server must be able to say anywhere, and the document need not repeat.
ADDRESS = re.compile(r"\{\w+\}")


@dataclass
class Program:
    """Calls with CSRF checks on and no cookies kept; `document` is /v1/openapi.json."""

    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = Client().get("/v1/openapi.json").json()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The response; fails the test when the document does not describe it."""
        response: Any = Client(enforce_csrf_checks=True).generic(method, f"/v1{path}", **options)
        # A streamed answer is read once. The test client closes it then; closing it by hand would
        # end the test's database connection with it.
        response.received = b"".join(response)
        self.check(method, path, response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        """A GET."""
        return self.call("GET", path, headers=headers)

    def post_json(self, path: str, body: Any, **headers: str) -> Any:
        """A POST of a JSON body; text and bytes are sent as they are."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.call("POST", path, data=data, content_type="application/json", headers=headers)

    def create(self, data: bytes, *, name: str = "room.png", field_name: str = "file") -> Any:
        """A POST of a photo."""
        client = Client(enforce_csrf_checks=True)
        upload = SimpleUploadedFile(name, data, content_type="application/octet-stream")
        response = client.post("/v1/sessions/create", {field_name: upload})
        self.check("POST", "/sessions/create", response)
        return response

    def check(self, method: str, path: str, response: Any) -> None:
        """Assert that the document has this answer, and that the body is as it says."""
        operation = self.operation(method, path)
        if operation is None:
            assert response.status_code in (204, 404, 405), response.status_code
            return
        answer = operation["responses"].get(str(response.status_code))
        assert answer is not None, f"{method} {path} may not answer {response.status_code}"
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None and method != "HEAD":
            assert response.headers["Content-Type"] == "application/json"
            named = self.document["components"]["schemas"]
            assert problems(response.json(), schema, named) == []

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The document's entry for a call; HEAD counts as GET."""
        wanted = "get" if method == "HEAD" else method.lower()
        bare = path.split("?")[0]
        for template, methods in sorted(self.document["paths"].items()):
            if re.fullmatch(ADDRESS.sub("[^/]+", template), bare) and wanted in methods:
                found: dict[str, Any] = methods[wanted]
                return found
        return None


def at(session: Session, rest: str = "") -> str:
    """A session's address below /v1."""
    return f"/sessions/{session.pk}{rest}"


def code_of(response: Any) -> str:
    """The code of a refusal."""
    code: str = response.json()["error"]["code"]
    return code
