"""Whatever a program sends is answered as /v1/openapi.json says; Schemathesis makes the requests
from that document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sessions_app.models import Session
from tests.harness.factories import make_ready_session
from wallpaper.wsgi import application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis, pytest.mark.model]

EXAMPLES = 12
# Not promised: a body of the right shape may still name a point beside the photo.
NOT_PROMISED = [positive_data_acceptance]


@pytest.fixture
def document() -> Any:
    """The document as the server gives it; its calls go to the server's WSGI application."""
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", application)


def operations(document: Any) -> Iterator[Any]:
    """Every operation of the document; fails where an entry is not valid OpenAPI."""
    for found in document.get_all_operations():
        yield found.ok()


def send(operation: Any, mode: GenerationMode) -> None:
    """Send some requests, each checked against the document."""
    session = make_ready_session(source=Session.Source.API, visitor="")
    known = {"session_id": str(session.pk)} if operation.path_parameters else None

    @given(case=operation.as_strategy(mode, path_parameters=known))
    @settings(max_examples=EXAMPLES, suppress_health_check=[*HealthCheck])
    def check(case: Any) -> None:
        case.call_and_validate(excluded_checks=NOT_PROMISED)

    check()


def test_the_document_is_valid(document: Any) -> None:
    document.validate()


def test_requests_as_described_get_answers_as_described(
    document: Any, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        with subtests.test(operation.label):
            send(operation, GenerationMode.POSITIVE)


def test_requests_beside_the_description_are_refused_as_described(
    document: Any, subtests: pytest.Subtests
) -> None:
    for operation in operations(document):
        if operation.body or operation.query:  # the others leave nothing to get wrong
            with subtests.test(operation.label):
                send(operation, GenerationMode.NEGATIVE)
