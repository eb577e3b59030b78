"""A backend that is not set up says so before an attempt is taken, and names what to set."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings as product

from jobs.backends import load_backend
from sessions_app.errors import BadRequest
from sessions_app.models import Generation
from sessions_app.services import generations
from tests.harness.factories import make_ready_session


def test_every_listed_backend_can_be_made() -> None:
    assert set(product.GENERATION_BACKENDS) == {*("local", "automatic1111", "replicate", "iopaint")}
    for name in product.GENERATION_BACKENDS:
        load_backend(name).configured()


def test_the_local_renderer_needs_nothing() -> None:
    assert load_backend("local").configured() is None


@pytest.mark.parametrize(
    ("backend", "variable"),
    [
        ("automatic1111", "AUTOMATIC1111_URL"),
        ("replicate", "REPLICATE_API_TOKEN and REPLICATE_MODEL"),
        ("iopaint", "IOPAINT_URL"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_asking_for_one_that_is_not_set_up_takes_no_attempt(backend: str, variable: str) -> None:
    session = make_ready_session()

    with pytest.raises(BadRequest, match=f"not set up on this server: set {variable}") as refusal:
        generations.request_generation(
            session_id=session.pk, request_key="k", backend=backend, inline=True
        )

    session.refresh_from_db()
    assert refusal.value.code == "backend_not_set_up"
    assert session.attempts_left == 10
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("backend", "changes", "said"),
    [
        (
            "automatic1111",
            {"AUTOMATIC1111_URL": "gpu-host:7860"},
            "AUTOMATIC1111_URL must begin with",
        ),
        (
            "automatic1111",
            {"AUTOMATIC1111_URL": "http://a:secret@gpu/"},
            "must not contain a user name",
        ),
        ("automatic1111", {"AUTOMATIC1111_URL": "http://gpu:port/"}, "is not an address"),
        ("automatic1111", {"AUTOMATIC1111_URL": "http://gpu/?x=1"}, "must end before"),
        ("automatic1111", {"AUTOMATIC1111_FIELDS": "{"}, "AUTOMATIC1111_FIELDS is not JSON"),
        ("automatic1111", {"AUTOMATIC1111_FIELDS": "[]"}, "must be a JSON object"),
        ("automatic1111", {"AUTOMATIC1111_FIELDS": '{"a": ["$roof"]}'}, r"names \$roof"),
        (
            "replicate",
            {"REPLICATE_API_TOKEN": "r8 secret\n"},
            "REPLICATE_API_TOKEN holds characters",
        ),
        ("replicate", {"REPLICATE_MODEL": "no-owner"}, "REPLICATE_MODEL must be"),
        ("replicate", {"REPLICATE_INPUT": '{"image": "$rendr"}'}, r"REPLICATE_INPUT names \$rendr"),
        ("iopaint", {"IOPAINT_URL": "gpu-host:8080"}, "IOPAINT_URL must begin with"),
        ("iopaint", {"IOPAINT_FIELDS": '{"image": "$rom"}'}, r"IOPAINT_FIELDS names \$rom"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_without_its_secret(
    settings: Any, backend: str, changes: dict[str, str], said: str
) -> None:
    settings.AUTOMATIC1111_URL = "http://gpu:7860"
    settings.IOPAINT_URL = "http://gpu:8080"
    settings.REPLICATE_API_TOKEN, settings.REPLICATE_MODEL = "r8_x", "own/er"
    assert load_backend(backend).configured() is None
    for name, value in changes.items():
        setattr(settings, name, value)

    fault = load_backend(backend).configured()

    assert fault is not None
    assert re.search(said, fault)
    assert "secret" not in fault
