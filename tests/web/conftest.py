"""Visitors for the page tests: an owner with a room, and an outsider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from sessions_app.models import Session
from sessions_app.visitors import COOKIE_NAME, SALT
from tests.harness.factories import make_ready_session

OWNER = "visitor-a"
HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


def client_of(visitor: str, *, enforce_csrf_checks: bool = False) -> Client:
    """A browser with this visitor's cookie."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.cookies[COOKIE_NAME] = signing.get_cookie_signer(salt=COOKIE_NAME + SALT).sign(visitor)
    return client


@pytest.fixture
def owner() -> Client:
    """The browser that made the room."""
    return client_of(OWNER)


@pytest.fixture
def outsider() -> Client:
    """Another browser."""
    return client_of("visitor-b")


@pytest.fixture
def stranger() -> Client:
    """A browser that was never here."""
    return Client()


@pytest.fixture
def room(db: None) -> Session:
    """The owner's room, with a wall and a wallpaper."""
    return make_ready_session(visitor=OWNER)


@pytest.fixture
def expire() -> Callable[[Session], None]:
    """Ends a room's life."""

    def end(session: Session) -> None:
        Session.objects.filter(pk=session.pk).update(
            expires_at=timezone.now() - timedelta(seconds=1)
        )

    return end
