"""Refusals before and beyond the views: unknown addresses, garbled requests, our own faults."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from sessions_app.views import errors

pytestmark = pytest.mark.django_db


def request(**headers: str) -> HttpRequest:
    """A request as it is before any middleware saw it."""
    return RequestFactory().get("/nowhere/", headers=headers)


@pytest.mark.parametrize(
    ("handler", "status"), [(errors.not_found, 404), (errors.bad_request, 400)]
)
def test_a_refusal_is_a_page_for_people_and_a_sentence_for_htmx(
    handler: object, status: int
) -> None:
    page = handler(request(), Exception())  # type: ignore[operator]
    sentence = handler(request(**{"HX-Request": "true"}), Exception())  # type: ignore[operator]

    assert page.status_code == sentence.status_code == status
    assert b"<h1>" in page.content
    assert sentence.headers["Content-Type"].startswith("text/plain")
    assert b"<" not in sentence.content


def test_our_own_fault_needs_nothing_to_be_said() -> None:
    page = errors.server_error(request())
    sentence = errors.server_error(request(**{"HX-Request": "true"}))

    assert page.status_code == sentence.status_code == 500
    assert b"on our side" in page.content
    assert b"on our side" in sentence.content


def test_an_unknown_address_is_404_without_detail(client: Client) -> None:
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert b"There is no page at this address." in answer.content
    assert b"Traceback" not in answer.content


def test_a_host_that_is_not_ours_gets_a_page_in_words(client: Client) -> None:
    answer = client.get("/", headers={"Host": "elsewhere.example"})

    assert answer.status_code == 400
    assert b"could not be read" in answer.content


def test_pages_carry_the_content_policy(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
